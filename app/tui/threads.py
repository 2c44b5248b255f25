"""Blocking work off the event loop, in threads that never hold up leaving.

asyncio.to_thread waits at exit for work that cannot be interrupted, such as loading a model; these threads do not. A
thread that has done its work waits for more: starting one holds up the event loop until it runs, 2 ms beside others.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

SWITCH_SECONDS = 0.001  # how long a search may keep the screen's thread waiting; Python's own 0.005 shows in typing
T = TypeVar("T")
_work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_lock = threading.Lock()
_threads = 0  # that there are
_busy = 0  # pieces of work that are waiting or being done


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in another thread, at once, and return what it returns; its exceptions are raised here."""
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

    _hand_over(run)
    return await future


def _hand_over(run: Callable[[], None]) -> None:
    """Give work to a thread that is free; there is always one for each piece, so none waits for another."""
    global _threads, _busy
    with _lock:
        _busy += 1
        short = _busy > _threads
        _threads += short
    _work.put(run)
    if short:
        threading.Thread(target=_do_work, daemon=True, name="carrel-work").start()


def _do_work() -> None:
    global _busy
    while True:
        run = _work.get()
        try:
            run()
        finally:
            del run  # a thread that waits keeps nothing of what it did
            with _lock:
                _busy -= 1


def still_running(patience: float) -> bool:
    """Wait up to `patience` seconds for the work in hand, and return whether any is left."""
    until = time.monotonic() + patience
    while _busy and time.monotonic() < until:
        time.sleep(0.005)
    return _busy > 0
