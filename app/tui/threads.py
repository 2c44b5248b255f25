"""Blocking work off the event loop, in threads that never hold up leaving.

asyncio.to_thread waits at exit for work that cannot be interrupted, such as loading a model; these threads do not.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
_running: set[threading.Thread] = set()


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own and return what it returns; its exceptions are raised here."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(settle: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if future.done() else settle())

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # handed over, whatever it is
            failure = error
            deliver(lambda: future.set_exception(failure))
        else:
            deliver(lambda: future.set_result(result))
        finally:
            _running.discard(threading.current_thread())

    thread = threading.Thread(target=run, daemon=True, name="carrel-work")
    _running.add(thread)
    thread.start()
    return await future


def still_running(patience: float) -> bool:
    """Wait up to `patience` seconds for the threads, and return whether any is still at work."""
    for thread in tuple(_running):
        thread.join(patience)
    return any(thread.is_alive() for thread in tuple(_running))
