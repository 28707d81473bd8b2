"""(c) The shape of OpenAI's managed-chatkit starter: FastAPI, a visitor's id in a cookie, and a new httpx client per call."""

import os
import uuid
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

COOKIE = "chatkit_session_id"
COOKIE_SECONDS = 30 * 24 * 3600

app = FastAPI()
app.add_middleware(
    CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
)


@app.post("/api/create-session")
async def create_session(request: Request) -> JSONResponse:
    key = os.environ.get("OPENAI_API_KEY")
    if not key:
        return _answer({"error": "Missing OPENAI_API_KEY environment variable"}, 500, None)
    body = await _read_body(request)
    workflow = (body.get("workflow") or {}).get("id") or body.get("workflowId") or os.environ.get("OPENAI_WORKFLOW_ID")
    if not workflow:
        return _answer({"error": "Missing workflow id"}, 400, None)
    user = request.cookies.get(COOKIE)
    cookie = None
    if not user:
        user = cookie = str(uuid.uuid4())
    try:
        async with httpx.AsyncClient(base_url=os.environ["OPENAI_HOST"], timeout=10.0) as client:
            upstream = await client.post(
                "/v1/chatkit/sessions",
                headers={
                    "Authorization": f"Bearer {key}",
                    "OpenAI-Beta": "chatkit_beta=v1",
                    "Content-Type": "application/json",
                },
                json={"workflow": {"id": workflow}, "user": user},
            )
    except httpx.RequestError as error:
        return _answer({"error": f"Failed to reach ChatKit API: {error}"}, 502, cookie)
    payload = upstream.json() if upstream.headers.get("content-type", "").startswith("application/json") else {}
    if not upstream.is_success:
        return _answer({"error": payload.get("error") or upstream.reason_phrase}, upstream.status_code, cookie)
    client_secret = payload.get("client_secret")
    if not client_secret:
        return _answer({"error": "Missing client secret in response"}, 502, cookie)
    return _answer({"client_secret": client_secret, "expires_after": payload.get("expires_after")}, 200, cookie)


async def _read_body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _answer(payload: dict[str, Any], status: int, cookie: str | None) -> JSONResponse:
    response = JSONResponse(payload, status_code=status)
    if cookie is not None:
        response.set_cookie(COOKIE, cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
    return response
