"""A cache of libraries made of judged collections: indexed once for each model, removed when long unused.

Deleting one costs the next run on its collection the time of indexing it; nothing else is lost.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from engine.atomic_files import exclusive
from engine.embedding.encoder import Encoder
from engine.embedding.manifest import file_sha256
from engine.evaluation.beir import Collection
from engine.evaluation.temporary_library import index
from engine.paths import places, private_folder

UNUSED_DAYS = 30  # after which a library goes, when another one is made or used
DAY_SECONDS = 86_400.0
BESIDE = ("", "-wal", "-shm")  # what SQLite keeps of one library


def library_of(folder: Path, encoder: Encoder, on_indexed: Callable[[int], None]) -> Path:
    """Return the library of a collection under a model; it is indexed where no earlier run has done it.

    The documents of the collection are read, and nothing else of it. `on_indexed` is called with how many are done. A
    run that finds another one indexing waits for it, and calls `on_indexed` with 0 meanwhile, which may raise.
    """
    key = hashlib.sha256(f"{file_sha256(folder / 'corpus.jsonl')} {encoder.manifest.fingerprint}".encode()).hexdigest()
    path = private_folder(_cache()) / f"{key[:24]}.carrel"
    with exclusive(_cache(), lambda: on_indexed(0)):
        if not path.exists():
            draft = path.with_suffix(".part")
            _remove(draft)
            index(draft, Collection.open(folder).documents(), encoder, lambda documents, _: on_indexed(documents))
            os.replace(draft, path)
        os.utime(path)
        tidy()
    return path


def tidy(now: float | None = None) -> int:
    """Remove the libraries that no run used for `UNUSED_DAYS` and return how many; `now` in seconds since the epoch."""
    since = (time.time() if now is None else now) - UNUSED_DAYS * DAY_SECONDS
    old = [path for path in _kept() if path.stat().st_mtime < since]
    for path in old:
        _remove(path)
    return len(old)


def kept() -> tuple[Path, int, int]:
    """Return the folder of these libraries, how many there are, and the bytes that they take."""
    found = _kept()
    files = [Path(f"{path}{end}") for path in found for end in BESIDE]
    return _cache(), len(found), sum(path.stat().st_size for path in files if path.exists())


def _cache() -> Path:
    return places().cache / "collections"


def _kept() -> list[Path]:
    return sorted([*_cache().glob("*.carrel"), *_cache().glob("*.part")])


def _remove(path: Path) -> None:
    for end in BESIDE:
        Path(f"{path}{end}").unlink(missing_ok=True)
