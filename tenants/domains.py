"""The deed that lets the pages of a website open a tenant's chat."""

from django.db import transaction

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from tenants.audit_subjects import subject_of
from tenants.models import AllowedDomain, Tenant
from tenants.origins import OriginRule, parse_entry


@transaction.atomic
def allow_domain(*, tenant: Tenant, text: str, actor: Actor, allow_http: bool = False) -> AllowedDomain:
    """Allows what a person typed, stored parsed; one that is allowed already is given back. Raises EntryRefused."""
    rule = parse_entry(text, allow_http=allow_http)
    known = find_domain(tenant, rule)
    if known is not None:
        return known
    domain = AllowedDomain(tenant=tenant)
    write_rule(domain, rule)
    domain.full_clean()
    domain.save()
    record(
        Action.DOMAIN_ALLOWED,
        actor=actor,
        subject=subject_of(domain),
        changes=described(["entry"], {"entry": {"old": None, "new": domain.entry}}),
    )
    return domain


def find_domain(tenant: Tenant, rule: OriginRule) -> AllowedDomain | None:
    return AllowedDomain.objects.filter(
        tenant=tenant, scheme=rule.scheme, host=rule.host, port=rule.port, include_subdomains=rule.include_subdomains
    ).first()


def write_rule(domain: AllowedDomain, rule: OriginRule) -> None:
    domain.scheme, domain.host, domain.port = rule.scheme, rule.host, rule.port
    domain.include_subdomains = rule.include_subdomains
