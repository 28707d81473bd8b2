"""The deed that lets the pages of a website open a tenant's chat."""

import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime

from django.db import transaction

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from tenants.audit_subjects import subject_of
from tenants.models import AllowedDomain, ConfigEpoch, Tenant
from tenants.origin_entries import parse_entry, require_sensible_expiry
from tenants.origins import OriginRule, OriginRules


@transaction.atomic
def allow_domain(
    *,
    tenant: Tenant,
    text: str,
    actor: Actor,
    allow_http: bool = False,
    allow_shared: bool = False,
    expires_on: date | None = None,
) -> AllowedDomain:
    """Allows what a person typed, stored parsed; one that is on the list already is given back as it is.

    The choices are those of `parse_entry`. Raises EntryRefused.
    """
    rule = parse_entry(text, allow_http=allow_http, allow_shared=allow_shared, expires_on=expires_on)
    require_sensible_expiry(rule, today=today())
    # Two who allow the same at the same time: the second one finds the first one's row.
    ConfigEpoch.lock()
    known = find_domain(tenant, rule)
    if known is not None:
        return known
    domain = AllowedDomain(tenant=tenant)
    write_rule(domain, rule)
    domain.full_clean()
    domain.save()
    values = {"entry": {"old": None, "new": domain.entry}}
    if rule.expires_on is not None:
        values["expires_on"] = {"old": None, "new": rule.expires_on.isoformat()}
    record(
        Action.DOMAIN_ALLOWED,
        actor=actor,
        subject=subject_of(domain),
        changes=described(list(values), values),
    )
    return domain


def find_domain(tenant: Tenant, rule: OriginRule) -> AllowedDomain | None:
    return AllowedDomain.objects.filter(
        tenant=tenant, scheme=rule.scheme, host=rule.host, port=rule.port, include_subdomains=rule.include_subdomains
    ).first()


def write_rule(domain: AllowedDomain, rule: OriginRule) -> None:
    domain.scheme, domain.host, domain.port = rule.scheme, rule.host, rule.port
    domain.include_subdomains, domain.expires_on = rule.include_subdomains, rule.expires_on


def today() -> date:
    """The day that patterns end with is UTC's, wherever the operator sits."""
    return datetime.now(UTC).date()


def rules_of(tenant_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, OriginRules]:
    """Each tenant's whole list as it is in the database now."""
    rules: dict[uuid.UUID, list[OriginRule]] = {tenant_id: [] for tenant_id in tenant_ids}
    for domain in AllowedDomain.objects.filter(tenant_id__in=tenant_ids):
        rules[domain.tenant_id].append(domain.rule)
    return {tenant_id: OriginRules(listed) for tenant_id, listed in rules.items()}
