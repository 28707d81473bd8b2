"""Files in ChatKit's protocol: announced here, uploaded and shown by signed links (file_views.py), taken up by messages."""

import json
from typing import Final

from chatkit.store import AttachmentStore
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    StreamingReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
)

from chat_server import files
from chat_server.file_rules import FileRefused, require_acceptable
from chat_server.sealing import ATTACHMENT, new_id
from chat_server.serving.attached import attachment_of, max_files
from chat_server.serving.context import ChatContext
from chat_server.serving.store import ask
from gateway.errors import Code

# Whoever fills a message with the most files may have another one in the making.
_UNUSED_PER_FILE_OF_A_MESSAGE: Final = 2


class AttachmentFiles(AttachmentStore[ChatContext]):
    """What the protocol asks of files; the rows are chat_server/files.py's."""

    def generate_attachment_id(self, mime_type: str, context: ChatContext) -> str:
        return new_id(ATTACHMENT)

    async def create_attachment(self, input: AttachmentCreateParams, context: ChatContext) -> Attachment:
        """Announces a file; raises FileRefused for one that the assistant does not take."""
        require_acceptable(context.assistant, name=input.name, mime_type=input.mime_type, size=input.size)
        attachment_id = self.generate_attachment_id(input.mime_type, context)
        meta = json.dumps({"name": input.name}).encode()
        most_unused = _UNUSED_PER_FILE_OF_A_MESSAGE * max_files(context)

        def work() -> None:
            files.announce(
                context.owner,
                attachment_id,
                meta=meta,
                mime_type=input.mime_type,
                size=input.size,
                most_unused=most_unused,
            )

        await ask(context, work)
        return attachment_of(context, attachment_id, input.mime_type, input.name, thread_id=None, is_stored=False)

    async def delete_attachment(self, attachment_id: str, context: ChatContext) -> None:
        """Nothing: the row takes its file with it, and the store, which is asked next, deletes the row."""


async def require_files(call: StreamingReq, context: ChatContext) -> None:
    """Looks at a message's files before anything is begun. Raises FileRefused for too many, NotFoundError for others."""
    if not isinstance(call, ThreadsCreateReq | ThreadsAddUserMessageReq) or not call.params.input.attachments:
        return
    attachment_ids = call.params.input.attachments
    most = max_files(context)
    if len(attachment_ids) > most or len(set(attachment_ids)) != len(attachment_ids):
        raise FileRefused(Code.BODY_INVALID, f"A message may have {most} files, each once.", reason="files_in_message")
    await ask(context, lambda: files.require_usable(context.owner, attachment_ids))
