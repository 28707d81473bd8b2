"""The doors of a file: its upload and its preview, by signed links (gateway/file_links.py). The link is the credential.

ChatKit's frame comes here by itself, so besides the tenant's websites its origins may read the answers. A picture in a page is
asked for without any Origin; an upload never is.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.http import StreamingHttpResponse

from chat_server import files
from chat_server.conversations import NoSuchRow, Owner
from chat_server.file_rules import IMAGES
from chat_server.files import FileRow
from chat_server.serving.desk import ChatDesk, chat_desk_of
from chat_server.serving.file_door import FileRequest
from chat_server.serving.incoming import receive_file
from gateway import cors
from gateway.admission import find_tenant, limit_address, require_active
from gateway.bulkhead import Bulkhead
from gateway.errors import Code, PublicError, as_public, error_response, json_response
from gateway.file_links import FileAction, FileGrant, read_file_link
from gateway.lean import Answer, LeanRequest
from tenants.snapshot import TenantSnapshot

# Of one address, in this process. A message may have many pictures, and each is asked for anew with each look at the history.
CALLS_PER_MINUTE: Final = 600
# Files on their way here at once, of one tenant and of all; each holds a file descriptor and some 512 KiB.
ROOM: Final = Bulkhead(capacity=32, total=128)
_EXTENSIONS: Final = {"image/jpeg": "jpg"}

Deed = Callable[[ChatDesk, TenantSnapshot, FileRequest, str], Awaitable[Answer]]


async def upload(request: FileRequest, public_id: str, attachment_id: str) -> Answer:
    """PUT the bytes of a file that was announced, and its preflight. Once: a file that is there already stays as it is."""
    return await _serve(request, public_id, attachment_id, _upload, methods="PUT, OPTIONS", needs_origin=True)


async def preview(request: FileRequest, public_id: str, attachment_id: str) -> Answer:
    """GET a picture, and its preflight."""
    return await _serve(request, public_id, attachment_id, _preview, methods="GET, OPTIONS", needs_origin=False)


async def _upload(desk: ChatDesk, tenant: TenantSnapshot, request: FileRequest, attachment_id: str) -> Answer:
    owner, row = await _authorised(desk, tenant, request, attachment_id, FileAction.UPLOAD)
    if not row.is_stored:
        with ROOM.room(tenant.id):
            with await receive_file(request.pieces(), row) as sealed:
                name = await asyncio.to_thread(files.put_into_storage, owner, row.id, sealed)
            await desk.threads.run(lambda: files.note_stored(owner, row.id, name), seconds=files.DATABASE_SECONDS)
    return json_response({})


async def _preview(desk: ChatDesk, tenant: TenantSnapshot, request: FileRequest, attachment_id: str) -> Answer:
    _, row = await _authorised(desk, tenant, request, attachment_id, FileAction.PREVIEW)
    if not row.is_stored:
        raise NoSuchRow
    pieces = files.pieces_of(row)
    # Before the answer begins: what can't be opened is told as such.
    first = await asyncio.to_thread(next, pieces, b"")
    shown = "inline" if row.mime_type in IMAGES else "attachment"
    extension = _EXTENSIONS.get(row.mime_type, row.mime_type.rpartition("/")[2])
    response = StreamingHttpResponse(_streamed(first, pieces), content_type=row.mime_type)
    response["Content-Length"] = str(row.size)
    # Never the visitor's own name of the file.
    response["Content-Disposition"] = f'{shown}; filename="{row.id}.{extension}"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # The frame that shows it comes from another site.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = "private, no-store"
    return response


async def _streamed(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    piece = first
    while piece:
        yield piece
        piece = await asyncio.to_thread(next, pieces, b"")


async def _authorised(
    desk: ChatDesk, tenant: TenantSnapshot, request: LeanRequest, attachment_id: str, action: FileAction
) -> tuple[Owner, FileRow]:
    """Raises PublicError (token_invalid, integration_outdated) and NoSuchRow."""
    grant = read_file_link(
        request.GET.get("link", ""),
        tenant_public_id=tenant.public_id,
        attachment_id=attachment_id,
        action=action,
        now=int(time.time()),
    )
    if grant is None:
        raise PublicError(Code.TOKEN_INVALID, reason="file_link_invalid")
    _require_standing(tenant, grant)
    owner = Owner(tenant.id, grant.assistant_id, grant.visitor_ref, grant.issued_at)
    row = await desk.threads.run(lambda: files.require_unrevoked(owner, attachment_id), seconds=files.DATABASE_SECONDS)
    return owner, row


def _require_standing(tenant: TenantSnapshot, grant: FileGrant) -> None:
    assistant = tenant.assistant_by_id(grant.assistant_id)
    if assistant is None:
        raise NoSuchRow
    epochs = (tenant.credential_epoch, assistant.credential_epoch)
    if epochs != (grant.tenant_epoch, grant.assistant_epoch):
        raise PublicError(Code.TOKEN_INVALID, reason="file_link_epoch")


async def _serve(
    request: FileRequest, public_id: str, attachment_id: str, deed: Deed, *, methods: str, needs_origin: bool
) -> Answer:
    origin = ""
    try:
        desk = chat_desk_of(request)
        tenant = await find_tenant(desk.gateway, public_id)
        require_active(tenant)
        limit_address(desk.gateway, request.client.address, door="file", per_minute=CALLS_PER_MINUTE)
        origin = _origin(tenant, request, needed=needs_origin)
        if request.method == "OPTIONS":
            requested = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            response: Answer = cors.preflight_response(methods=methods, requested_headers=requested)
        elif request.method != methods.partition(",")[0]:
            raise PublicError(Code.METHOD_NOT_ALLOWED, allow=methods)
        else:
            response = await deed(desk, tenant, request, attachment_id)
    except NoSuchRow:
        response = error_response(PublicError(Code.NOT_FOUND, reason="no_such_file"), request_id=request.request_id)
    except (DatabaseError, TimeoutError, OSError) as failure:
        error = PublicError(Code.PLATFORM_UNAVAILABLE, reason=type(failure).__name__[:40])
        response = error_response(error, request_id=request.request_id)
    except Exception as failure:
        response = error_response(as_public(failure, path=_path(request)), request_id=request.request_id)
    cors.vary(response)
    if origin:
        cors.share(response, origin)
    return response


def _origin(tenant: TenantSnapshot, request: LeanRequest, *, needed: bool) -> str:
    """The page or frame that calls, if it may read the answer; blank for a picture. Raises PublicError (origin_…)."""
    origin = str(request.META.get("HTTP_ORIGIN", ""))
    if not origin and not needed:
        return ""
    if origin in settings.CHATKIT_FRAME_ORIGINS or (origin and origin == settings.PREVIEW_ORIGIN):
        return origin
    verdict = tenant.origins.decide(origin or None, now=time.time())
    if not verdict:
        raise PublicError(Code(verdict.reason.code), reason=verdict.reason.value)
    return origin


def _path(request: LeanRequest) -> str:
    return str(request.path).rpartition("/attachments/")[0] + "/attachments/…"
