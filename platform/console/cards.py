"""The first page's figures and buttons. Rooms above register theirs, so that this room needs to know none of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


class Tone(StrEnum):
    """How a figure or badge reads at a glance; each has its colours and its shape in the stylesheet."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: what it counts, the count, one sentence, and the page that explains it."""

    label: str
    value: str
    note: str = ""
    tone: Tone = Tone.IDLE
    url: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """One button: what an operator most often came to do."""

    label: str
    url: str
    is_main: bool = False


CardSource = Callable[[HttpRequest], Iterable[Card]]
_sources: list[CardSource] = []


def register_cards(source: CardSource) -> CardSource:
    """Called with the request whenever the first page is shown; asks the user's permissions itself. Also a decorator."""
    if source not in _sources:
        _sources.append(source)
    return source


def cards_of(request: HttpRequest) -> list[Card]:
    return [card for source in _sources for card in source(request)]


def deeds_of(request: HttpRequest) -> Iterator[Deed]:
    """Pages of upper rooms are reached by URL name; where a room isn't installed its button isn't shown."""
    wanted = (
        ("Operations", "operations", "tenants.view_tenant", False),
        ("Master keys", "master-keys", "encryption.add_rewraprun", False),
        ("Audit", "admin:audit_auditevent_changelist", "audit.view_auditevent", False),
        ("Register a tenant", "admin:tenants_tenant_add", "tenants.add_tenant", True),
    )
    for label, name, permission, is_main in wanted:
        if not request.user.has_perm(permission):
            continue
        try:
            yield Deed(label, reverse(name), is_main)
        except NoReverseMatch:
            continue
