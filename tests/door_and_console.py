"""The cast of rooms that are tried through the public door and the console at once; their conftest takes all of it."""

from tests.console.conftest import console, log_in, password, superuser
from tests.sessions_api.endpoint.conftest import (
    platform,
    same_site,
    sandbox,
    shared_platform,
    shared_sandbox,
    shop,
    site_secrets,
)

__all__ = [
    "console",
    "log_in",
    "password",
    "platform",
    "same_site",
    "sandbox",
    "shared_platform",
    "shared_sandbox",
    "shop",
    "site_secrets",
    "superuser",
]
