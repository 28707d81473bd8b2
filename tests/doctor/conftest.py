"""Customers whose keys the sandbox knows, and a pulse as worker and beat leave it."""

import pytest
from django.utils import timezone

from doctor.models import TICK, Pulse
from tests.key_health.conftest import _sandbox, alder, birch, sandbox

__all__ = ["_sandbox", "alder", "birch", "sandbox"]


@pytest.fixture
def pulse(transactional_db: None) -> Pulse:
    return Pulse.objects.create(name=TICK, at=timezone.now())
