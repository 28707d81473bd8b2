"""The deeds on what a tenant signs its visitors with: add a secret or a public key, retire it. Only here is a secret opened."""

import logging
import secrets
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from encryption.secret import Secret
from encryption.vault import Binding, SecretError, open_token, seal
from tenants.audit_subjects import subject_of
from tenants.keys import fingerprint_of
from tenants.models import IdentityAlgorithm, IdentityKey, IdentityMode, Tenant
from tenants.signals import identity_withdrawn
from tenants.verifying_keys import IdentityRules, PublicKey, PublicKeyRefused, VerifyingKey, read_public_key

logger = logging.getLogger(__name__)

PURPOSE: Final = "identity_key"
# So that the key can be changed without a moment in which good tokens are refused.
MOST_ACTIVE: Final = 2
# In these modes a good token opens what a bad one doesn't.
ENFORCING: Final = frozenset({IdentityMode.OPTIONAL, IdentityMode.REQUIRED})
# Tells whoever finds one what it is; the rest has 256 random bits.
SECRET_START: Final = "ckp_sign_"


class IdentityKeyRefused(Exception):
    """The deed can't be done; the message says why and what to do."""


def identity_binding(key: IdentityKey) -> Binding:
    """The one place where this key's token opens: its tenant's row of this id."""
    return Binding(owner=key.tenant_id, purpose=PURPOSE, row=key.id)


def active_keys(tenant: Tenant, algorithm: str) -> list[IdentityKey]:
    """Those that count once this is the tenant's algorithm, oldest first."""
    found = IdentityKey.objects.filter(tenant=tenant, algorithm=algorithm, retired_at__isnull=True)
    return list(found.order_by("created_at", "pk"))


def rules_of(tenant: Tenant) -> IdentityRules:
    """What the public door must know; a key that can't be opened is left out and logged."""
    if tenant.identity_mode == IdentityMode.OFF:
        return IdentityRules(tenant.identity_mode, tenant.identity_algorithm)
    return IdentityRules(
        mode=tenant.identity_mode,
        algorithm=tenant.identity_algorithm,
        claims=tuple(tenant.identity_claims),
        keys=verifying_keys(tenant),
    )


def verifying_keys(tenant: Tenant) -> tuple[VerifyingKey, ...]:
    """The active keys of the tenant's algorithm, opened."""
    keys = []
    for key in active_keys(tenant, tenant.identity_algorithm):
        try:
            if key.algorithm == IdentityAlgorithm.HS256:
                keys.append(VerifyingKey(key.id, key.label, open_token(key.token, identity_binding(key))))
            else:
                keys.append(VerifyingKey(key.id, key.label, read_public_key(key.public_key).material))
        except (SecretError, PublicKeyRefused):
            logger.exception("The signing key %s of tenant %s cannot be used", key.id, tenant.id)
    return tuple(keys)


@transaction.atomic
def add_secret(*, tenant: Tenant, label: str, actor: Actor) -> tuple[IdentityKey, Secret]:
    """Makes a shared secret for HS256. It is given back this once, and can never be shown again.

    Raises ValidationError for a bad label, IdentityKeyRefused where two are active.
    """
    secret = Secret(SECRET_START + secrets.token_urlsafe(32))
    key = IdentityKey(tenant=tenant, label=label, algorithm=IdentityAlgorithm.HS256, fingerprint=fingerprint_of(secret))
    key.token = seal(secret, identity_binding(key))
    _add(key, actor)
    return key, secret


@transaction.atomic
def add_public_key(*, tenant: Tenant, label: str, public_key: PublicKey, actor: Actor) -> IdentityKey:
    """Takes a public key; its kind says for which algorithm. Raises as `add_secret` does."""
    key = IdentityKey(
        tenant=tenant,
        label=label,
        algorithm=public_key.algorithm,
        public_key=public_key.pem,
        fingerprint=public_key.fingerprint,
    )
    _add(key, actor)
    return key


def _add(key: IdentityKey, actor: Actor) -> None:
    tenant = Tenant.objects.lock(key.tenant_id)
    active = active_keys(tenant, key.algorithm)
    if len(active) >= MOST_ACTIVE:
        raise IdentityKeyRefused(
            f"Two keys for {key.algorithm} are active already. Retire the one that your server signs with no longer."
        )
    if any(other.fingerprint == key.fingerprint for other in active):
        raise IdentityKeyRefused("This very key is active already.")
    # Also what a reload of the page that shows a secret once would ask for: a second one that nobody wanted.
    if any(other.label == key.label for other in active):
        raise IdentityKeyRefused(
            f"An active key has the label “{key.label}” already. Choose another one, to tell them apart."
        )
    key.full_clean()
    key.save(force_insert=True)
    record(
        Action.IDENTITY_KEY_ADDED,
        actor=actor,
        subject=subject_of(key),
        changes=described(
            ["label", "algorithm", "key"],
            {
                "label": {"old": None, "new": key.label},
                "algorithm": {"old": None, "new": key.algorithm},
                "key": {"old": None, "new": key.fingerprint},
            },
        ),
    )


@transaction.atomic
def retire_identity_key(*, key: IdentityKey, actor: Actor, ends_chats: bool = False) -> IdentityKey:
    """Takes a key out of use for good, and with it every visitor's token that it vouched for. Raises IdentityKeyRefused.

    Allowed for the last one too: a secret that leaked must go at once. Which sessions it vouched for is written nowhere, so
    those of all known visitors are cancelled where nobody else could have vouched for them, and else as `ends_chats` says.
    """
    key = IdentityKey.objects.select_related("tenant").lock(key.pk)
    if key.is_retired:
        raise IdentityKeyRefused("This key is retired already, which is final.")
    key.retired_at = timezone.now()
    key.save(update_fields=["retired_at"])
    if ends_chats or not active_keys(key.tenant, key.algorithm):
        identity_withdrawn.send(sender=IdentityKey, tenant_id=key.tenant_id)
    record(
        Action.IDENTITY_KEY_RETIRED,
        actor=actor,
        subject=subject_of(key),
        changes=described(["retired_at"], {"key": {"old": key.fingerprint, "new": None}}),
    )
    return key


def require_key_for(tenant: Tenant, *, mode: str, algorithm: str) -> None:
    """Raises ValidationError where a mode that enforces would refuse every token for want of a key."""
    if mode in ENFORCING and not active_keys(tenant, algorithm):
        raise ValidationError(
            f"No active key for {algorithm} yet, so every token would be refused. First save with “report only”, add a key in "
            "the section “Signed visitors”, try it in the debugger, then choose this mode."
        )
