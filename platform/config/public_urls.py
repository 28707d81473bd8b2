"""Addresses of the lean door: what pages, load balancers and scrapers ask for."""

from django.urls import path

from dashboards.probes import livez, metrics, readyz
from dashboards.probes import livez, metrics, readyz
from sessions_api.views import session

urlpatterns = [
    path("livez", livez),
    path("readyz", readyz),
    path("metrics", metrics),
    path("api/v1/tenants/<str:public_id>/chatkit/session/", session, name="session"),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
