"""OpenAI's own list of websites beside ours: ChatKit's frame, on a page that talks to a server of one's own, asks for it.

The tenant's owner enters each host name at OpenAI, which shows a key for it. OpenAI's list knows exact host names only.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from tenants.models import AllowedDomain, Assistant, Tenant
from tenants.models.assistant import Backend
from tenants.origin_entries import is_for_development

OPENAI_LIST_URL: Final = "https://platform.openai.com/settings/organization/security/domain-allowlist"
HOW_LONG: Final = "Exact host names, no wildcards; it takes OpenAI up to 30 minutes."


@dataclass(frozen=True, slots=True)
class Listing:
    """One website of ours, and how it stands on OpenAI's list. `missing` is what is still to be done, empty where nothing is."""

    entry: str
    host: str
    domain_key: str
    listed_on: date | None
    missing: str

    @property
    def tone(self) -> str:
        return "bad" if self.missing else "ok"


def listings_of(tenant: Tenant) -> list[Listing]:
    return [_listing(each) for each in tenant.domains.all()]


def is_concerned(assistants: list[Assistant] | tuple[Assistant, ...]) -> bool:
    """Whether any of these answers by the platform itself, or is about to."""
    return any(each.backend == Backend.PLATFORM or each.published_version_id is not None for each in assistants)


def _listing(domain: AllowedDomain) -> Listing:
    return Listing(
        entry=domain.entry,
        host=domain.host,
        domain_key=domain.domain_key,
        listed_on=domain.listed_at_openai,
        missing=_missing(domain),
    )


def _missing(domain: AllowedDomain) -> str:
    if is_for_development(domain.rule):
        # On loopback and the like ChatKit doesn't look.
        return ""
    if domain.include_subdomains or "*" in domain.host:
        return "OpenAI's list has no patterns: allow each host name of its own here, and enter it there, too."
    if domain.listed_at_openai is None:
        return f"Enter {domain.host} at OpenAI, then the key and the day here."
    if not domain.domain_key:
        return "Enter the key that OpenAI shows for it, “domain_pk_…”, here."
    return ""
