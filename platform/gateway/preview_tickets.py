"""Tickets that let an operator's preview page open a chat, though its origin is on no tenant's list.

Ticket: `pt1.<key id>.<payload>.<mac>`, at most 256 characters (the frame is specified in `encryption.signed`, its
context is the tenant's public id). Payload: issued at (5 bytes, epoch seconds, big-endian), then the assistant's slug, and, where
one version of it is tried instead of the published one, “.” and the version's id (32 hex characters).
The page sends it as `X-Preview-Ticket`; it counts on PREVIEW_ORIGIN only.
"""

import re
import uuid
from dataclasses import dataclass
from typing import Final

from encryption.signed import TokenKind, read_signed, sign

LIFETIME: Final = 5 * 60
# How far the clocks of two of our machines may differ before a ticket seems to come from the future.
CLOCK_SKEW: Final = 30
PREVIEW_TICKET: Final = TokenKind(version="pt1", label="preview-ticket", max_length=256)
_SLUG = re.compile(rb"[A-Za-z0-9_-]{1,80}")
_SUBJECT = re.compile(rb"(?P<slug>[A-Za-z0-9_-]{1,80})(?:\.(?P<version>[0-9a-f]{32}))?")
_TIME_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class PreviewTicket:
    """What a genuine ticket opens: this one assistant of its tenant, until `expires_at` (epoch seconds).

    With a `version_id` that version of what the platform serves, whatever the assistant's backend is yet.
    """

    tenant_public_id: str
    assistant_slug: str
    expires_at: int
    version_id: uuid.UUID | None = None


def mint_preview_ticket(
    *, tenant_public_id: str, assistant_slug: str, now: int, version_id: uuid.UUID | None = None
) -> str:
    """A ticket for five minutes from `now` (epoch seconds); raises ValueError for what is no slug."""
    slug = assistant_slug.encode()
    if not _SLUG.fullmatch(slug):
        raise ValueError("An assistant's slug is 1 to 80 letters, digits, '-' and '_'.")
    version = b"" if version_id is None else b"." + version_id.hex.encode()
    return sign(PREVIEW_TICKET, now.to_bytes(_TIME_BYTES, "big") + slug + version, context=tenant_public_id)


def read_preview_ticket(ticket: str, *, tenant_public_id: str, now: int) -> PreviewTicket | None:
    """What the ticket opens, or None when it is forged, of another tenant or expired.

    The origin is decided before the assistant is known: whoever asks compares `assistant_slug` as soon as it is.
    """
    payload = read_signed(PREVIEW_TICKET, ticket, context=tenant_public_id)
    subject = None if payload is None else _SUBJECT.fullmatch(payload, _TIME_BYTES)
    if payload is None or subject is None:
        return None
    issued_at = int.from_bytes(payload[:_TIME_BYTES], "big")
    if not -CLOCK_SKEW <= now - issued_at < LIFETIME:
        return None
    version = subject["version"]
    return PreviewTicket(
        tenant_public_id=tenant_public_id,
        assistant_slug=subject["slug"].decode(),
        expires_at=issued_at + LIFETIME,
        version_id=None if version is None else uuid.UUID(hex=version.decode()),
    )
