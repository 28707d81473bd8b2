"""The worker's doors to conversations: each does what the rows say, in slices of a few seconds."""

from typing import Final

from celery import shared_task

from chat_server.retention import prune_conversations
from chat_server.sweep import sweep_files

_SECONDS: Final = 10.0


@shared_task(name="chat_server.prune")
def prune() -> None:
    prune_conversations(seconds=_SECONDS)


@shared_task(name="chat_server.sweep")
def sweep() -> None:
    sweep_files(seconds=_SECONDS)
