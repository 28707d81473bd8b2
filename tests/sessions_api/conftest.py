"""The cast of key_health: a sandbox in place of OpenAI, and two customers whose keys it knows."""

from tests.key_health.conftest import _sandbox, alder, birch, sandbox

__all__ = ["_sandbox", "alder", "birch", "sandbox"]
