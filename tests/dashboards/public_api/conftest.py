"""The session endpoint's shop and its shared platform process, and the console's people."""

from tests.widget.conftest import (
    console,
    log_in,
    password,
    platform,
    same_site,
    sandbox,
    shared_platform,
    shared_sandbox,
    shop,
    site_secrets,
    superuser,
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
