"""The cast of the widget: the session endpoint's shop and its shared platform process, and the console's people."""

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
