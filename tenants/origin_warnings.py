"""What an admin should know of a website that is on a tenant's list: said on the tenant's page for as long as it is there."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tenants.hosts import is_local
from tenants.origin_entries import is_for_development, is_shared
from tenants.origins import OriginRule

# An end is announced so many days before.
ANNOUNCED: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OriginWarning:
    """`tone` as badges have it: bad where the entry does nothing any more, else warn."""

    entry: str
    label: str
    tone: str
    sentence: str


def warnings_of(rule: OriginRule, *, today: date) -> list[OriginWarning]:
    """The most urgent first; `today` in UTC."""
    return [
        OriginWarning(str(rule), *found)
        for found in (_end(rule, today), _development(rule), _shared(rule))
        if found is not None
    ]


def _end(rule: OriginRule, today: date) -> tuple[str, str, str] | None:
    if rule.expires_on is None or rule.expires_on > today + ANNOUNCED:
        return None
    day = rule.expires_on.isoformat()
    if rule.expires_on < today:
        return "over", "bad", f"Its last day was {day} (UTC): it opens nothing. Choose a later day, or remove it."
    return "ends soon", "warn", f"Its last day is {day} (UTC). Choose a later day if its previews still need the chat."


def _development(rule: OriginRule) -> tuple[str, str, str] | None:
    if not is_for_development(rule):
        return None
    if is_local(rule.host):
        sentence = (
            "This is everybody's own machine: whatever runs at that address on anybody's machine can open the chat, at the "
            "tenant's cost. Remove it when development is over."
        )
        return "local", "warn", sentence
    if rule.scheme == "http":
        sentence = (
            "Whoever is on the way, such as the network of a café, can change pages that come by plain http, and use the "
            "chat with them. Serve the website by https."
        )
        return "http", "warn", sentence
    return "short name", "warn", "In another network this name can be another website. Use a whole domain."


def _shared(rule: OriginRule) -> tuple[str, str, str] | None:
    if not is_shared(rule):
        return None
    parent = rule.parent if rule.is_pattern else rule.host
    return (
        "shared",
        "warn",
        f"Anybody with an account at {parent} can take a free name that fits, and open the chat there at the tenant's cost. "
        "Prefer previews below a domain of the tenant's own.",
    )
