"""/api/v1/ops/: for machines, by token; its OpenAPI for whoever holds one or is signed in to the console."""

from django.contrib.admin.views.decorators import staff_member_required
from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from dashboards.api import schema  # noqa: F401  (registers the authentication scheme)
from dashboards.api.views import AddressesView, KeysView, SessionsView, TenantsView, UnknownView, UsageView

# The schema describes, it does not tell figures; staff alone read it, by the console's own log-in.
_schema = SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[], urlconf="dashboards.api.urls_v1")
_page = SpectacularSwaggerSplitView.as_view(
    authentication_classes=[],
    permission_classes=[],
    url_name="ops-api-schema",
    title="Operations API",
    template_name="dashboards/api_docs.html",
)

urlpatterns = [
    path("", AddressesView.as_view(), name="ops-api"),
    path("sessions/", SessionsView.as_view(), name="ops-api-sessions"),
    path("usage/", UsageView.as_view(), name="ops-api-usage"),
    path("keys/", KeysView.as_view(), name="ops-api-keys"),
    path("tenants/", TenantsView.as_view(), name="ops-api-tenants"),
    path("schema/", staff_member_required(_schema, login_url="admin:login"), name="ops-api-schema"),
    path("docs/", staff_member_required(_page, login_url="admin:login"), name="ops-api-docs"),
    # All else, but for an address that only lacks the slash at its end: Django leads there.
    re_path(r"^(?!(sessions|usage|keys|tenants|schema|docs)$)", UnknownView.as_view()),
]
