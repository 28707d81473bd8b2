"""`/v1` as a server with an API key sees it: sessions and threads.

Order of refusals, as recorded: key (401), beta header (400), body (400), workflow (404).
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox import errors
from sandbox.calls import ENTRY, WORLD, answer, authenticate, bearer_of, read_json
from sandbox.session_request import bounded, read_session_request
from sandbox.threads import Page, Thread, page_of

DEFAULT_LIMIT = 20
HIGHEST_LIMIT = 100
LONGEST_USER = 512
UPLOAD_TYPES = ("application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp")


def add_routes(app: web.Application) -> None:
    app.router.add_post("/v1/chatkit/sessions", create_session)
    app.router.add_post("/v1/chatkit/sessions/{id}/cancel", cancel_session)
    app.router.add_get("/v1/chatkit/threads", list_threads, allow_head=False)
    app.router.add_get("/v1/chatkit/threads/{id}", show_thread, allow_head=False)
    app.router.add_delete("/v1/chatkit/threads/{id}", delete_thread)
    app.router.add_get("/v1/chatkit/threads/{id}/items", list_items, allow_head=False)
    app.router.add_post("/v1/chatkit/files", upload_file)


async def create_session(request: web.Request) -> web.Response:
    key = authenticate(request)
    body = await read_json(request)
    entry = request[ENTRY]
    entry.body = body
    entry.user, entry.workflow = _told(body)
    wanted = read_session_request(body)
    world = request.app[WORLD]
    project = world.accounts.project(key.project)
    if not project.has_workflow(wanted.workflow_id):
        raise errors.workflow_not_found(wanted.workflow_id)
    project.workflows.add(wanted.workflow_id)  # Those of the open project become known by being used.
    session, secret = world.sessions.grant(wanted, project=key.project, key=key.fingerprint)
    entry.session = session.id
    return answer(session.answer(secret))


async def cancel_session(request: web.Request) -> web.Response:
    key = authenticate(request)
    session_id = request.match_info["id"]
    if not session_id.startswith("cksess"):
        raise errors.bad_id("session_id", session_id, "cksess")
    session = request.app[WORLD].sessions.find(session_id, project=key.project)
    if session is None:
        raise errors.session_not_found(session_id)
    session.cancelled = True
    entry = request[ENTRY]
    entry.session, entry.user, entry.workflow = session.id, session.user, session.workflow["id"]
    return answer(session.answer())


async def list_threads(request: web.Request) -> web.Response:
    key = authenticate(request)
    user = request.query.get("user")
    if user is not None and not 1 <= len(user) <= LONGEST_USER:
        raise errors.invalid_value("user", f"Expected a string of 1 to {LONGEST_USER} characters.")
    request[ENTRY].user = user
    rows = request.app[WORLD].threads.of(project=key.project, user=user)
    return answer(_listing(_page(request, rows)))


async def show_thread(request: web.Request) -> web.Response:
    return answer(_thread(request).resource())


async def delete_thread(request: web.Request) -> web.Response:
    thread = _thread(request)
    request.app[WORLD].threads.delete(thread)
    return answer({"id": thread.id, "object": "chatkit.thread.deleted", "deleted": True})


async def list_items(request: web.Request) -> web.Response:
    return answer(_listing(_page(request, _thread(request).items)))


async def upload_file(request: web.Request) -> web.Response:
    """The component's upload: the client secret is presented, and the session must allow uploads."""
    session = request.app[WORLD].sessions.of_secret(bearer_of(request))
    if session is None:
        raise errors.expired_client_secret()
    if not session.configuration["file_upload"]["enabled"]:
        raise errors.uploads_disabled()
    if not request.content_type.startswith("multipart/"):
        raise errors.missing_parameter("file")
    part = (await request.post()).get("file")
    if not isinstance(part, web.FileField):
        raise errors.missing_parameter("file")
    if part.content_type not in UPLOAD_TYPES:
        raise errors.upload_type_rejected()
    kind = "image" if part.content_type.startswith("image/") else "file"
    name = f"cfile_{session.id.removeprefix('cksess_')[:24]}"
    body = {"id": name, "type": kind, "name": part.filename, "mime_type": part.content_type, "upload_url": None}
    return answer({**body, "preview_url": None} if kind == "image" else body)


def _thread(request: web.Request) -> Thread:
    key = authenticate(request)
    thread_id = request.match_info["id"]
    if not thread_id.startswith("cthr"):
        raise errors.bad_id("thread_id", thread_id, "cthr")
    thread = request.app[WORLD].threads.find(thread_id, project=key.project)
    if thread is None:
        raise errors.thread_not_found(thread_id)
    request[ENTRY].user = thread.user
    return thread


def _page(request: web.Request, rows: list[Any]) -> Page[Any]:
    query = request.query
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise errors.invalid_value("order", f"'{order[:32]}'. Supported values are: 'asc' and 'desc'.")
    try:
        return page_of(
            rows,
            limit=_limit(query.get("limit")),
            descending=order == "desc",
            after=query.get("after"),
            before=query.get("before"),
        )
    except KeyError:
        name = "after" if query.get("after") else "before"
        raise errors.invalid_value(name, "no such object in this list.") from None


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit():
        raise errors.invalid_type("limit", "an integer", "a string")
    return bounded("limit", int(text[:9]), lowest=0, highest=HIGHEST_LIMIT)


def _listing(page: Page[Any]) -> dict[str, Any]:
    rows = [row.resource() for row in page.rows]
    return {
        "object": "list",
        "data": rows,
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
        "has_more": page.has_more,
    }


def _told(body: Any) -> tuple[str | None, str | None]:
    """User and workflow id as they came, for the journal."""
    if not isinstance(body, dict):
        return None, None
    user, workflow = body.get("user"), body.get("workflow")
    workflow_id = workflow.get("id") if isinstance(workflow, dict) else None
    return (user if isinstance(user, str) else None), (workflow_id if isinstance(workflow_id, str) else None)
