"""People of the console, for pages on which something can be done."""

from tests.console.conftest import _no_attempts_before, console, log_in, password, superuser

__all__ = ["_no_attempts_before", "console", "log_in", "password", "superuser"]
