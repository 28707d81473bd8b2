"""Host names and addresses in the one form that browsers write, from what people type."""

import ipaddress
import re
from enum import StrEnum
from functools import cache
from typing import Final, NoReturn

import idna
from publicsuffixlist import PublicSuffixList

MAX_NAME_LENGTH: Final = 253
_TYPED_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A browser reads a name whose last label is a number as an IPv4 address, in one of its many spellings.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class EntryProblem(StrEnum):
    BLANK = "blank"
    TOO_LONG = "too_long"
    SEVERAL = "several"
    SCHEME = "scheme"
    LOCAL = "local"
    USERINFO = "userinfo"
    PATH = "path"
    WILDCARD = "wildcard"
    EXPIRY = "expiry"
    PUBLIC_SUFFIX = "public_suffix"
    PORT = "port"
    NAME = "name"
    ADDRESS = "address"
    RESERVED = "reserved"


class EntryRefused(ValueError):
    """What was typed is no origin that could be allowed; the message says what to type instead."""

    def __init__(self, reason: EntryProblem, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def refuse(reason: EntryProblem, message: str) -> NoReturn:
    raise EntryRefused(reason, message)


def canonical_name(typed: str) -> str:
    """A DNS name in lower case and punycode, or an IPv4 address; raises EntryRefused."""
    mapped = _mapped(typed)
    if mapped.startswith("."):
        refuse(EntryProblem.NAME, "A name cannot begin with a dot. For all subdomains write *.example.com.")
    if mapped.endswith("."):
        refuse(EntryProblem.NAME, "Leave out the dot at the end: to a browser that is another website.")
    name = ".".join(_canonical_label(label) for label in mapped.split("."))
    if len(name) > MAX_NAME_LENGTH:
        refuse(EntryProblem.TOO_LONG, f"A domain has at most {MAX_NAME_LENGTH} characters.")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ipv4(name)
    return name


def canonical_pattern(typed: str) -> str:
    """A DNS name with one star within its first label, such as app-*.example.com; raises EntryRefused."""
    label, _, parent = _mapped(typed).partition(".")
    if not parent or label == "*" or label.count("*") != 1 or "*" in parent:
        refuse(
            EntryProblem.WILDCARD,
            "A star stands alone at the beginning, for all subdomains: *.example.com. Or it stands once within the first "
            "part, for previews and until a last day: app-*.example.com.",
        )
    # A label with one letter in the star's place must be one that could be typed.
    if label.startswith("xn--") or not _TYPED_LABEL.fullmatch(label.replace("*", "0")):
        refuse(
            EntryProblem.WILDCARD,
            "Around a star stand up to 62 letters a to z, digits and hyphens, as in app-*.example.com.",
        )
    pattern = f"{label}.{canonical_name(parent)}"
    if len(pattern) > MAX_NAME_LENGTH:
        refuse(EntryProblem.TOO_LONG, f"A domain has at most {MAX_NAME_LENGTH} characters.")
    return pattern


def _mapped(typed: str) -> str:
    """As a browser reads what is typed: lower case, one form for each character."""
    try:
        return idna.uts46_remap(typed, std3_rules=False, transitional=False)
    except idna.IDNAError:
        refuse(EntryProblem.NAME, "The name has a character that no domain can have. Type it anew by hand.")


def _canonical_label(label: str) -> str:
    if not label.isascii():
        try:
            return idna.alabel(label).decode("ascii")
        except idna.IDNAError:
            refuse(EntryProblem.NAME, "This is no valid international name. Copy its xn-- form from the browser.")
    if not _TYPED_LABEL.fullmatch(label):
        refuse(
            EntryProblem.NAME,
            "Between the dots of a domain stand 1 to 63 letters, digits and hyphens, as in my-shop.example.com.",
        )
    if label.startswith("xn--") and not is_canonical_a_label(label):
        refuse(EntryProblem.NAME, "The part that begins with xn-- is no valid international name. Type it as it reads.")
    return label


def _ipv4(name: str) -> str:
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        refuse(EntryProblem.ADDRESS, "Write an IPv4 address as four numbers from 0 to 255, such as 203.0.113.7.")


def canonical_ipv6(typed: str) -> str:
    """An IPv6 address in brackets, in its shortest form; raises EntryRefused."""
    try:
        address = ipaddress.IPv6Address(typed)
    except ValueError:
        refuse(EntryProblem.ADDRESS, "Write an IPv6 address in brackets, such as https://[2001:db8::1].")
    if address.scope_id is not None or address.ipv4_mapped is not None:
        refuse(EntryProblem.ADDRESS, "Write the address without a zone, and an IPv4 address as 203.0.113.7.")
    return f"[{address.compressed}]"


def is_canonical_a_label(label: str) -> bool:
    """Whether a browser could have written this `xn--` label: it decodes, and encodes back to the same text."""
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        return (
            not decoded.isascii()
            and idna.uts46_remap(decoded, std3_rules=False, transitional=False) == decoded
            and decoded.encode("punycode").decode("ascii") == label[4:]
        )
    except (ValueError, OverflowError):  # Unicode and IDNA errors are ValueErrors
        return False


def is_address(host: str) -> bool:
    return host.startswith("[") or host.rpartition(".")[2].isdigit()


def is_local(host: str) -> bool:
    """Whether the host is the visitor's own machine."""
    if is_address(host):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_public_suffix(name: str) -> bool:
    """Whether strangers can own the names below this one, as with co.uk or github.io."""
    return bool(_public_suffixes(only_registries=False).is_public(name))


def is_registry_suffix(name: str) -> bool:
    """Whether the names below this one are registered with a registry, as with com or co.uk, but not github.io."""
    return bool(_public_suffixes(only_registries=True).is_public(name))


@cache
def _public_suffixes(*, only_registries: bool) -> PublicSuffixList:
    # The list comes with the package and takes 50 ms to read, so only a process that needs it does.
    return PublicSuffixList(only_icann=only_registries)
