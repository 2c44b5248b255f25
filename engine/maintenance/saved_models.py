"""Saves from a damaged library what its other models have made: their vectors, and those of late interaction.

All of it is found again by the hash of a passage, and what cannot be read is made anew: for the model that runs beside
and for late interaction by the next indexer, for one that is kept when it is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

import apsw
import numpy as np
from numpy.typing import NDArray

from engine.embedding.token_pooling import Codes
from engine.errors import CarrelError
from engine.store import late_vectors, models, shadow_log, vector_tables
from engine.store.transactions import transaction

UNREADABLE = (apsw.Error, CarrelError, ValueError, TypeError, AttributeError)  # what damaged rows lead to
FIGURES = (models.FORMER_SINCE, models.MEMORY_BYTES, shadow_log.CUT)  # of a model; its tiers are fitted anew
AT_ONCE = 500  # rows of one transaction


def save_model(old: apsw.Connection, conn: apsw.Connection, model: models.StoredModel) -> bool:
    """Write down a model of the old library under the id that it had; False where it cannot be read, or is half built.

    What was compared names models by these ids.
    """
    from engine.embedding.manifest import Manifest

    if model.state == "building":
        return False
    with suppress(*UNREADABLE):
        manifest = Manifest.from_json(model.manifest)
        with transaction(conn):
            models.add(
                conn,
                name=model.name,
                manifest=model.manifest,
                fingerprint=model.fingerprint,
                dimension=manifest.dimension,
                state=model.state,
                model_id=model.id,
            )
            figures = {each: models.figure(old, model.id, each) for each in FIGURES}
            models.calibrate(conn, model.id, {name: value for name, value in figures.items() if value is not None})
        return True
    return False


def save_vectors(old: apsw.Connection, conn: apsw.Connection, model: models.StoredModel) -> int:
    """Bring over the vectors of a model for the passages that are there again; return how many."""
    saved = 0
    with suppress(*UNREADABLE):
        for ids, matrix in vector_tables.read_blocks(old, model.id):
            lengths = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
            sound = np.isfinite(lengths) & (lengths > 0)
            row_of = _by_hash(old, ids, np.flatnonzero(sound).tolist())
            found = _passages(conn, list(row_of))
            with transaction(conn):
                rows = [row_of[digest] for _, digest in found]
                vector_tables.put(conn, model.id, [each for each, _ in found], matrix[rows])
            saved += len(found)
    return saved


def save_late(old: apsw.Connection, conn: apsw.Connection) -> int:
    """Bring over the late model, on or off as it was, and its vectors; return of how many passages."""
    saved = 0
    with suppress(*UNREADABLE):
        late = late_vectors.stored(old)
        if late is None:
            return 0
        with transaction(conn):
            made = late_vectors.create(
                conn,
                name=late.name,
                fingerprint=late.fingerprint,
                dimension=late.dimension,
                factor=late.factor,
                method=late.method,
            )
            late_vectors.set_state(conn, late.state)
        for portion in _portions(late_vectors.sound_rows(old, late)):
            codes_of = dict(portion)
            rows = {each: (digest, codes_of[digest]) for each, digest in _passages(conn, list(codes_of))}
            with transaction(conn):
                late_vectors.put(conn, made, rows)
            saved += len(rows)
    return saved


def _by_hash(conn: apsw.Connection, ids: NDArray[np.int64], rows: Sequence[int]) -> dict[bytes, int]:
    """Return for the hash of each passage in some rows of `ids` which row that is."""
    row_of = {int(ids[row]): row for row in rows}
    found = conn.execute(
        "SELECT id, hash FROM passage WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(row_of)),)
    )
    return {bytes(digest): row_of[each] for each, digest in found}


def _passages(conn: apsw.Connection, hashes: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Return the passages of these hashes: id and hash."""
    wanted = json.dumps([each.hex() for each in hashes])
    rows = conn.execute("SELECT id, hash FROM passage WHERE hash IN (SELECT unhex(value) FROM json_each(?))", (wanted,))
    return [(each, bytes(digest)) for each, digest in rows]


def _portions(rows: Iterator[tuple[bytes, Codes]]) -> Iterator[list[tuple[bytes, Codes]]]:
    portion: list[tuple[bytes, Codes]] = []
    for row in rows:
        portion.append(row)
        if len(portion) == AT_ONCE:
            yield portion
            portion = []
    yield portion
