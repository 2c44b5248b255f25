"""How many folders the system really watches for us: watchdog says nothing where the kernel's limit is reached."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path


def coverage(roots: Iterable[bytes]) -> tuple[int, int]:
    """Return how many folders there are below the roots, and how many of them are watched by this process."""
    total = sum(1 for root in roots for _ in os.walk(root))
    if not sys.platform.startswith("linux"):
        return total, total
    return total, min(total, inotify_watches())


def inotify_watches() -> int:
    """Count the inotify watches of this process, as the kernel lists them (proc(5), fdinfo)."""
    count = 0
    for entry in Path("/proc/self/fdinfo").iterdir():
        try:
            count += entry.read_bytes().count(b"inotify wd:")
        except OSError:
            continue  # closed meanwhile
    return count
