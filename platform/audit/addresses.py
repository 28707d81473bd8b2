"""IP addresses are kept truncated, full ones never."""

import ipaddress
from functools import lru_cache
from typing import Final

# An IPv6 address in its longest form, with a zone.
_LONGEST: Final = 80


def truncate_address(address: str) -> str:
    """The /24 of an IPv4 address or the /48 of an IPv6 one, as text; empty for anything else."""
    return _truncated(address) if len(address) <= _LONGEST else ""


# A visitor's calls come one after the other, and `ipaddress` takes 15 µs.
@lru_cache(maxsize=4096)
def _truncated(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))
