"""Lets a model's stream run ahead of its reader by a few events only.

The agents' package reads the model in a task of its own and keeps what it read in a queue without bound: whoever reads slowly, or
not at all, would fill the memory. Here the reading waits, so OpenAI's stream does.
"""

import asyncio
from typing import Final

AHEAD: Final = 64


class Pace:
    """Of one run. Events that the package makes of its own count as taken too, which only lets the model run on earlier."""

    def __init__(self) -> None:
        self._read = 0
        self._taken = 0
        self._moved = asyncio.Event()

    async def read(self) -> None:
        """One more was read of the model; returns when the reader has come near enough."""
        self._read += 1
        while self._read - self._taken > AHEAD:
            self._moved.clear()
            await self._moved.wait()

    def taken(self) -> None:
        self._taken += 1
        self._moved.set()
