"""Changes small files that several processes share: each file whole or not at all, and one writer after another."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_SECONDS = 0.2  # how often one who waits for a lock, and may give up, looks for it


def replace_file(path: Path, text: str | bytes, *, mode: int = 0o600) -> None:
    """Write a file whole or not at all, by default for its owner only; a link to it stays a link. Raises OSError."""
    path = path.resolve()
    # Beside it, so that taking its place is one step; a name for each thread, so that none takes another's draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8") if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


@contextmanager
def exclusive(folder: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Let one process, and one thread, at a time change the files of a folder: who reads, changes and writes one.

    It is an flock on the folder itself, which leaves no file behind and is freed by the kernel with its holder. Not
    re-entrant. Where there is no folder, or its file system knows no such lock, the block runs without it. `waiting` is
    called again and again while another holds the lock; what it raises ends the waiting.
    """
    descriptor = -1
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if descriptor >= 0:
            _take(descriptor, waiting)
        yield
    finally:
        if descriptor >= 0:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process that is being forked off holds a copy
            os.close(descriptor)


def _take(descriptor: int, waiting: Callable[[], None] | None) -> None:
    """Take the lock of a folder, or go without where its file system knows none."""
    with suppress(OSError):
        if waiting is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            return
        while not _free(descriptor):
            waiting()
            time.sleep(LOOK_SECONDS)


def _free(descriptor: int) -> bool:
    """Take the lock where nobody holds it, and return whether it was taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
