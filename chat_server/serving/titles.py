"""What a conversation is called in the visitor's list: the beginning of the first message, without asking a model."""

import re
from typing import Final

from chatkit.types import ThreadMetadata, UserMessageItem, UserMessageTextContent

LONGEST: Final = 60
_BLANKS = re.compile(r"\s+")


def name_thread(thread: ThreadMetadata, message: UserMessageItem | None) -> None:
    """Give the thread a title, unless it has one or the message holds no words."""
    if thread.title or message is None:
        return
    text = title_of(" ".join(part.text for part in message.content if isinstance(part, UserMessageTextContent)))
    if text:
        thread.title = text


def title_of(text: str) -> str:
    """At most 60 characters, cut between words where there are any."""
    # No more of a long message is looked at than could be shown.
    text = _BLANKS.sub(" ", text[: LONGEST * 4]).strip()
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 1]
    head, blank, _ = cut.rpartition(" ")
    return (head if blank and len(head) >= LONGEST // 2 else cut).rstrip(" ,;:.-–") + "…"
