"""Addresses of the stock door: console, operations API, widget files, probes. The public door has its own (gateway/urls.py)."""

from django.contrib import admin
from django.urls import include, path

from console.reauthentication import reauthenticate
from dashboards.views import operations

urlpatterns = [
    path("admin/reauthenticate/", reauthenticate, name="reauthenticate"),
    path("admin/operations/", admin.site.admin_view(operations), name="operations"),
    path("api/v1/ops/", include("dashboards.api.urls")),
    path("admin/", admin.site.urls),
]
