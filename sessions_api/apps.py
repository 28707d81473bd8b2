from django.apps import AppConfig


class SessionsApiConfig(AppConfig):
    name = "sessions_api"
    verbose_name = "Sessions"

    def ready(self) -> None:
        from django.core.checks import Tags, register

        from sessions_api import receivers  # noqa: F401 (connects them)
        from sessions_api.checks import check_spool_directory
        from sessions_api.identity_panel import identity_panel
        from sessions_api.limits_panel import limits_panel
        from sessions_api.refused_panel import refused_panel
        from sessions_api.sessions_panel import sessions_panel
        from tenants.tenant_page import register_panel

        register(check_spool_directory, Tags.security)
        register_panel(refused_panel, anchor="refused", title="Refused websites")
        register_panel(limits_panel, anchor="limits", title="Limits and quotas")
        register_panel(identity_panel, anchor="identity", title="Signed visitors")
        register_panel(sessions_panel, anchor="sessions", title="Live sessions and visitors")
