"""Addresses of the lean door: what pages, load balancers and scrapers ask for."""

from django.urls import path

from dashboards.probes import livez, metrics, readyz
from sessions_api.views import end, session
from widget.views import chat_script, configuration, embed_script

urlpatterns = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("api/v1/tenants/<str:public_id>/chatkit/session/", session, name="session"),
    path("api/v1/tenants/<str:public_id>/chatkit/session/end/", end, name="session-end"),
    path("api/v1/tenants/<str:public_id>/widget/", configuration, name="widget-configuration"),
    path("widget/v1/embed.js", embed_script, name="embed-script"),
    path("widget/<str:version>/embed.js", embed_script, name="embed-script-pinned"),
    path("widget/<str:version>/chat.js", chat_script, name="embed-chat"),
]
