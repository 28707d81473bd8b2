"""What the console shows of chats; each part is in a module of its own."""

from chat_server.conversations_admin import ConversationAdmin
from chat_server.price_admin import ModelPriceAdmin
from chat_server.run_admin import ChatRunAdmin

__all__ = ["ChatRunAdmin", "ConversationAdmin", "ModelPriceAdmin"]
