"""Waits until the keys rest: what nobody reads while typing is neither read nor painted until then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class KeyRest:
    """Knows when the last key was pressed. `clock` and `sleep` count in seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._last = float("-inf")

    def pressed(self) -> None:
        """Take note of a key."""
        self._last = self._clock()

    async def wait(self, seconds: float) -> None:
        """Return once no key was pressed for so long; a key that comes meanwhile prolongs it."""
        while (left := self._last + seconds - self._clock()) > 0:
            await self._sleep(left)
