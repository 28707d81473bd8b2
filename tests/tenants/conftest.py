"""The console's people, and the leaks that no page may have."""

from tests.console.conftest import console, log_in, password, superuser

__all__ = ["console", "log_in", "password", "superuser"]
