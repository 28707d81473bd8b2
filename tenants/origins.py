"""Which websites may open a tenant's chat: what a browser sends is recognised, what an admin types is canonicalised.

A browser writes an origin in one way only: `scheme://host[:port]`, lower case, punycode, no default port. So the
request path parses nothing and repairs nothing. One anchored pattern recognises that form, then the text itself is
looked up: as a whole among the exact entries, then by each shorter tail among the entries with subdomains. Scheme, host
and port all count, and an empty list refuses everybody.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tenants.hosts import (
    MAX_NAME_LENGTH,
    EntryProblem,
    canonical_ipv6,
    canonical_name,
    is_address,
    is_canonical_a_label,
    is_local,
    is_public_suffix,
    refuse,
)
from tenants.hosts import EntryRefused as EntryRefused

MAX_LENGTH: Final = 300
MAX_PORT: Final = 65535
# The choice as forms call it, so that the errors below can name it.
ALLOW_HTTP: Final = "Allow http and local names (development)"
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# ChatKit's own frame: its requests carry this origin for every tenant's page, so it says nothing about the page.
NEVER_ALLOWED_HOSTS: Final = frozenset({"cdn.platform.openai.com"})

_LABEL: Final = r"[a-z0-9_-]{1,63}"
_ORIGIN = re.compile(
    rf"(https?)://(?:({_LABEL}(?:\.{_LABEL})*)|\[[0-9a-f:]{{2,39}}\])(?::([1-9][0-9]{{0,4}}))?", re.ASCII
)


class Reason(StrEnum):
    ALLOWED = "allowed"
    MISSING = "origin_missing"
    NULL = "origin_null"
    MALFORMED = "origin_malformed"
    NOT_ALLOWED = "origin_not_allowed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one Origin header; false in a condition unless allowed."""

    allowed: bool
    reason: Reason

    def __bool__(self) -> bool:
        return self.allowed


_VERDICTS: Final = {reason: Verdict(reason is Reason.ALLOWED, reason) for reason in Reason}


@dataclass(frozen=True, slots=True)
class OriginRule:
    """One entry of a tenant's list. The host is written as in a URL (IPv6 in brackets); port None is the default one.

    With `include_subdomains` it means one or more labels below the host, never the host itself.
    """

    scheme: str
    host: str
    port: int | None = None
    include_subdomains: bool = False

    def __str__(self) -> str:
        return f"{self.scheme}://{'*.' if self.include_subdomains else ''}{self.authority}"

    @property
    def authority(self) -> str:
        is_default = self.port is None or self.port == DEFAULT_PORTS.get(self.scheme)
        return self.host if is_default else f"{self.host}:{self.port}"


class OriginRules:
    """A tenant's whole list, ready for look-ups; `decide` never raises."""

    __slots__ = ("_exact", "_tails")

    def __init__(self, rules: Iterable[OriginRule]) -> None:
        rules = tuple(rules)
        self._exact = frozenset(str(rule) for rule in rules if not rule.include_subdomains)
        self._tails = frozenset((rule.scheme, rule.authority) for rule in rules if rule.include_subdomains)

    def decide(self, header: str | None) -> Verdict:
        """The verdict on the raw value of the Origin header, None when there was none."""
        return _VERDICTS[self._reason(header)]

    def _reason(self, header: str | None) -> Reason:
        if not header:
            return Reason.MISSING
        if header == "null":
            return Reason.NULL
        match = _ORIGIN.fullmatch(header) if len(header) <= MAX_LENGTH else None
        if match is None:
            return Reason.MALFORMED
        scheme, name, port = match.groups()
        if name is not None and len(name) > MAX_NAME_LENGTH:
            return Reason.MALFORMED
        if port is not None and (int(port) > MAX_PORT or int(port) == DEFAULT_PORTS[scheme]):
            return Reason.MALFORMED
        if name in NEVER_ALLOWED_HOSTS:
            return Reason.NOT_ALLOWED
        if header in self._exact:
            return Reason.ALLOWED
        if self._tails and name is not None and self._has_listed_parent(scheme, header[len(scheme) + 3 :]):
            return Reason.ALLOWED
        return Reason.NOT_ALLOWED

    def _has_listed_parent(self, scheme: str, authority: str) -> bool:
        dot = authority.find(".")
        while dot != -1:
            if (scheme, authority[dot + 1 :]) in self._tails:
                labels = authority[:dot].split(".")
                return all(is_canonical_a_label(label) for label in labels if label.startswith("xn--"))
            dot = authority.find(".", dot + 1)
        return False


