from django.apps import AppConfig


class ChatServerConfig(AppConfig):
    name = "chat_server"
    verbose_name = "Chats"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat_server import receivers  # noqa: F401 (connects them)
        from chat_server.models import Attachment, ChatRun, Thread
        from chat_server.sealing import attachment_binding, thread_binding
        from chat_server.usage_panel import usage_panel
        from encryption.registry import register
        from sessions_api.spool_lines import register_kind
        from tenants.tenant_page import register_panel

        register(Thread, "key_token", binding_of=thread_binding)
        register(Attachment, "key_token", binding_of=attachment_binding)
        register_kind("run", ChatRun)
        register_panel(usage_panel, anchor="chat-usage", title="Chats that the platform serves")
