"""Conversations, encrypted; the ledger of model runs; what models cost."""

from chat_server.models.conversations import Attachment, AttachmentState, Feedback, Thread, ThreadItem
from chat_server.models.prices import ModelPrice
from chat_server.models.runs import ChatRun

__all__ = ["Attachment", "AttachmentState", "ChatRun", "Feedback", "ModelPrice", "Thread", "ThreadItem"]
