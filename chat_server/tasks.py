"""The worker's doors to conversations and to the ledger of runs: each does what the rows say, in slices of a few seconds."""

from typing import Final

from celery import shared_task

from chat_server.models import ChatRun
from chat_server.retention import prune_conversations
from chat_server.sweep import sweep_files
from chat_server.watch_budgets import watch_budgets
from sessions_api.retention import prune_ledger

_SECONDS: Final = 10.0


@shared_task(name="chat_server.prune")
def prune() -> None:
    prune_conversations(seconds=_SECONDS)


@shared_task(name="chat_server.sweep")
def sweep() -> None:
    sweep_files(seconds=_SECONDS)


@shared_task(name="chat_server.prune_runs")
def prune_runs() -> None:
    prune_ledger(seconds=_SECONDS, ledger=ChatRun)


@shared_task(name="chat_server.watch_budgets")
def look_at_budgets() -> None:
    watch_budgets()
