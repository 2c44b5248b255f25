"""Keeps quantized vectors in the cache folder, because making them anew reads every vector of a large library.

One file holds the vectors of one model in one library file. It is believed only for that very file and model, where the
library still lists the changes since, and after some of its rows were compared with the library. It is written under a
name of its own and then takes its place in one step, but never the place of one that was written meanwhile from a newer
state.

Whenever a process reads all vectors of a library, these files go: those of a library that is no longer where it was or
is another file by now, those of the same library's other models, its own where it is small enough to do without, and
drafts that were not finished within an hour. Deleting a file costs the next start a few seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from engine.lazy_dataclass import dataclass
from engine.paths import identity_of, places, private_folder
from engine.retrieval.quantized_index import codes_of
from engine.retrieval.tombstones import AppendOnlyRows, Column, PassageRows, by_columns
from engine.store import change_log, models
from engine.store.transactions import file_of, path_of
from engine.store.vector_tables import vectors_of

if TYPE_CHECKING:
    import apsw

COMPARED = 32  # rows that are looked up in the library before the rest is believed
SEED = 7
DRAFT_SECONDS = 3600.0  # the largest is written in seconds: one so old belongs to a process that died
COLUMNS = 3  # codes, factors, bits
LAST_CHANGED = 100  # and so many changes: a library that was put back from a copy has gone another way since
KEPT, DRAFT = ".vectors", ".draft"
UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError)  # of a file that is none of ours


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


@dataclass(frozen=True, slots=True)
class Facts:
    """What the first line of a file says: whose it is, and the change number of the state that it holds."""

    owner: Owner
    sequence: int

    @classmethod
    def read(cls, file: IO[bytes]) -> Facts:
        """Read the first line of a file. Raises ValueError, KeyError, TypeError."""
        facts = json.loads(file.readline())
        return cls(Owner(**facts["owner"]), int(facts["sequence"]))


def load(connection: apsw.Connection, model_id: int) -> Kept | None:
    """Return what is kept of a model's vectors, None where there is nothing that can be believed."""
    try:
        with open(Owner.of(connection, model_id).file, "rb") as file:
            facts = Facts.read(file)
            if not change_log.reaches(connection, facts.sequence):
                return None
            ids, *columns = (_array(file) for _ in range(1 + COLUMNS))
    except UNREADABLE:
        return None
    if not _agrees(connection, model_id, ids, columns[0], facts.sequence):
        return None
    return Kept(AppendOnlyRows.of(ids, columns), facts.sequence)


def keep(connection: apsw.Connection, model_id: int, rows: AppendOnlyRows, sequence: int, began: float) -> None:
    """Begin to write rows down, in a thread; all are alive, and were read from a state that was there when it `began`.

    That is a time as `time.time` gives it.
    """
    arguments = (Facts(Owner.of(connection, model_id), sequence), [rows.ids(), *rows.columns()], began)
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
            owner = Facts.read(file).owner
    except UNREADABLE:
        return True
    return owner.library == own.library or not owner.is_there()


def _write(facts: Facts, arrays: list[Column], began: float) -> None:
    draft, file_name = None, facts.owner.file
    try:
        descriptor, draft = tempfile.mkstemp(DRAFT, file_name.stem, private_folder(_folder()))
        with open(descriptor, "wb") as file:
            file.write(json.dumps(asdict(facts)).encode() + b"\n")
            for array in arrays:
                np.save(file, np.asfortranarray(array) if by_columns(array) else array)
        if not _was_outrun(facts, began):
            os.replace(draft, file_name)
    except OSError:
        import logging  # 8 ms

        logging.getLogger(__name__).warning("the quantized vectors could not be kept", exc_info=True)
    finally:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)


def _was_outrun(facts: Facts, began: float) -> bool:
    """Whether a newer state was kept since; one that is said to be newer and was there before is another life's."""
    try:
        with open(facts.owner.file, "rb") as file:
            return Facts.read(file).sequence > facts.sequence and os.fstat(file.fileno()).st_mtime >= began
    except UNREADABLE:
        return False


def _array(file: IO[bytes]) -> Column:
    array: Column = np.load(file, allow_pickle=False)
    return array


def _agrees(connection: apsw.Connection, model_id: int, ids: Column, codes: Column, sequence: int) -> bool:
    """Whether some rows are what the library holds: those that changed last before `sequence`, and some by chance."""
    entries = change_log.entries(connection, sequence - LAST_CHANGED)
    touched = {passage for number, passage in entries if number > sequence}
    drawn = np.random.default_rng(SEED).choice(ids, min(COMPARED, len(ids)), replace=False)
    compared = {*drawn.tolist(), *(passage for number, passage in entries if number <= sequence)}
    wanted = np.array(sorted(compared - touched), np.int64)
    rows = PassageRows.of(ids).positions(wanted)
    found, vectors = vectors_of(connection, model_id, wanted.tolist())
    return bool(
        np.array_equal(found, wanted[rows >= 0]) and np.array_equal(codes_of(vectors)[0], codes[rows[rows >= 0]])
    )


def _folder() -> Path:
    return places().cache / "vectors"
