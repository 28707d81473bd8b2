"""The worker's doors to the ledger of runs: what is over its time goes, and budgets that near their end are told."""

from typing import Final

from celery import shared_task

from chat_server.models import ChatRun
from chat_server.watch_budgets import watch_budgets
from sessions_api.retention import prune_ledger

_PRUNING_SECONDS: Final = 10.0


@shared_task(name="chat_server.prune_runs")
def prune_runs() -> None:
    prune_ledger(seconds=_PRUNING_SECONDS, ledger=ChatRun)


@shared_task(name="chat_server.watch_budgets")
def look_at_budgets() -> None:
    watch_budgets()
