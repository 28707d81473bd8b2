"""Addresses of the stock door: console and operations API. The lean doors have public_urls.py and preview_urls.py."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from console.master_keys_page import master_keys
from console.reauthentication import reauthenticate
from dashboards.address_page import your_address
from dashboards.public_api.views import docs, schema
from dashboards.sunset_views import sunset, sunset_bulk, sunset_choose
from dashboards.views import operations
from key_health.views import check_key_now
from sessions_api.identity_debugger import identity_code, identity_debugger
from widget.open_preview import open_preview

handler500 = "config.server_errors.server_error"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/reauthenticate/", reauthenticate, name="reauthenticate"),
    path("admin/check-key/<uuid:key_id>/", admin.site.admin_view(check_key_now), name="check-key"),
    path("admin/preview/<uuid:tenant_id>/", admin.site.admin_view(open_preview), name="tenant-preview"),
    path(
        "admin/tenants/<uuid:tenant_id>/debug-token/",
        admin.site.admin_view(identity_debugger),
        name="identity-debugger",
    ),
    path("admin/tenants/<uuid:tenant_id>/signing-code/", admin.site.admin_view(identity_code), name="identity-code"),
    path("admin/operations/address/", admin.site.admin_view(your_address), name="your-address"),
    path("admin/operations/sunset/", admin.site.admin_view(sunset), name="sunset"),
    path("admin/operations/sunset/choose/", admin.site.admin_view(sunset_choose), name="sunset-choose"),
    path("admin/operations/sunset/bulk/", admin.site.admin_view(sunset_bulk), name="sunset-bulk"),
    path("admin/operations/", admin.site.admin_view(operations), name="operations"),
    path("admin/master-keys/", admin.site.admin_view(master_keys), name="master-keys"),
    path("admin/public-api/", admin.site.admin_view(docs), name="public-api-docs"),
    path("admin/public-api/openapi.json", admin.site.admin_view(schema), name="public-api-schema"),
    path("api/v1/ops/", include("dashboards.api.urls")),
    path("admin/", admin.site.urls),
]
