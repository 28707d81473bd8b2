"""A quota, and what stands for the database that its counter comes from."""

import time
import uuid
from datetime import UTC, datetime

from django.db import OperationalError

from gateway.quotas import Period, Quota


class Rows:
    """Stands for the database: how many sessions were granted, and how often that was asked for."""

    def __init__(self, granted: int = 0, *, seconds: float = 0.02) -> None:
        self.granted = granted
        self.seconds = seconds
        self.asked = 0
        self.is_silent = False

    def used(self, quota: Quota) -> int:
        self.asked += 1
        granted = self.granted
        time.sleep(self.seconds)
        if self.is_silent:
            raise OperationalError("nobody is there")
        return granted


def quota(most: int = 5, period: Period = Period.DAY) -> Quota:
    return Quota.of(uuid.uuid4(), period, most, at=datetime.now(UTC))
