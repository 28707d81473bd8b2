"""ChatKit's server of `openai-chatkit` on our store, for all tenants at once: whose request it is, the context says."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from chatkit.actions import Action
from chatkit.server import ChatKitServer
from chatkit.types import (
    AudioInput,
    FeedbackKind,
    NonStreamingReq,
    StreamingReq,
    SyncCustomActionResponse,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
    WidgetItem,
)

from chat_server import conversations as rows
from chat_server.serving.actions import act, keep_widget
from chat_server.serving.attachments import AttachmentFiles
from chat_server.serving.context import ChatContext
from chat_server.serving.endings import serialize
from chat_server.serving.respond import respond
from chat_server.serving.store import ConversationStore, ask
from gateway.errors import Code, PublicError


class PlatformChatKitServer(ChatKitServer[ChatContext]):
    """One per process. `process` of the package is not used: it would parse the request once more, and logs it."""

    def __init__(self) -> None:
        super().__init__(ConversationStore(), AttachmentFiles())

    async def events(self, request: StreamingReq, context: ChatContext) -> AsyncGenerator[bytes, None]:
        """Server-sent events. What is wrong with the request itself is raised before the first."""
        async for event in self._process_streaming_impl(request, context):
            yield serialize(event)

    async def answer(self, request: NonStreamingReq, context: ChatContext) -> bytes:
        return await self._process_non_streaming(request, context)

    def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: ChatContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        return respond(self, thread, input_user_message, context)

    def action(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: ChatContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        return act(self, thread, action, sender, context)

    async def sync_action(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: ChatContext
    ) -> SyncCustomActionResponse:
        return keep_widget()

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: ChatContext
    ) -> None:
        await ask(context, lambda: rows.note_feedback(context.owner, thread_id, item_ids, feedback))

    async def transcribe(self, audio_input: AudioInput, context: ChatContext) -> TranscriptionResult:
        refusal = PublicError(Code.BODY_INVALID, reason="no_transcription")
        refusal.message = "Dictation (input.transcribe) is not supported. Leave composer.dictation off."
        raise refusal
