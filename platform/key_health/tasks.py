"""Doors for the worker: a tick that beat sends, and a hint after a save. Both only look into the database for what is due."""

from celery import shared_task

from key_health.check import check_due
from key_health.history import drop_old_checks
from key_health.live_traffic import learn_from_traffic
from key_health.plans import plan_missing


@shared_task(name="key_health.tick")
def tick() -> None:
    plan_missing()
    learn_from_traffic()
    drop_old_checks()
    check_due()


@shared_task(name="key_health.check_plans")
def check_plans(plan_ids: list[int]) -> None:
    check_due(only=plan_ids)
