"""What the model is shown of a conversation: its latest part within a budget, oldest first.

A store is paged newest first until the budget is spent. Files are shown with the messages that they came with, the latest
first, within a budget of their own; of older ones the model reads that they were there.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agents.items import TResponseInputItem
from chatkit.agents import ThreadItemConverter
from chatkit.types import (
    Attachment,
    ClientToolCallItem,
    HiddenContextItem,
    StructuredInputItem,
    ThreadItem,
    UserMessageContent,
    UserMessageInput,
    UserMessageItem,
    UserMessageTagContent,
)

from chat_server.conversations import NoSuchRow

MOST_ITEMS: Final = 200
MOST_CHARS: Final = 60_000
PAGE: Final = 50
MOST_FILES: Final = 10
MOST_FILE_BYTES: Final = 20 * 1024 * 1024
MOST_TAG_CHARS: Final = 2_000
# Beside text, what OpenAI reads.
_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_DOCUMENTS: Final = frozenset({"application/pdf", "application/json"})

ReadFile = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Conversation:
    """`turns` counts the answers of page and visitor to calls and questions since the last message: each ended a run."""

    items: list[TResponseInputItem]
    turns: int


async def load_conversation(
    store: Any,
    thread_id: str,
    context: Any,
    *,
    most_chars_of_message: int,
    read_file: ReadFile,
    only_message: UserMessageItem | None = None,
) -> Conversation:
    """Raises what the store raises. A message above the limit stays out: it was refused when it came.

    `only_message` is the whole of a conversation that has just begun: the store is not asked.
    """
    latest: list[ThreadItem] = (
        await _latest(store, thread_id, context, most_chars_of_message) if only_message is None else [only_message]
    )
    files = await _files_of(latest, read_file)
    converter = _Converter(files)
    items = await converter.to_agent_input(latest[::-1])
    return Conversation(items, _turns_since_message(latest))


def length_of(message: UserMessageItem | UserMessageInput) -> int:
    """In characters, with quoted text, and with what the model is shown of a tag's data."""
    return sum(_length_of_part(part) for part in message.content) + len(message.quoted_text or "")


def _length_of_part(part: UserMessageContent) -> int:
    if isinstance(part, UserMessageTagContent):
        return min(len(_shown_of_tag(part)), MOST_TAG_CHARS)
    return len(part.text)


async def _latest(store: Any, thread_id: str, context: Any, most_chars_of_message: int) -> list[ThreadItem]:
    """Newest first; the newest whatever its length."""
    chosen: list[ThreadItem] = []
    chars = 0
    after: str | None = None
    while True:
        page = await store.load_thread_items(thread_id, after, PAGE, "desc", context)
        for item in page.data:
            if isinstance(item, UserMessageItem) and length_of(item) > most_chars_of_message:
                continue
            chars += _chars_of(item)
            if chosen and (chars > MOST_CHARS or len(chosen) >= MOST_ITEMS):
                return chosen
            chosen.append(item)
        if not page.has_more or not page.after or page.after == after:
            return chosen
        after = page.after


def _chars_of(item: ThreadItem) -> int:
    if isinstance(item, UserMessageItem):
        return length_of(item)
    content = getattr(item, "content", None)
    if isinstance(content, list):
        return sum(len(part.text) for part in content)
    return len(item.model_dump_json(exclude={"id", "thread_id", "created_at"}))


def _turns_since_message(latest: Sequence[ThreadItem]) -> int:
    turns = 0
    for item in latest:
        if isinstance(item, UserMessageItem):
            break
        turns += isinstance(item, ClientToolCallItem | StructuredInputItem)
    return turns


async def _files_of(latest: Sequence[ThreadItem], read_file: ReadFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    room = MOST_FILE_BYTES
    for item in latest:
        for attachment in item.attachments if isinstance(item, UserMessageItem) else ():
            if len(files) >= MOST_FILES or not _is_readable(attachment.mime_type):
                continue
            try:
                content = await read_file(attachment.id)
            except NoSuchRow:
                # Deleted meanwhile: the model reads that it was there.
                continue
            if len(content) <= room:
                room -= len(content)
                files[attachment.id] = content
    return files


def _is_readable(mime_type: str) -> bool:
    return mime_type in _IMAGES or mime_type in _DOCUMENTS or mime_type.startswith("text/")


class _Converter(ThreadItemConverter):
    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    async def attachment_to_message_content(self, attachment: Attachment) -> Any:
        content = self._files.get(attachment.id)
        if content is None:
            return _text(f"[The visitor sent the file “{attachment.name}”, which is not shown here.]")
        data = f"data:{attachment.mime_type};base64,{base64.b64encode(content).decode()}"
        if attachment.mime_type in _IMAGES:
            return {"type": "input_image", "detail": "auto", "image_url": data}
        return {"type": "input_file", "filename": attachment.name, "file_data": data}

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> Any:
        return _text(_shown_of_tag(tag)[:MOST_TAG_CHARS])

    async def hidden_context_to_input(self, item: HiddenContextItem) -> Any:
        if not isinstance(item.content, str):
            content = json.dumps(item.content, ensure_ascii=False, default=str)
            item = item.model_copy(update={"content": content})
        return await super().hidden_context_to_input(item)


def _shown_of_tag(tag: UserMessageTagContent) -> str:
    return json.dumps({"id": tag.id, "text": tag.text, "data": tag.data}, ensure_ascii=False, default=str)


def _text(text: str) -> dict[str, str]:
    return {"type": "input_text", "text": text}
