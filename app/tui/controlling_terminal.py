"""The terminal that a process belongs to, whatever its standard streams are: a picker draws there inside `$(...)`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import UsageError

TERMINAL = "/dev/tty"


@contextmanager
def controlling_terminal() -> Iterator[None]:
    """Let Textual read keys from the terminal, draw on it and ask it for its size. Raises UsageError without one."""
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise UsageError(
            "There is no terminal to pick on.",
            cause=f"{TERMINAL}: {error.strerror}.",
            fix="`carrel pick --filter QUERY` prints what it finds without one.",
        ) from error
    before = sys.__stdin__, sys.__stdout__, sys.__stderr__
    with (
        open(descriptor, encoding="utf-8", errors="replace") as keys,
        open(os.dup(descriptor), "w", encoding="utf-8", errors="replace") as screen,
    ):
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = keys, screen, screen  # type: ignore[misc]
        try:
            yield
        finally:
            sys.__stdin__, sys.__stdout__, sys.__stderr__ = before  # type: ignore[misc]
