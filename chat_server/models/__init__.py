"""Conversations, encrypted; the ledger of model runs; what models cost, and what is used of budgets."""

from chat_server.models.budgets import BudgetNotice, BudgetUsage
from chat_server.models.conversations import Attachment, AttachmentState, Feedback, Thread, ThreadItem
from chat_server.models.prices import ModelPrice
from chat_server.models.runs import ChatRun

__all__ = [
    "Attachment",
    "AttachmentState",
    "BudgetNotice",
    "BudgetUsage",
    "ChatRun",
    "Feedback",
    "ModelPrice",
    "Thread",
    "ThreadItem",
]
