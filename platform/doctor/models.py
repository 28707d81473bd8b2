"""When background work was last done: a row that a worker writes at a tick of beat."""

from typing import Final

from django.db import models

TICK: Final = "tick"


class Pulse(models.Model):
    """`at` is the last time that a worker did a tick which beat had sent within its few seconds of life: both were alive then."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "pulse"

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"
