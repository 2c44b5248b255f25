"""Compressed vectors kept in the cache folder, because making them anew reads every vector of a large library.

What is kept is only believed for the same file, the same model and a change number that the library still knows, and
after some of its rows were compared with the library. Deleting it costs the next start a few seconds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.paths import places, private_folder
from engine.retrieval.quantized_index import codes_of
from engine.retrieval.tombstones import Column, GrowingRows, by_columns
from engine.store import change_log, models
from engine.store.connection import path_of
from engine.store.vector_tables import vectors_of

if TYPE_CHECKING:
    import apsw

log = logging.getLogger(__name__)

COMPARED = 32  # rows that are looked up in the library before the rest is believed
SEED = 7
FACTS = "facts.json"
NAMES = ("codes", "factors", "bits")


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that were kept, as of a change number."""

    rows: GrowingRows
    sequence: int


def load(connection: apsw.Connection, model_id: int) -> Kept | None:
    """Return what is kept of a model's vectors, None where there is nothing that can be believed."""
    folder = _folder(connection, model_id)
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        sequence = int(facts["sequence"])
        if sequence > change_log.latest(connection) or change_log.since(connection, sequence) is None:
            return None
        ids, *columns = (_read(folder / f"{name}.npy") for name in ("ids", *NAMES))
    except (OSError, ValueError, KeyError, EOFError):
        return None
    changed = change_log.since(connection, sequence)
    touched = {*changed.put, *changed.deleted} if changed else set()
    if not _agrees(connection, model_id, ids, columns[0], touched):
        return None
    return Kept(GrowingRows.of(ids, columns), sequence)


def keep(connection: apsw.Connection, model_id: int, rows: GrowingRows, sequence: int) -> None:
    """Begin to write rows down, in a thread. Those that change meanwhile are followed anew when they are read."""
    ids, alive, columns = rows.view()
    if not alive.all():
        return  # they are few, and the next time that all are read there are none
    arguments = (_folder(connection, model_id), ids, columns, sequence)
    threading.Thread(target=_write, args=arguments, name="carrel-keep-vectors").start()


def _write(folder: Path, ids: Column, columns: list[Column], sequence: int) -> None:
    made = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        private_folder(folder.parent)
        made.mkdir(mode=0o700)
        for name, column in zip(("ids", *NAMES), (ids, *columns), strict=True):
            with open(made / f"{name}.npy", "wb", opener=_private) as file:
                np.save(file, np.asfortranarray(column) if by_columns(column) else column)
        with open(made / FACTS, "w", opener=_private, encoding="utf-8") as file:
            json.dump({"sequence": sequence}, file)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    except OSError:
        log.warning("the compressed vectors could not be kept", exc_info=True)
        shutil.rmtree(made, ignore_errors=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(path: Path) -> Column:
    array: Column = np.load(path, allow_pickle=False)
    return array


def _agrees(connection: apsw.Connection, model_id: int, ids: Column, codes: Column, touched: set[int]) -> bool:
    """Whether some rows, drawn with a fixed seed, are what the library holds."""
    drawn = np.random.default_rng(SEED).choice(len(ids), min(COMPARED, len(ids)), replace=False)
    rows = np.sort(np.array([row for row in drawn.tolist() if int(ids[row]) not in touched], np.int64))
    rows = rows[np.argsort(ids[rows], kind="stable")]
    found, vectors = vectors_of(connection, model_id, ids[rows].tolist())
    return bool(np.array_equal(found, ids[rows]) and np.array_equal(codes_of(vectors)[0], codes[rows]))


def _folder(connection: apsw.Connection, model_id: int) -> Path:
    """Return where the vectors of this very file and model are kept."""
    path = path_of(connection)
    there = os.stat(path)
    fingerprint = next(each.fingerprint for each in models.every(connection) if each.id == model_id)
    named = f"{path}\0{there.st_dev}\0{there.st_ino}\0{fingerprint}"
    return places().cache / "vectors" / hashlib.sha256(os.fsencode(named)).hexdigest()[:32]
