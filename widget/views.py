"""The widget's part of the lean door: the script, and the public configuration that it reads."""

import uuid
from functools import partial
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpResponse, HttpResponseNotModified

from gateway import cors
from gateway.admission import choose_assistant, decide_origin, find_tenant, limit_address, require_active
from gateway.errors import Code, PublicError, as_public, error_response, json_response
from gateway.lean import LeanRequest
from sessions_api.attempt import Attempt
from sessions_api.desk import desk_of
from sessions_api.record_refusal import record_refusal
from tenants.agents import AgentSnapshot, load_agent_version
from tenants.origins import OriginRules, Reason
from tenants.snapshot import AssistantSnapshot
from widget.configuration import public_configuration
from widget.embed import EmbedScript, embed_scripts
from widget.preview_page import preview_page

__all__ = ["chat_script", "configuration", "embed_script", "preview_page"]

CONFIGURATION_METHODS: Final = "GET, OPTIONS"
SCRIPT_METHODS: Final = "GET, HEAD"
# Short enough that a corrected script is everywhere within minutes.
MOVING_CACHE: Final = "public, max-age=300, stale-while-revalidate=86400"
PINNED_CACHE: Final = "public, max-age=31536000, immutable"
# A page asks for its configuration at every view, and opens a chat at few of them.
PAGE_VIEWS_PER_SESSION: Final = 50
DATABASE_SECONDS: Final = 5.0
# Refuses everybody, and tells the well-formed ones from the others by its reason.
_NOBODY: Final = OriginRules(())


async def configuration(request: LeanRequest, public_id: str) -> HttpResponse:
    """GET …/widget/?assistant=slug. Answers and refusals can be read by any page, so that the script can explain itself."""
    desk = desk_of(request)
    attempt = Attempt.of(request)
    try:
        response = await _configure(request, public_id, attempt)
    except Exception as failure:
        error = as_public(failure, path=request.path)
        await record_refusal(desk, attempt, error)
        response = error_response(error, request_id=request.request_id)
        if error.code is Code.METHOD_NOT_ALLOWED:
            response["Allow"] = CONFIGURATION_METHODS
    cors.vary(response)
    origin = request.META.get("HTTP_ORIGIN", "")
    if _NOBODY.decide(origin, now=0).reason is Reason.NOT_ALLOWED:
        cors.share(response, origin)
    return response


async def _configure(request: LeanRequest, public_id: str, attempt: Attempt) -> HttpResponse:
    gateway = desk_of(request).gateway
    tenant = await find_tenant(gateway, public_id)
    attempt.tenant = tenant
    require_active(tenant)
    limit_address(
        gateway,
        attempt.address,
        door="configuration",
        per_minute=PAGE_VIEWS_PER_SESSION * settings.SESSIONS_PER_MINUTE_ADDRESS,
    )
    page = decide_origin(tenant, request)
    if request.method == "OPTIONS":
        # Only a preview's page asks first: its ticket is a header.
        requested = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
        return cors.preflight_response(methods=CONFIGURATION_METHODS, requested_headers=requested)
    if request.method != "GET":
        raise PublicError(Code.METHOD_NOT_ALLOWED, reason="method_not_allowed")
    assistant = choose_assistant(page, request.GET.get("assistant") or None)
    attempt.assistant_slug = assistant.slug
    tried = None if page.preview_version is None else await _version(request, assistant, page.preview_version)
    return json_response(public_configuration(page, assistant, tried=tried))


async def _version(request: LeanRequest, assistant: AssistantSnapshot, version_id: uuid.UUID) -> AgentSnapshot | None:
    read = partial(load_agent_version, assistant.id, version_id)
    try:
        return await desk_of(request).threads.run(read, seconds=DATABASE_SECONDS)
    except (DatabaseError, InterfaceError, TimeoutError) as failure:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="database_silent") from failure


async def embed_script(request: LeanRequest, version: str | None = None) -> HttpResponse:
    """The current script, or the release that is named; public, for every page on earth."""
    scripts = embed_scripts()
    script = scripts.current if version is None else scripts.by_version.get(version)
    return _serve(request, script, MOVING_CACHE if version is None else PINNED_CACHE)


async def chat_script(request: LeanRequest, version: str) -> HttpResponse:
    """The part that a release's launcher fetches when a chat is opened."""
    return _serve(request, embed_scripts().chats.get(version), PINNED_CACHE)


def _serve(request: LeanRequest, script: EmbedScript | None, cache_control: str) -> HttpResponse:
    if script is None:
        raise PublicError(Code.NOT_FOUND, reason="no_such_release")
    if request.method not in {"GET", "HEAD"}:
        raise PublicError(Code.METHOD_NOT_ALLOWED, reason="method_not_allowed", allow=SCRIPT_METHODS)
    return _script_response(request, script, cache_control)


def _script_response(request: LeanRequest, script: EmbedScript, cache_control: str) -> HttpResponse:
    is_zipped = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    etag = f'"{script.etag}{"-gzip" if is_zipped else ""}"'
    response: HttpResponse
    if etag in [tag.strip().removeprefix("W/") for tag in request.META.get("HTTP_IF_NONE_MATCH", "").split(",")]:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(
            script.zipped if is_zipped else script.body, content_type="text/javascript; charset=utf-8"
        )
        if is_zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    response["Cache-Control"] = cache_control
    response["Vary"] = "Accept-Encoding"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
