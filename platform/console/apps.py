"""The admin's frame: its site, sessions, log-in, the password again, and the audited base class of every admin page."""

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig


class ConsoleAdminConfig(AdminConfig):
    default_site = "console.site.ConsoleSite"


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Console"

    def ready(self) -> None:
        from console import receivers  # noqa: F401, connects them

        apps.get_app_config("auth").verbose_name = "People"
