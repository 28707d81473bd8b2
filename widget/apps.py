from django.apps import AppConfig
from django.core import checks


class WidgetConfig(AppConfig):
    name = "widget"
    verbose_name = "Widget"

    def ready(self) -> None:
        from tenants.tenant_page import register_panel, register_step
        from widget.checks import check_embed_script
        from widget.install_panel import first_session_step, install_panel

        checks.register(check_embed_script)
        register_step(first_session_step)
        register_panel(install_panel, anchor="install", title="Put it on the website", comes_first=True)
