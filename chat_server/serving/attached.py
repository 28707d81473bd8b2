"""Files as ChatKit's types have them, with links that count from now on.

Links are made anew whenever a file or a message with one is given to the page, and none lives longer than 10 minutes.
"""

import json
import time

from chatkit.types import (
    Attachment,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
    ThreadItem,
    UserMessageItem,
)
from django.conf import settings
from pydantic import AnyUrl

from chat_server.conversations import NoSuchRow
from chat_server.file_rules import IMAGES
from chat_server.files import FileRow
from chat_server.serving.context import ChatContext
from gateway.file_links import FileAction, FileGrant, mint_file_link


def stored_attachment(row: FileRow, context: ChatContext) -> Attachment:
    """For a message that is to have it: only a file that was uploaded. Raises NoSuchRow."""
    if not row.is_stored:
        raise NoSuchRow
    name = json.loads(row.meta)["name"]
    return attachment_of(context, row.id, row.mime_type, name, thread_id=row.thread_id, is_stored=True)


def with_fresh_links(item: ThreadItem, context: ChatContext) -> ThreadItem:
    """The item as the page is to get it: links to its pictures count from now on."""
    if not isinstance(item, UserMessageItem) or not item.attachments:
        return item
    fresh = [
        attachment_of(context, each.id, each.mime_type, each.name, thread_id=each.thread_id, is_stored=True)
        for each in item.attachments
    ]
    return item.model_copy(update={"attachments": fresh})


def attachment_of(
    context: ChatContext, attachment_id: str, mime_type: str, name: str, *, thread_id: str | None, is_stored: bool
) -> Attachment:
    upload = None
    if not is_stored:
        link = _link(context, attachment_id, FileAction.UPLOAD)
        upload = AttachmentUploadDescriptor(url=AnyUrl(link), method="PUT", headers={"Content-Type": mime_type})
    if mime_type in IMAGES:
        return ImageAttachment(
            id=attachment_id,
            name=name,
            mime_type=mime_type,
            upload_descriptor=upload,
            thread_id=thread_id,
            preview_url=AnyUrl(_link(context, attachment_id, FileAction.PREVIEW)),
        )
    return FileAttachment(
        id=attachment_id, name=name, mime_type=mime_type, upload_descriptor=upload, thread_id=thread_id
    )


def max_files(context: ChatContext) -> int:
    return 0 if context.assistant.settings is None else context.assistant.settings.max_files


def _link(context: ChatContext, attachment_id: str, action: FileAction) -> str:
    grant = FileGrant(
        action=action,
        attachment_id=attachment_id,
        assistant_id=context.grant.assistant_id,
        visitor_ref=context.grant.visitor_ref,
        issued_at=int(time.time()),
        tenant_epoch=context.grant.tenant_epoch,
        assistant_epoch=context.grant.assistant_epoch,
    )
    public_id = context.tenant.public_id
    deed = "upload/" if action is FileAction.UPLOAD else ""
    base = f"{settings.PLATFORM_URL}/api/v1/tenants/{public_id}/chatkit/attachments/{attachment_id}/{deed}"
    return f"{base}?link={mint_file_link(grant, tenant_public_id=public_id)}"
