"""What django-axes counts by and keeps: the prefix of an address, never a full one."""

from typing import Any

from django.http import HttpRequest

from audit.addresses import truncate_address


def address_prefix(request: HttpRequest) -> str:
    """The first address of the /24 or /48: an address for axes' column, and IPv6 can't be rotated to dodge the lock.

    REMOTE_ADDR was set by the gateway's middleware, which alone reads forwarding headers.
    """
    return truncate_address(request.META.get("REMOTE_ADDR", "")).partition("/")[0] or "0.0.0.0"  # noqa: S104, the unknown address


def tried_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    """The name that was tried, cut to axes' column: the log-in form doesn't cut, and PostgreSQL refuses."""
    given = (credentials or {}).get("username", request.POST.get("username"))
    return None if given is None else str(given)[:255]
