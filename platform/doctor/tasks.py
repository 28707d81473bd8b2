"""The door for the worker: a tick leaves its mark."""

from celery import shared_task
from django.utils import timezone

from doctor.models import TICK, Pulse


@shared_task(name="doctor.pulse")
def pulse() -> None:
    Pulse.objects.update_or_create(name=TICK, defaults={"at": timezone.now()})
