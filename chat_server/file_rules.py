"""Which files a visitor may send: what an assistant takes, how large, and whether the bytes are what was announced."""

import codecs
from collections.abc import Callable
from typing import Final

from django.conf import settings

from gateway.errors import Code, PublicError
from tenants.snapshot import AssistantSnapshot

MEGABYTE: Final = 1024 * 1024
# Only these are ever shown in a page; everything else is only given to the model.
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PDF: Final = "application/pdf"
TEXTS: Final = frozenset({"text/plain", "text/csv", "text/markdown"})
_MAX_NAME: Final = 255


class FileRefused(PublicError):
    """A file that is not taken; the message says why and what would be."""

    def __init__(self, code: Code, message: str, *, reason: str, retry_after: float | None = None) -> None:
        super().__init__(code, reason=reason, retry_after=retry_after)
        self.message = message


def require_acceptable(assistant: AssistantSnapshot, *, name: str, mime_type: str, size: int) -> None:
    """Raises FileRefused for what this assistant takes no file of."""
    rules = assistant.settings
    if rules is None or not rules.file_upload_enabled:
        raise FileRefused(
            Code.BODY_INVALID, "This assistant takes no files. The site admin can allow uploads.", reason="files_off"
        )
    accepted = assistant.accepted_file_types
    if mime_type not in accepted:
        raise FileRefused(
            Code.CONTENT_TYPE_INVALID,
            f"This assistant takes no files of this type. It takes {', '.join(accepted)}.",
            reason="file_type_not_accepted",
        )
    most = largest(assistant)
    if not 0 < size <= most:
        code = Code.BODY_TOO_LARGE if size > most else Code.BODY_INVALID
        raise FileRefused(code, f"A file has 1 byte to {most // MEGABYTE} MB here.", reason="file_size")
    if not 0 < len(name) <= _MAX_NAME:
        raise FileRefused(
            Code.BODY_INVALID, f"A file's name has 1 to {_MAX_NAME} characters.", reason="file_name_length"
        )


def largest(assistant: AssistantSnapshot) -> int:
    """In bytes; 0 where the assistant's settings can't be used."""
    own = 0 if assistant.settings is None else assistant.settings.max_file_size_mb
    return min(own, int(settings.CHAT_MAX_FILE_MB)) * MEGABYTE


class Sniffer:
    """Looks at a file piece by piece, and tells at its end whether the bytes are of the announced type.

    Images and PDF by how they begin; a text by being UTF-8 without NUL from the first byte to the last.
    """

    def __init__(self, mime_type: str) -> None:
        self._begins_rightly = _BEGINS.get(mime_type)
        self._head = b""
        self._text = codecs.getincrementaldecoder("utf-8")() if mime_type in TEXTS else None
        self._is_text = self._text is not None

    def look_at(self, piece: bytes) -> None:
        if len(self._head) < _HEAD_BYTES:
            self._head += piece[: _HEAD_BYTES - len(self._head)]
        if self._text is not None and self._is_text:
            self._is_text = self._decodes(piece, final=False)

    def is_of_type(self) -> bool:
        """Whether all that was looked at is a whole file of the type."""
        if self._begins_rightly is not None:
            return self._begins_rightly(self._head)
        return self._is_text and self._decodes(b"", final=True)

    def _decodes(self, piece: bytes, *, final: bool) -> bool:
        if self._text is None or b"\x00" in piece:
            return False
        try:
            self._text.decode(piece, final)
        except UnicodeDecodeError:
            return False
        return True


_HEAD_BYTES: Final = 16
_BEGINS: Final[dict[str, Callable[[bytes], bool]]] = {
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/gif": lambda head: head.startswith((b"GIF87a", b"GIF89a")),
    "image/webp": lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP",
    PDF: lambda head: head.startswith(b"%PDF-"),
}
