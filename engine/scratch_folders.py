"""Folders in which something is made beside its place; what a killed process left in one goes with the next."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(beside: Path, what: str) -> Iterator[Path]:
    """Lend an empty folder in `beside`, gone after the block; `what` is made in it stands in its name. Raises OSError.

    The folders of the same kind whose processes live no more are removed.
    """
    for left in beside.glob(f".{what}-*"):
        maker = left.name.removeprefix(f".{what}-").partition("-")[0]
        if maker.isdecimal() and not process_lives(int(maker)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{what}-{os.getpid()}-", dir=beside) as made:
        yield Path(made)


def process_lives(pid: int) -> bool:
    """Whether there is a process of a number."""
    if pid <= 0:  # which would mean a group
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another person's
        return True
    return True
