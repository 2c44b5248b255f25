"""The vectors of one model: a sqlite-vec table `vector_<model id>` whose rowids are passage ids.

Rows of removed passages stay parked (`free_slot`) until a new passage takes their place, because vec0 never gives the
space of single deleted rows back. A passage that waits for its vector of this model (`embedding_queue`) may have such a
row of another text under its id. Everything here that reads leaves parked rows and those of waiting passages out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import apsw
import numpy as np
from numpy.typing import NDArray

from engine.errors import LibraryDamaged, ModelError
from engine.store import passage_counts, vec0_chunks
from engine.store.transactions import path_of, snapshot

_DIMENSION = re.compile(r"float\[(\d+)\]")

Vector = NDArray[np.float32]
Ids = NDArray[np.int64]


def table(model_id: int) -> str:
    """Return the name of a model's vector table."""
    return f"vector_{int(model_id)}"


def create(conn: apsw.Connection, model_id: int, dimension: int) -> None:
    """Make the empty vector table of a model."""
    conn.execute(
        f"CREATE VIRTUAL TABLE {table(model_id)} USING vec0(embedding float[{int(dimension)}] distance_metric=cosine)"
    )


def drop(conn: apsw.Connection, model_id: int) -> None:
    """Remove the vector table of a model with all its vectors."""
    conn.execute(f"DROP TABLE IF EXISTS {table(model_id)}")


def dimension(conn: apsw.Connection, model_id: int) -> int:
    """Return the number of components of a model's vectors. Raises ModelError where the model has no table."""
    definition = conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table(model_id),)).get
    found = _DIMENSION.search(definition or "")
    if not found:
        raise ModelError("The library holds no vectors of this model.", fix="Run `carrel doctor --repair`.")
    return int(found.group(1))


def live_ids(conn: apsw.Connection, model_id: int) -> Ids:
    """Return the ids of all passages that have a vector, ascending, without parked and waiting ones."""
    ids = _column(conn, f"SELECT rowid FROM {table(model_id)}_rowids ORDER BY rowid")
    return np.setdiff1d(ids, _unused(conn, model_id), assume_unique=True)


def row_count(conn: apsw.Connection, model_id: int) -> int:
    """Return how many rows a model's table has, parked and waiting ones among them: what reading all would take."""
    return int(conn.execute(f"SELECT count(*) FROM {table(model_id)}_rowids").get)


def parked(conn: apsw.Connection) -> Ids:
    """Return the ids that no passage uses and whose rows wait for one, ascending."""
    return _column(conn, "SELECT id FROM free_slot ORDER BY id")


def waiting(conn: apsw.Connection, model_id: int) -> Ids:
    """Return the passages that wait for a vector of this model, ascending.

    Reads an entry of an index for each text that waits, some 1 µs.
    """
    if not passage_counts.texts_can_wait(conn):
        return np.empty(0, np.int64)
    waiting = passage_counts.queue(conn, model_id)
    return np.sort(
        _column(conn, f"SELECT passage.id FROM {waiting} AS queue CROSS JOIN passage ON passage.hash = queue.hash")
    )


def _unused(conn: apsw.Connection, model_id: int) -> Ids:
    """Return the ids whose rows in a model's table are of no passage, or of another text than their passage's."""
    return np.concatenate([parked(conn), waiting(conn, model_id)])


def read_blocks(conn: apsw.Connection, model_id: int) -> Iterator[tuple[Ids, Vector]]:
    """Yield all vectors in blocks of about a thousand rows as (ids, matrix), in the order of the file.

    For libraries whose vectors do not fit in memory at once. Run it to its end or close it: it holds a read snapshot.
    """
    with snapshot(conn):
        size, unused = dimension(conn, model_id), _unused(conn, model_id)
        try:
            places = vec0_chunks.places(conn, table(model_id), size)
        except vec0_chunks.UnknownLayout:
            ids = live_ids(conn, model_id)
            yield ids, _read_rows(conn, model_id, ids, size)
            return
        yield from _read_places(conn, model_id, places, size, unused)


def _read_places(
    conn: apsw.Connection, model_id: int, places: Iterable[vec0_chunks.Place], size: int, unused: Ids
) -> Iterator[tuple[Ids, Vector]]:
    for place in places:
        ids, matrix = vec0_chunks.read(conn, table(model_id), place, size)
        live = ~np.isin(ids, unused)
        yield (ids, matrix) if live.all() else (ids[live], matrix[live])


def read_matrix(conn: apsw.Connection, model_id: int, room: Callable[[int], int] = lambda _: 0) -> tuple[Ids, Vector]:
    """Return all vectors as ids int64 (n,), ascending, and float32 (n, dimension), row for row.

    `room` of n is how many rows follow in the matrix that hold nothing yet.
    """
    with snapshot(conn):
        size, unused = dimension(conn, model_id), _unused(conn, model_id)
        try:
            places = vec0_chunks.places(conn, table(model_id), size)
        except vec0_chunks.UnknownLayout:
            ids = live_ids(conn, model_id)
            matrix = np.empty((len(ids) + room(len(ids)), size), dtype=np.float32)
            matrix[: len(ids)] = _read_rows(conn, model_id, ids, size)
            return ids, matrix
        ids = _ids_in(conn, model_id, places, unused)
        matrix = np.empty((len(ids) + room(len(ids)), size), dtype=np.float32)
        for place in places:
            at = _rows_in_one_piece(ids, place)
            if at is not None:
                vec0_chunks.read_into(conn, table(model_id), place, matrix[at])
                continue
            for block_ids, block in _read_places(conn, model_id, [place], size, unused):
                matrix[np.searchsorted(ids, block_ids)] = block
    return ids, matrix


