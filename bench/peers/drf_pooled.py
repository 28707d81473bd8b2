"""(b) DRF as a careful team would write it: one pooled `requests.Session`, a time-out, JSON only, no needless middleware.

It checks nothing: no origin, no limits, no tenant, no ledger.
"""

import os
import uuid

import requests
from django.core.wsgi import get_wsgi_application
from django.urls import path
from requests.adapters import HTTPAdapter
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

URL = os.environ["OPENAI_BASE_URL"] + "/chatkit/sessions"
WORKFLOW = os.environ["OPENAI_WORKFLOW_ID"]
# As many connections as the worker has threads, so that none is thrown away; the environment is not read for each call.
pool = requests.Session()
pool.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=int(os.environ["THREADS"])))
pool.trust_env = False
pool.verify = os.environ["REQUESTS_CA_BUNDLE"]
pool.headers.update(
    {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}", "OpenAI-Beta": "chatkit_beta=v1"},
)


@api_view(["POST"])
def create_session(request: Request) -> Response:
    asked = request.data
    user = (asked.get("user") if isinstance(asked, dict) else None) or uuid.uuid4().hex
    answer = pool.post(URL, json={"workflow": {"id": WORKFLOW}, "user": user}, timeout=10)
    if answer.status_code != 200:
        return Response({"error": "upstream"}, status=502)
    session = answer.json()
    return Response({"client_secret": session["client_secret"], "expires_at": session["expires_at"], "user": user})


urlpatterns = [path("api/chatkit/session/", create_session)]
application = get_wsgi_application()
