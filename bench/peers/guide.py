"""(a) The integration guide's view as written, in the project that `django-admin startproject` makes.

Ours: the import of `os` that the guide forgot, an upstream on loopback, and production's DEBUG.
"""

import os
from typing import Any

import requests
from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response


@api_view(["POST"])
def create_chatkit_session(request: Request) -> Response:
    openai_api_key = os.getenv("OPENAI_API_KEY")
    workflow_id = "wf_hard_coded_as_the_guide_has_it"
    url = os.environ["OPENAI_BASE_URL"] + "/chatkit/sessions"
    headers = {
        "Authorization": f"Bearer {openai_api_key}",
        "Content-Type": "application/json",
        "OpenAI-Beta": "chatkit_beta=v1",
    }
    user_id = request.user.username if request.user and request.user.is_authenticated else "anonymous"
    data: dict[str, Any] = {
        "workflow": {"id": workflow_id},
        "user": user_id,
    }
    response = requests.post(url, headers=headers, json=data)  # noqa: S113 as the guide has it
    if response.status_code == 200:
        client_secret = response.json().get("client_secret")
        return Response({"client_secret": client_secret})
    print("ChatKit session creation error:", response.text)
    return Response({"error": response.text}, status=response.status_code)


urlpatterns = [path("api/chatkit/session/", create_chatkit_session)]
application = get_wsgi_application()
