"""What Linux tells of processes in /proc: their threads, what they started, how long they waited for a processor.

Elsewhere there is no such place, and every answer is empty or 0.
"""

from __future__ import annotations

import os

NANOSECONDS = 1e-9


def threads(process: int) -> tuple[int, ...]:
    """Return the threads of a process by their numbers, the first one's being that of the process."""
    try:
        return tuple(map(int, os.listdir(f"/proc/{process}/task")))
    except OSError:
        return ()


def children(process: int) -> tuple[int, ...]:
    """Return the processes that a process has started, by whichever of its threads, and that run."""
    found: list[int] = []
    for thread in threads(process):
        try:
            with open(f"/proc/{process}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
        except OSError:
            continue  # the thread has ended meanwhile
    return tuple(found)


def seconds_waited(process: int) -> float:
    """Return how long the first thread of a process wanted to run and could not."""
    try:
        with open(f"/proc/{process}/schedstat", "rb") as file:
            return int(file.read().split()[1]) * NANOSECONDS
    except (OSError, ValueError, IndexError):
        return 0.0
