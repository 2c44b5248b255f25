"""SIGTERM and SIGHUP end a screen in good order, so that the shell gets its terminal back as it was."""

from __future__ import annotations

import errno
import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from app.tui.app import CarrelApp

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = (
    20.0  # until a process ends that cannot leave, as where an editor has its terminal; a loaded one takes some
)
SIGNALLED = 128  # added to the number of a signal, it is the exit code by which shells tell it


@contextmanager
def ended_by_signals(app: CarrelApp) -> Iterator[None]:
    """Let the first of these signals end the app while the block runs; its return code then tells which it was.

    One that is ignored stays so: `nohup` means that a terminal that closes ends nothing.
    """
    heard: queue.SimpleQueue[int] = queue.SimpleQueue()  # which a handler may put into at any moment

    told: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        heard.put(number)

    threading.Thread(target=_wait, args=(heard, app), name="signals", daemon=True).start()
    taken = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, hear) for number in taken}
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO or not told:
            raise
        raise SystemExit(SIGNALLED + told[0]) from None  # the terminal is gone, which is what the signal told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        heard.put(0)


def _wait(heard: queue.SimpleQueue[int], app: CarrelApp) -> None:
    """End the app at the first signal, and the process where that takes too long; 0 says that the app has ended."""
    number = heard.get()
    if not number:
        return
    last = threading.Timer(PATIENCE_SECONDS, os._exit, (SIGNALLED + number,))
    last.daemon = True
    last.start()

    def leave() -> None:
        app.let_go()
        app.exit(return_code=SIGNALLED + number)

    while heard.empty():
        with suppress(RuntimeError):  # it has not begun yet
            app.call_from_thread(leave)
            return
        threading.Event().wait(0.05)
