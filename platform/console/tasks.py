"""The worker's door to the re-wrapping that somebody asked for in the console."""

from celery import shared_task

from console.master_keys import advance_rewrap


@shared_task(name="console.rewrap")
def rewrap() -> None:
    advance_rewrap()
