"""IP addresses are kept truncated, full ones never."""

import ipaddress


def truncate_address(address: str) -> str:
    """The /24 of an IPv4 address or the /48 of an IPv6 one, as text; empty for anything else."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))
