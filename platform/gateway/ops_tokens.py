"""Machines' read tokens: `ops_<43 characters>`, 256 random bits, of which only a SHA-256 is kept.

A plain hash is right here: the token is random, not a password, so there is nothing to guess.
"""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.actions import Action
from audit.record import Actor, Subject, record
from gateway.models import OpsScope, OpsToken

PREFIX = "ops_"
# 32 random bytes in base64url.
_SHAPE: Final = re.compile(r"ops_[A-Za-z0-9_-]{43}", re.ASCII)


def issue_ops_token(
    *, label: str, scopes: list[str], actor: Actor, created_by: Any = None, expires_at: datetime | None = None
) -> tuple[OpsToken, str]:
    """Makes a token; its text is returned this once. Raises ValueError for an unknown scope."""
    unknown = set(scopes) - set(OpsScope.values)
    if unknown or not scopes:
        raise ValueError(f"Choose scopes out of: {', '.join(OpsScope.values)}.")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = OpsToken.objects.create(
            label=label,
            prefix=text[:10],
            digest=_digest(text),
            scopes=sorted(scopes),
            created_by=created_by,
            expires_at=expires_at,
        )
        record(Action.OPS_TOKEN_CREATED, actor=actor, subject=_subject(token), changes={"scopes": token.scopes})
    return token, text


def revoke_ops_token(*, token: OpsToken, actor: Actor) -> None:
    """Final: a revoked token never works again."""
    with transaction.atomic():
        if not OpsToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            return
        record(Action.OPS_TOKEN_REVOKED, actor=actor, subject=_subject(token))


def is_shaped_like_a_token(text: str) -> bool:
    """Told without I/O: what is not isn't worth a look at the database."""
    return _SHAPE.fullmatch(text) is not None


def find_ops_token(text: str) -> OpsToken | None:
    """The token of this text where it exists, is not revoked and has not expired."""
    if not is_shaped_like_a_token(text):
        return None
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return OpsToken.objects.filter(alive, digest=_digest(text), revoked_at=None).first()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _subject(token: OpsToken) -> Subject:
    return Subject("OpsToken", str(token.pk), token.label)
