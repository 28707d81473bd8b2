"""Which websites may open a tenant's chat: what a browser sends is recognised, never repaired.

A browser writes an origin in one way only: `scheme://host[:port]`, lower case, punycode, no default port. So the
request path parses nothing and repairs nothing. One anchored pattern recognises that form, then the text itself is
looked up: as a whole among the exact entries, by each shorter tail among the entries with subdomains, and by what
follows its first label among the preview patterns. Scheme, host and port all count, and an empty list refuses everybody.

A preview pattern (`https://app-*.example.com`) has one star within its first label and a last day. The star stands for
one or more of a to z, 0 to 9 and the hyphen, so the pattern matches exactly one label; what is before and behind the
star is compared as text.
"""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final

from tenants.hosts import MAX_NAME_LENGTH, is_canonical_a_label

MAX_LENGTH: Final = 300
MAX_PORT: Final = 65535
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# ChatKit's own frame: its requests carry this origin for every tenant's page, so it says nothing about the page.
NEVER_ALLOWED_HOSTS: Final = frozenset({"cdn.platform.openai.com"})

_LABEL: Final = r"[a-z0-9_-]{1,63}"
_STAR: Final = frozenset(string.ascii_lowercase + string.digits + "-")
_ORIGIN = re.compile(
    rf"(https?)://(?:({_LABEL}(?:\.{_LABEL})*)|\[[0-9a-f:]{{2,39}}\])(?::([1-9][0-9]{{0,4}}))?", re.ASCII
)


class Reason(StrEnum):
    """Why, for the operator. What the page is told is `code`: that a pattern existed is nobody else's business."""

    ALLOWED = "allowed"
    MISSING = "origin_missing"
    NULL = "origin_null"
    MALFORMED = "origin_malformed"
    NOT_ALLOWED = "origin_not_allowed"
    EXPIRED = "preview_expired"

    @property
    def code(self) -> str:
        return Reason.NOT_ALLOWED.value if self is Reason.EXPIRED else self.value


@dataclass(frozen=True, slots=True)
class OriginRule:
    """One entry of a tenant's list. The host is written as in a URL (IPv6 in brackets); port None is the default one.

    With `include_subdomains` it means one or more labels below the host, never the host itself. A preview pattern has its
    star in the host, and `expires_on`, its last day in UTC; without that it matches nothing.
    """

    scheme: str
    host: str
    port: int | None = None
    include_subdomains: bool = False
    expires_on: date | None = None

    def __str__(self) -> str:
        return f"{self.scheme}://{'*.' if self.include_subdomains else ''}{self.authority}"

    @property
    def authority(self) -> str:
        is_default = self.port is None or self.port == DEFAULT_PORTS.get(self.scheme)
        return self.host if is_default else f"{self.host}:{self.port}"

    @property
    def is_pattern(self) -> bool:
        return "*" in self.host

    @property
    def parent(self) -> str:
        """The host without its first label."""
        return self.host.partition(".")[2]

    @property
    def expires_at(self) -> float:
        """When a pattern's last day is over, in seconds since 1970; long ago where it has none."""
        if self.expires_on is None:
            return 0
        return datetime.combine(self.expires_on, time.min, UTC).timestamp() + 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one Origin header; false in a condition unless allowed. `rule` is the entry that matched."""

    reason: Reason
    rule: OriginRule | None = None

    @property
    def allowed(self) -> bool:
        return self.reason is Reason.ALLOWED

    def __bool__(self) -> bool:
        return self.allowed


_MISSING: Final = Verdict(Reason.MISSING)
_NULL: Final = Verdict(Reason.NULL)
_MALFORMED: Final = Verdict(Reason.MALFORMED)
_NOT_ALLOWED: Final = Verdict(Reason.NOT_ALLOWED)


class _Pattern:
    """What is left to compare of a preview pattern once its scheme, parent and port have been looked up."""

    __slots__ = ("_expires_at", "_prefix", "_suffix", "allowed", "expired")

    def __init__(self, rule: OriginRule) -> None:
        self._prefix, _, self._suffix = rule.host.partition(".")[0].partition("*")
        # A star alone would be every name there is.
        self._expires_at = rule.expires_at if self._prefix or self._suffix else 0.0
        self.allowed = Verdict(Reason.ALLOWED, rule)
        self.expired = Verdict(Reason.EXPIRED, rule)

    def matches(self, label: str) -> bool:
        return (
            len(label) > len(self._prefix) + len(self._suffix)
            and label.startswith(self._prefix)
            and label.endswith(self._suffix)
            and _STAR.issuperset(label[len(self._prefix) : len(label) - len(self._suffix)])
            and (not label.startswith("xn--") or is_canonical_a_label(label))
        )

    def is_over(self, now: float) -> bool:
        return now >= self._expires_at


class OriginRules:
    """A tenant's whole list, ready for look-ups; `decide` never raises."""

    __slots__ = ("_exact", "_patterns", "_tails")

    def __init__(self, rules: Iterable[OriginRule]) -> None:
        self._exact: dict[str, Verdict] = {}
        self._tails: dict[tuple[str, str], Verdict] = {}
        self._patterns: dict[tuple[str, str], list[_Pattern]] = {}
        for rule in rules:
            if rule.include_subdomains:
                self._tails[rule.scheme, rule.authority] = Verdict(Reason.ALLOWED, rule)
            elif rule.is_pattern:
                below = rule.authority.partition(".")[2]
                self._patterns.setdefault((rule.scheme, below), []).append(_Pattern(rule))
            else:
                self._exact[str(rule)] = Verdict(Reason.ALLOWED, rule)

    def decide(self, header: str | None, *, now: float) -> Verdict:
        """The verdict on the raw value of the Origin header, None when there was none; `now` in seconds since 1970."""
        if not header:
            return _MISSING
        if header == "null":
            return _NULL
        match = _ORIGIN.fullmatch(header) if len(header) <= MAX_LENGTH else None
        if match is None:
            return _MALFORMED
        scheme, name, port = match.groups()
        if name is not None and len(name) > MAX_NAME_LENGTH:
            return _MALFORMED
        if port is not None and (int(port) > MAX_PORT or int(port) == DEFAULT_PORTS[scheme]):
            return _MALFORMED
        if name in NEVER_ALLOWED_HOSTS:
            return _NOT_ALLOWED
        if (exact := self._exact.get(header)) is not None:
            return exact
        if name is None:
            return _NOT_ALLOWED
        authority = header[len(scheme) + 3 :]
        return self._listed_parent(scheme, authority) or self._pattern(scheme, authority, now)

    def _listed_parent(self, scheme: str, authority: str) -> Verdict | None:
        if not self._tails:
            return None
        dot = authority.find(".")
        while dot != -1:
            if (found := self._tails.get((scheme, authority[dot + 1 :]))) is not None:
                labels = authority[:dot].split(".")
                is_canonical = all(is_canonical_a_label(label) for label in labels if label.startswith("xn--"))
                return found if is_canonical else None
            dot = authority.find(".", dot + 1)
        return None

    def _pattern(self, scheme: str, authority: str, now: float) -> Verdict:
        label, _, below = authority.partition(".")
        verdict = _NOT_ALLOWED
        for pattern in self._patterns.get((scheme, below), ()):
            if pattern.matches(label):
                if not pattern.is_over(now):
                    return pattern.allowed
                verdict = pattern.expired
        return verdict
