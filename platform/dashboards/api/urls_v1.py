"""What the OpenAPI of the operations API describes: the API under its public prefix, and nothing else of the site."""

from django.urls import include, path

urlpatterns = [path("api/v1/ops/", include("dashboards.api.urls"))]
