"""Keeps quantized vectors in the cache folder, because making them anew reads every vector of a large library.

One file holds the vectors of one model in one library file. It is believed only for that very file and model and for a
change number that the library still knows, and after some of its rows were compared with the library. It is written
under a name of its own and then takes its place in one step, but never the place of a newer one.

Whenever a process reads all vectors of a library, these files go: those of a library that is no longer where it was or
is another file by now, those of the same library's other models, its own where it is small enough to do without, and
drafts that were not finished within an hour. Deleting a file costs the next start a few seconds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from engine.paths import identity_of, places, private_folder
from engine.retrieval.quantized_index import codes_of
from engine.retrieval.tombstones import AppendOnlyRows, Column, by_columns
from engine.store import change_log, models
from engine.store.connection import file_of, path_of
from engine.store.vector_tables import vectors_of

if TYPE_CHECKING:
    import apsw

log = logging.getLogger(__name__)

COMPARED = 32  # rows that are looked up in the library before the rest is believed
SEED = 7
DRAFT_SECONDS = 3600.0  # the largest is written in seconds: one so old belongs to a process that died
COLUMNS = 3  # codes, factors, bits
KEPT, DRAFT = ".vectors", ".draft"


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that were kept, as of a change number."""

    rows: AppendOnlyRows
    sequence: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose vectors a file holds: a library's path, its file by device and inode, and a model's fingerprint."""

    library: str
    device: int
    inode: int
    fingerprint: str

    @classmethod
    def of(cls, connection: apsw.Connection, model_id: int) -> Owner:
        """Return the owner of what is read of a model through a connection."""
        device, inode = file_of(connection)
        fingerprint = next(each.fingerprint for each in models.every(connection) if each.id == model_id)
        return cls(os.fsdecode(path_of(connection)), device, inode, fingerprint)

    @property
    def file(self) -> Path:
        """Where its vectors are kept."""
        named = f"{self.library}\0{self.device}\0{self.inode}\0{self.fingerprint}"
        return _folder() / (hashlib.sha256(os.fsencode(named)).hexdigest()[:32] + KEPT)

    def is_there(self) -> bool:
        """Whether the library is still that very file."""
        return identity_of(Path(self.library)) == (self.device, self.inode)


def load(connection: apsw.Connection, model_id: int) -> Kept | None:
    """Return what is kept of a model's vectors, None where there is nothing that can be believed."""
    try:
        with open(Owner.of(connection, model_id).file, "rb") as file:
            sequence = _facts(file)[1]
            if not change_log.reaches(connection, sequence):
                return None
            ids, *columns = (_array(file) for _ in range(1 + COLUMNS))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    touched = {passage for _, passage in change_log.entries(connection, sequence)}
    if not _agrees(connection, model_id, ids, columns[0], touched):
        return None
    return Kept(AppendOnlyRows.of(ids, columns), sequence)


def keep(connection: apsw.Connection, model_id: int, rows: AppendOnlyRows, sequence: int) -> None:
    """Begin to write rows down, in a thread; all of them are alive."""
    arguments = (Owner.of(connection, model_id), [rows.ids(), *rows.columns()], sequence)
    threading.Thread(target=_write, args=arguments, name="carrel-keep-vectors").start()


def prune(connection: apsw.Connection, model_id: int, *, needed: bool) -> None:
    """Remove what no library needs any more; of this one all but this model's vectors, and those unless `needed`."""
    own = Owner.of(connection, model_id)
    with suppress(OSError):  # most people have no such folder
        for path in _folder().iterdir():
            if not (needed and path == own.file) and _is_useless(path, own):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _is_useless(path: Path, own: Owner) -> bool:
    if path.name.endswith(DRAFT):
        return time.time() - path.stat().st_mtime > DRAFT_SECONDS
    try:
        with open(path, "rb") as file:
            owner, _ = _facts(file)
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return owner.library == own.library or not owner.is_there()


def _write(owner: Owner, arrays: list[Column], sequence: int) -> None:
    draft = None
    try:
        descriptor, draft = tempfile.mkstemp(DRAFT, owner.file.stem, private_folder(_folder()))
        with open(descriptor, "wb") as file:
            file.write(json.dumps(asdict(owner) | {"sequence": sequence}).encode() + b"\n")
            for array in arrays:
                np.save(file, np.asfortranarray(array) if by_columns(array) else array)
        if not _holds_newer(owner, sequence):
            os.replace(draft, owner.file)
    except OSError:
        log.warning("the quantized vectors could not be kept", exc_info=True)
    finally:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)


def _holds_newer(owner: Owner, sequence: int) -> bool:
    try:
        with open(owner.file, "rb") as file:
            return _facts(file)[1] > sequence
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _facts(file: IO[bytes]) -> tuple[Owner, int]:
    """Read the first line of a file: whose it is, and the change number. Raises ValueError, KeyError, TypeError."""
    facts = json.loads(file.readline())
    sequence = int(facts.pop("sequence"))
    return Owner(**facts), sequence


def _array(file: IO[bytes]) -> Column:
    array: Column = np.load(file, allow_pickle=False)
    return array


def _agrees(connection: apsw.Connection, model_id: int, ids: Column, codes: Column, touched: set[int]) -> bool:
    """Whether some rows, drawn with a fixed seed, are what the library holds."""
    drawn = np.random.default_rng(SEED).choice(len(ids), min(COMPARED, len(ids)), replace=False)
    rows = np.sort(np.array([row for row in drawn.tolist() if int(ids[row]) not in touched], np.int64))
    rows = rows[np.argsort(ids[rows], kind="stable")]
    found, vectors = vectors_of(connection, model_id, ids[rows].tolist())
    return bool(np.array_equal(found, ids[rows]) and np.array_equal(codes_of(vectors)[0], codes[rows]))


def _folder() -> Path:
    return places().cache / "vectors"
