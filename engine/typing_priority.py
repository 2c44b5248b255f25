"""Puts a person's typing before indexing: each key touches a file, and an encoder waits while that is fresh.

A low priority is not enough where two threads share one core: beside an encoder at work a key takes twice as long.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

NAME = "typing"  # in the state folder
WAIT_SECONDS = 0.4  # after a key: most keys of a word follow within
LONGEST_SECONDS = 2.0  # that one text waits, so that folders are indexed though somebody never stops typing
LOOK_SECONDS = 0.02


class Wait(Protocol):
    """Lets a person's typing come first."""

    def __call__(self, stopped: Callable[[], bool] = ...) -> None:
        """Return once nobody types, or it is `stopped`."""


def typed(state: Path) -> None:
    """Say that a key was pressed just now. Costs microseconds; where it cannot be said, nothing is lost but time."""
    path = state / NAME
    try:
        os.utime(path)
    except FileNotFoundError:
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        return


def typed_beside(state: Path) -> Callable[[], None]:
    """Return what says that a key was pressed and waits for no disk: that of a library being written may be busy."""
    pressed = threading.Event()

    def tell() -> None:
        while True:
            pressed.wait()
            pressed.clear()
            typed(state)

    threading.Thread(target=tell, name="typing", daemon=True).start()
    return pressed.set


def waits_for_typing(
    state: Path, clock: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep
) -> Wait:
    """Return what is called before each step of long work: it returns once nobody has typed for a moment."""
    path = state / NAME

    def wait(stopped: Callable[[], bool] = lambda: False) -> None:
        """Return once nobody has typed for a moment or it is `stopped`, or after `LONGEST_SECONDS`."""
        until = clock() + LONGEST_SECONDS
        while clock() < until and not stopped():
            try:
                since = clock() - os.stat(path).st_mtime
            except OSError:
                return
            if not 0.0 <= since < WAIT_SECONDS:
                return
            sleep(LOOK_SECONDS)

    return wait
