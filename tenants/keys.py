"""The deeds on a tenant's OpenAI key: add, replace, retire, open. Only here is a key sealed or opened."""

import hmac
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from encryption.models import site_secret
from encryption.secret import Secret
from encryption.vault import Binding, open_token, seal
from tenants.audit_subjects import subject_of
from tenants.key_text import KeyProblem as KeyProblem
from tenants.key_text import KeyRefused as KeyRefused
from tenants.key_text import read_key_text as read_key_text
from tenants.models import ApiKey, AssistantKey, ReplacedKey, Tenant, Verdict
from tenants.models.epoch import SEEN_WITHIN
from tenants.signals import access_withdrawn, key_changed

PURPOSE: Final = "api_key"
# As long as a session lives that it opened, which may be one from the last moment in which a process still had it.
REPLACED_KEPT_FOR: Final = timedelta(seconds=600) + SEEN_WITHIN


def key_binding(key: ApiKey) -> Binding:
    """The one place where this key's token opens: its tenant's row of this id."""
    return Binding(owner=key.tenant_id, purpose=PURPOSE, row=key.id)


def open_key(key: ApiKey) -> Secret:
    """The key itself; raises SecretError for a token that was altered or moved from another row."""
    return open_token(key.token, key_binding(key))


def open_replaced(replaced: ReplacedKey) -> Secret:
    """The key that stood in the row before; raises SecretError."""
    return open_token(replaced.token, key_binding(replaced.key))


def fingerprint_of(plaintext: Secret) -> str:
    """16 hex characters that tell whether two keys are the same, and nothing else to whoever lacks the site's secret."""
    mac = hmac.digest(site_secret("fingerprint").reveal().encode(), plaintext.reveal().encode(), "sha256")
    return mac[:8].hex()


def same_elsewhere(key: ApiKey) -> list[ApiKey]:
    """Other rows that hold this very key: allowed, but seldom meant."""
    others = ApiKey.objects.filter(fingerprint=key.fingerprint, retired_at__isnull=True).exclude(pk=key.pk)
    return list(others.select_related("tenant").defer("token"))


@transaction.atomic
def add_key(
    *, tenant: Tenant, label: str, plaintext: Secret, actor: Actor, organization: str = "", project: str = ""
) -> ApiKey:
    """Stores a key for the tenant and asks for its check; raises ValidationError for a label that the tenant has already."""
    key = ApiKey(tenant=tenant, label=label, organization=organization, project=project)
    _take(key, plaintext)
    key.full_clean()
    key.save(force_insert=True)
    key_changed.send(sender=ApiKey, key_id=key.id)
    record(
        Action.KEY_ADDED,
        actor=actor,
        subject=subject_of(key),
        changes=described(
            ["label", "key", *(["organization"] if organization else []), *(["project"] if project else [])],
            {"label": {"old": None, "new": label}, "key": {"old": None, "new": key.fingerprint}},
        ),
    )
    return key


@transaction.atomic
def replace_key(*, key: ApiKey, plaintext: Secret, actor: Actor) -> ApiKey:
    """Puts another key into the same row, so that every assistant goes on with it; what was known of the old one is forgotten.

    Live sessions are left alone: they don't depend on the key that opened them. Its ciphertext is kept while one of them could
    still have to be cancelled. Raises KeyIsRetired.
    """
    key = ApiKey.objects.select_related("tenant").lock(key.pk)
    _require_in_use(key)
    before, now = key.fingerprint, timezone.now()
    ReplacedKey.objects.create(key=key, token=key.token, replaced_at=now)
    _take(key, plaintext)
    key.verdict, key.verdict_since, key.checked_at = Verdict.UNCHECKED, now, None
    key.save()
    AssistantKey.objects.filter(key=key).update(verdict=Verdict.UNCHECKED, verdict_since=now, checked_at=None)
    key_changed.send(sender=ApiKey, key_id=key.id)
    record(
        Action.KEY_REPLACED,
        actor=actor,
        subject=subject_of(key),
        changes=described(["key"], {"key": {"old": before, "new": key.fingerprint}}),
    )
    return key


def forget_replaced() -> int:
    """Removes the ciphertext of replaced keys that no live session can need any more; gives their number."""
    return ReplacedKey.objects.filter(replaced_at__lt=timezone.now() - REPLACED_KEPT_FOR).delete()[0]


@transaction.atomic
def retire_key(*, key: ApiKey, actor: Actor) -> ApiKey:
    """Takes a key out of use for good, and its live sessions with it. Raises KeyIsRetired."""
    key = ApiKey.objects.select_related("tenant").lock(key.pk)
    _require_in_use(key)
    key.retired_at = timezone.now()
    key.save(update_fields=["retired_at"])
    access_withdrawn.send(
        sender=ApiKey, tenant_id=key.tenant_id, key_id=key.id, assistant_id=None, reason="key_retired"
    )
    record(
        Action.KEY_RETIRED,
        actor=actor,
        subject=subject_of(key),
        changes=described(["retired_at"], {"key": {"old": key.fingerprint, "new": None}}),
    )
    return key


class KeyIsRetired(Exception):
    """A retired key stays retired."""

    def __init__(self) -> None:
        super().__init__("This key is retired, which is final. Add a new key instead.")


def _require_in_use(key: ApiKey) -> None:
    if key.is_retired:
        raise KeyIsRetired


def _take(key: ApiKey, plaintext: Secret) -> None:
    key.token = seal(plaintext, key_binding(key))
    key.last_four = plaintext.reveal()[-4:]
    key.fingerprint = fingerprint_of(plaintext)