def parse_entry(text: str, *, allow_http: bool = False, allow_public_suffix: bool = False) -> OriginRule:
    """The rule that an admin means by this text; https when no scheme is typed.

    `allow_http` is the admin's explicit choice for what only development needs: plain http, localhost, and names
    without a dot. `allow_public_suffix` is the one for `*.` on a name below which strangers own domains. Raises
    EntryRefused, whose message says what to type instead.
    """
    typed = text.strip()
    if not typed:
        refuse(EntryProblem.BLANK, "Type a domain, such as shop.example.com.")
    if len(typed) > MAX_LENGTH:
        refuse(EntryProblem.TOO_LONG, f"An entry has at most {MAX_LENGTH} characters. Type the domain only.")
    if re.search(r"[\s,;\x00-\x1f\x7f]", typed):
        refuse(EntryProblem.SEVERAL, "Type one domain per entry, without blanks, commas and semicolons.")
    scheme, rest = _split_scheme(typed)
    if "@" in rest:
        refuse(EntryProblem.USERINFO, "Leave out the name and the @: type the website's domain only.")
    rest = rest.removesuffix("/")
    if re.search(r"[/\\?#%]", rest):
        refuse(EntryProblem.PATH, "Leave out everything after the domain: a browser tells us no path.")
    include_subdomains = rest.startswith("*.")
    host, port = _split_port(rest.removeprefix("*."))
    if host in NEVER_ALLOWED_HOSTS:
        refuse(EntryProblem.RESERVED, "This is ChatKit's own frame, not a website. Type the domain of the page.")
    _require_choices(scheme, host, allow_http=allow_http)
    if include_subdomains:
        _require_own_subdomains(host, allow_public_suffix=allow_public_suffix)
    scheme = scheme or "https"
    return OriginRule(scheme, host, None if port == DEFAULT_PORTS[scheme] else port, include_subdomains)


def _split_scheme(typed: str) -> tuple[str, str]:
    """Scheme (blank when none is typed) and the rest."""
    scheme, separator, rest = typed.partition("://")
    if not separator:
        if re.match(r"https?:", typed, re.IGNORECASE):
            refuse(EntryProblem.SCHEME, "Write two slashes after the colon: https://shop.example.com.")
        return "", typed
    if scheme.lower() not in DEFAULT_PORTS:
        refuse(EntryProblem.SCHEME, "Only websites can be allowed: write https://shop.example.com.")
    return scheme.lower(), rest


def _split_port(authority: str) -> tuple[str, int | None]:
    """Canonical host, and the port if one is typed."""
    if authority.startswith("["):
        address, bracket, after = authority[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            refuse(EntryProblem.ADDRESS, "Write an IPv6 address in brackets, such as https://[2001:db8::1]:8443.")
        return canonical_ipv6(address), _port(after[1:]) if after else None
    if authority.count(":") > 1:
        refuse(EntryProblem.ADDRESS, "Write one port at most, and an IPv6 address in brackets: https://[2001:db8::1].")
    name, colon, port = authority.partition(":")
    if "*" in name:
        refuse(EntryProblem.WILDCARD, "A star stands alone at the beginning, for all subdomains: *.example.com.")
    if not name:
        refuse(EntryProblem.NAME, "The domain is missing: type one such as shop.example.com.")
    return canonical_name(name), _port(port) if colon else None


def _port(typed: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", typed) or int(typed) > MAX_PORT:
        refuse(EntryProblem.PORT, "Write the port as a number from 1 to 65535, or leave it out with its colon.")
    return int(typed)


def _require_choices(scheme: str, host: str, *, allow_http: bool) -> None:
    if not allow_http and is_local(host):
        refuse(EntryProblem.LOCAL, f"This is everybody's own machine. Tick “{ALLOW_HTTP}” if you mean it.")
    if not allow_http and not is_address(host) and "." not in host:
        refuse(EntryProblem.NAME, "Type the whole domain, such as shop.example.com.")
    if not allow_http and scheme == "http":
        refuse(EntryProblem.SCHEME, f"Plain http can be changed on its way. Write https://, or tick “{ALLOW_HTTP}”.")
    if not scheme and is_local(host):
        refuse(EntryProblem.SCHEME, "Write http:// or https:// before a local address: both are common there.")


def _require_own_subdomains(host: str, *, allow_public_suffix: bool) -> None:
    if is_address(host):
        refuse(EntryProblem.WILDCARD, "An address has no subdomains: leave out the star.")
    if not allow_public_suffix and not is_local(host) and is_public_suffix(host):
        refuse(
            EntryProblem.PUBLIC_SUFFIX, "Strangers own names below this one. Name your own: *.your-name.example.com."
        )
