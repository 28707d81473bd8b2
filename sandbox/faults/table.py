"""Every named fault."""

from __future__ import annotations

from sandbox.faults.bodies import BODY_FAULTS
from sandbox.faults.connection import CONNECTION_FAULTS
from sandbox.faults.leaks import LEAK_FAULTS
from sandbox.faults.statuses import STATUS_FAULTS
from sandbox.faults.volume import VOLUME_FAULTS
from sandbox.faults.wire import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault for fault in (*CONNECTION_FAULTS, *VOLUME_FAULTS, *BODY_FAULTS, *STATUS_FAULTS, *LEAK_FAULTS)
}


def faults_of(*families: str) -> list[str]:
    """The names of some families, for a parametrised test."""
    return [fault.name for fault in FAULTS.values() if fault.family in families]
