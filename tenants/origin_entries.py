"""What an admin types for a website becomes the one form that browsers send, or is refused with the cure."""

import re
from datetime import date, timedelta
from typing import Final

from tenants.hosts import (
    EntryProblem,
    canonical_ipv6,
    canonical_name,
    canonical_pattern,
    is_address,
    is_local,
    is_public_suffix,
    is_registry_suffix,
    refuse,
)
from tenants.hosts import EntryRefused as EntryRefused
from tenants.origins import DEFAULT_PORTS, MAX_LENGTH, MAX_PORT, NEVER_ALLOWED_HOSTS, OriginRule

MAX_PATTERN_DAYS: Final = 90
# The choices as forms call them, so that the errors below can name them.
ALLOW_HTTP: Final = "Allow http and local names (development)"
ALLOW_SHARED: Final = "Allow a shared domain (patterns)"


def parse_entry(
    text: str,
    *,
    allow_http: bool = False,
    allow_public_suffix: bool = False,
    allow_shared: bool = False,
    expires_on: date | None = None,
) -> OriginRule:
    """The rule that an admin means by this text; https when no scheme is typed.

    `allow_http` is the admin's explicit choice for what only development needs: plain http, localhost, and names
    without a dot. `allow_public_suffix` is the one for `*.` on a name below which strangers own domains, `allow_shared` the
    one for a preview pattern there. `expires_on` is the last day of a preview pattern, which must have one. Raises
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
    host, port = _split_port(rest.removeprefix("*."), may_be_pattern=not include_subdomains)
    if host in NEVER_ALLOWED_HOSTS:
        refuse(EntryProblem.RESERVED, "This is ChatKit's own frame, not a website. Type the domain of the page.")
    if "*" in host:
        _require_preview(host, allow_shared=allow_shared, expires_on=expires_on)
    elif expires_on is not None:
        refuse(EntryProblem.EXPIRY, "Only a pattern such as app-*.example.com has a last day. Leave the day empty.")
    _require_choices(scheme, host, allow_http=allow_http)
    if include_subdomains:
        _require_own_subdomains(host, allow_public_suffix=allow_public_suffix)
    scheme = scheme or "https"
    return OriginRule(scheme, host, None if port == DEFAULT_PORTS[scheme] else port, include_subdomains, expires_on)


def is_for_development(rule: OriginRule) -> bool:
    """Whether the entry takes the choice `allow_http`."""
    is_dotless = "." not in rule.host and not is_address(rule.host)
    return rule.scheme == "http" or is_dotless or is_local(rule.host)


def is_shared(rule: OriginRule) -> bool:
    """Whether strangers can own names that the entry allows."""
    if rule.is_pattern:
        return not is_local(rule.parent) and is_public_suffix(rule.parent)
    return rule.include_subdomains and not is_local(rule.host) and is_public_suffix(rule.host)


def require_sensible_expiry(rule: OriginRule, *, today: date) -> None:
    """For a pattern whose last day is being chosen: neither over nor far away. `today` in UTC. Raises EntryRefused."""
    if rule.expires_on is None:
        return
    if rule.expires_on < today:
        refuse(EntryProblem.EXPIRY, "This day is over. Choose today or a later one.")
    if rule.expires_on > today + timedelta(days=MAX_PATTERN_DAYS):
        refuse(
            EntryProblem.EXPIRY,
            f"A pattern lasts {MAX_PATTERN_DAYS} days at most. Choose an earlier day; it can be moved on when it comes.",
        )


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


def _split_port(authority: str, *, may_be_pattern: bool) -> tuple[str, int | None]:
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
        if not may_be_pattern:
            refuse(EntryProblem.WILDCARD, "One star is enough: *.example.com means every name below, at any depth.")
        return canonical_pattern(name), _port(port) if colon else None
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


def _require_preview(host: str, *, allow_shared: bool, expires_on: date | None) -> None:
    parent = host.partition(".")[2]
    if is_address(parent):
        refuse(EntryProblem.WILDCARD, "An address has no subdomains: leave out the star.")
    if not is_local(parent):
        if is_registry_suffix(parent):
            refuse(
                EntryProblem.PUBLIC_SUFFIX,
                "Anybody can buy such a domain. Name those below your own: *.example.com, or app-*.example.com.",
            )
        if not allow_shared and is_public_suffix(parent):
            refuse(
                EntryProblem.PUBLIC_SUFFIX,
                f"Anybody can get such a name at {parent}, and the chat would open there too. Tick “{ALLOW_SHARED}” if you "
                "accept that.",
            )
    if expires_on is None:
        refuse(EntryProblem.EXPIRY, f"A pattern needs its last day, at most {MAX_PATTERN_DAYS} days from now.")


def _require_own_subdomains(host: str, *, allow_public_suffix: bool) -> None:
    if is_address(host):
        refuse(EntryProblem.WILDCARD, "An address has no subdomains: leave out the star.")
    if not allow_public_suffix and not is_local(host) and is_public_suffix(host):
        refuse(
            EntryProblem.PUBLIC_SUFFIX, "Strangers own names below this one. Name your own: *.your-name.example.com."
        )
