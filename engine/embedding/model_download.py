"""Fetches the files of a model: taken up where it broke off, and used only when length and digest are right.

A file that is still coming ends in `.part` and is named after its digest, so that a newer file of the same name is
never put behind half of an older one. The hub's own library begins each file anew, and looks at no digest.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.atomic_files import exclusive
from engine.embedding.model_hub import HubFile, HubRefusal, files_of, requested_file
from engine.errors import ModelError
from engine.figures import MEGABYTE, size

if TYPE_CHECKING:
    from requests import Response

AT_ONCE = 64 * 1024  # bytes: what a line that breaks loses at most
TOLD_SECONDS = 0.2  # between two figures of progress
ATTEMPTS = 3  # without a new byte, before a broken line is told
PAUSE_SECONDS = 1.0  # before a line that broke is tried again
SPARE_BYTES = 50 * 2**20  # that a disk must hold beyond the model, so that the library beside it can go on

Told = Callable[[str], None]


def download(name: str, source: str, wanted: Sequence[str], folder: Path, on_progress: Told) -> None:
    """Fetch the `wanted` files of the repository `source` into `folder`, each under its own name.

    What is there already and right is not fetched again. `on_progress` is told in words how far it is. Raises
    ModelError, with what has come so far kept for the next time.
    """
    try:
        with exclusive(folder, lambda: on_progress(f"waiting for another process that fetches {name}")):
            _fetch_all(name, files_of(source, wanted), source, folder, on_progress)
    except HubRefusal as error:
        raise ModelError(f"The model {name} cannot be downloaded.", cause=error.cause, fix=error.fix) from error
    except OSError as error:
        raise _no_room(name, folder, error) from error


def _fetch_all(name: str, files: Sequence[HubFile], source: str, folder: Path, on_progress: Told) -> None:
    for left in folder.rglob("*.part"):
        if left not in {_part(folder, each) for each in files}:
            left.unlink()  # of an older state of the repository
    missing = [each for each in files if not _is_whole(folder / each.name, each)]
    meter = _Meter(name, sum(each.size for each in missing), on_progress)
    _require_room(folder, meter.total - sum(_length(_part(folder, each)) for each in missing))
    for file in missing:
        _fetch(file, source, folder, meter)
        meter.before += file.size


class _Meter:
    """Tells how much of a model has come: at most five times a second."""

    def __init__(self, name: str, total: int, on_progress: Told) -> None:
        self.name = name
        self.total = total
        self.before = 0  # bytes of the files that have come
        self._tell = on_progress
        self._next = 0.0

    def at(self, octets: int) -> None:
        """Say that so many bytes of the present file are there."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + TOLD_SECONDS
            done, total = ((self.before + octets) / MEGABYTE, self.total / MEGABYTE)
            self._tell(f"fetching {self.name}: {done:,.0f} of {total:,.0f} MB")


def _fetch(file: HubFile, source: str, folder: Path, meter: _Meter) -> None:
    """Fetch one file, from where it broke off, and give it its name once it is whole."""
    part = _part(folder, file)
    part.parent.mkdir(parents=True, exist_ok=True)
    idle = 0
    while (before := _length(part)) != file.size or not part.exists():
        try:
            _append(file, source, part, meter)
        except HubRefusal as refusal:
            idle = 0 if _length(part) > before else idle + 1
            if idle >= ATTEMPTS or not refusal.passing:
                raise
            time.sleep(PAUSE_SECONDS)
    if not _is_whole(part, file):
        part.unlink()
        raise HubRefusal(
            f"What came as {file.name} is not what the hub says that it is: its digest differs.",
            "It was thrown away. Try again; if it happens twice, something between here and the hub changes files.",
        )
    part.replace(folder / file.name)


def _append(file: HubFile, source: str, part: Path, meter: _Meter) -> None:
    """Add what comes to a file that is not whole; one that the hub sends from its beginning begins anew."""
    start = _length(part)
    with requested_file(source, file.name, start) as answer, part.open("ab") as stream:
        if start and not _goes_on(answer, start):
            stream.truncate(0)
            start = 0
        _require_length(answer, file, start)
        for piece in answer.iter_content(AT_ONCE):
            stream.write(piece)
            start += len(piece)
            if start > file.size:
                stream.close()
                part.unlink()
                raise _wrong_length(file, start)
            meter.at(start)


def _goes_on(answer: Response, start: int) -> bool:
    span = str(answer.headers.get("Content-Range", ""))
    return bool(answer.status_code == 206) and span.startswith(f"bytes {start}-")


def _require_length(answer: Response, file: HubFile, start: int) -> None:
    said = answer.headers.get("Content-Length", "")
    if said.isdecimal() and start + int(said) != file.size:
        raise _wrong_length(file, start + int(said))


def _wrong_length(file: HubFile, found: int) -> HubRefusal:
    return HubRefusal(
        f"{file.name} should have {file.size:,} bytes, and {found:,} or more were sent.",
        "Nothing of it is used. Try again later; if it stays so, tell those who run the hub in HF_ENDPOINT.",
    )


def _part(folder: Path, file: HubFile) -> Path:
    return folder / f"{file.name}.{file.digest[:16]}.part"


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_whole(path: Path, file: HubFile) -> bool:
    """Whether a file has the length and the digest that the hub told."""
    if not path.is_file() or _length(path) != file.size:
        return False
    digest = hashlib.sha256() if file.large else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(AT_ONCE):
            digest.update(piece)
    return bool(digest.hexdigest() == file.digest)


def _require_room(folder: Path, coming: int) -> None:
    """Raise OSError where the disk has no room for what is to come."""
    free = shutil.disk_usage(folder).free
    if coming + SPARE_BYTES > free:
        raise OSError(errno.ENOSPC, f"{size(coming)} are to come, {size(free)} are free")


def _no_room(name: str, folder: Path, error: OSError) -> ModelError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return ModelError(
        f"The model {name} cannot be downloaded.",
        cause=f"The disk is full: {error.strerror}." if full else f"Its files cannot be written: {error}.",
        fix=f"{'Make room' if full else 'Check the rights'} in {folder}, and try again; what has been fetched is kept.",
    )