def _rows_in_one_piece(ids: Ids, place: vec0_chunks.Place) -> slice | None:
    """Return where in a matrix of these ids all of a chunk goes, as it is; None where it must be taken apart."""
    own = place.ids
    first = int(np.searchsorted(ids, own[0])) if len(own) else 0
    there = slice(first, first + len(own))
    return there if len(own) and place.is_filled_from_first and np.array_equal(ids[there], own) else None


def _ids_in(conn: apsw.Connection, model_id: int, places: Sequence[vec0_chunks.Place], unused: Ids) -> Ids:
    """Return the ids in the slots in use, ascending, without these; raise where the table's own index has others.

    That there are as many is asked here, in a tenth of the time that reading that index takes; `doctor` reads it.
    """
    held = np.sort(np.concatenate([place.rowids[place.used] for place in places])) if places else np.empty(0, np.int64)
    if len(held) != row_count(conn, model_id) or (held[1:] == held[:-1]).any():
        raise _damaged(conn)
    return held[~np.isin(held, unused)]


def vectors_of(conn: apsw.Connection, model_id: int, passage_ids: Sequence[int]) -> tuple[Ids, Vector]:
    """Return the vectors of these passages, as `read_matrix` does; passages that have none are left out."""
    with snapshot(conn):
        known = with_vectors(conn, model_id, passage_ids)
        known -= _waiting_among(conn, model_id, known)
        ids = np.setdiff1d(np.array(sorted(known), dtype=np.int64), parked(conn), assume_unique=True)
        return ids, _read_rows(conn, model_id, ids, dimension(conn, model_id))


def with_vectors(conn: apsw.Connection, model_id: int, passage_ids: Sequence[int]) -> set[int]:
    """Return which of these ids have a row in the model's table, whether or not it is of the passage's text."""
    rows = conn.execute(
        f"SELECT rowid FROM {table(model_id)}_rowids WHERE rowid IN (SELECT value FROM json_each(?))",
        (json.dumps([int(each) for each in passage_ids]),),
    )
    return {row[0] for row in rows}


def without_vectors(conn: apsw.Connection, model_id: int) -> list[int]:
    """Return the ids of the passages that lack a vector of this model, ascending.

    What is no words needs none, and what waits for one will have it.
    """
    coming = passage_counts.queued(conn, model_id)
    rows = conn.execute(
        f"""SELECT id FROM passage WHERE {passage_counts.WORDS}
        AND id NOT IN (SELECT rowid FROM {table(model_id)}_rowids) AND NOT {coming} ORDER BY id"""
    )
    return [row[0] for row in rows]


def _waiting_among(conn: apsw.Connection, model_id: int, passage_ids: Iterable[int]) -> set[int]:
    coming = passage_counts.queued(conn, model_id)
    rows = conn.execute(
        f"SELECT id FROM passage WHERE id IN (SELECT value FROM json_each(?)) AND {coming}",
        (json.dumps([int(each) for each in passage_ids]),),
    )
    return {row[0] for row in rows}


def put(conn: apsw.Connection, model_id: int, passage_ids: Sequence[int], matrix: Vector) -> None:
    """Write the vectors (n, dimension) of these passages, in place where they have rows; inside a transaction.

    Raises ModelError before anything is written where a vector has the wrong shape, is zero, or is not finite.
    """
    if not len(passage_ids):
        return
    check(matrix, dimension(conn, model_id))
    present = with_vectors(conn, model_id, passage_ids)
    blobs = [
        (row.tobytes(), each) for each, row in zip(passage_ids, matrix.astype(np.float32, copy=False), strict=True)
    ]
    name = table(model_id)
    conn.executemany(f"UPDATE {name} SET embedding = ? WHERE rowid = ?", [row for row in blobs if row[1] in present])
    conn.executemany(
        f"INSERT INTO {name}(embedding, rowid) VALUES(?, ?)", [row for row in blobs if row[1] not in present]
    )


def forget(conn: apsw.Connection, model_id: int, passage_ids: Sequence[int]) -> None:
    """Really delete the rows of these passages; the file keeps their space until it is compacted."""
    present = with_vectors(conn, model_id, passage_ids)
    conn.executemany(f"DELETE FROM {table(model_id)} WHERE rowid = ?", [(each,) for each in sorted(present)])


def check(matrix: Vector, size: int) -> None:
    """Raise ModelError unless every row has `size` finite components and a direction."""
    if matrix.ndim != 2 or matrix.shape[1] != size:
        raise ModelError(
            "The model's vectors do not fit the library.",
            cause=f"Vectors of {size} components are expected, and these have the shape {matrix.shape}.",
            fix="Build the library for this model with `carrel models use`.",
        )
    lengths = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ModelError(
            "The model gave a vector that cannot be compared.",
            cause="A component is not a number, or all of them are zero.",
            fix="Install the model again with `carrel models`, or use another one.",
        )


def _read_rows(conn: apsw.Connection, model_id: int, ids: Ids, size: int) -> Vector:
    matrix = np.empty((len(ids), size), dtype=np.float32)
    sql = f"SELECT embedding FROM {table(model_id)} WHERE rowid = ?"
    for row, each in enumerate(ids.tolist()):
        matrix[row] = np.frombuffer(conn.execute(sql, (each,)).get, dtype=np.float32)
    return matrix


def _column(conn: apsw.Connection, sql: str) -> Ids:
    return np.fromiter(chain.from_iterable(conn.execute(sql)), dtype=np.int64)


def _damaged(conn: apsw.Connection) -> LibraryDamaged:
    return LibraryDamaged(
        f"The vectors in {path_of(conn)} do not agree with their own index.", fix="Run `carrel doctor --repair`."
    )
