"""Every named fault."""

from __future__ import annotations

from sandbox.faults.connection import CONNECTION_FAULTS
from sandbox.faults.wire import Fault

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*CONNECTION_FAULTS,)}
