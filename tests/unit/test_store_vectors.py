"""Vectors are read in one piece as sqlite-vec gives them row by row."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import numpy as np
import pytest
from store_samples import DIMENSION, Sample

from engine.errors import ModelError
from engine.store import integrity, vacuum, vec0_chunks, vector_tables
from engine.store.connection import open_reader


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """Three thousand vectors in three chunks, after removals that left some parked and some holes."""
    sample = Sample(tmp_path / "library.carrel")
    for number in range(30):
        sample.put(f"{number}.md", "\n\n".join(f"paragraph {number} {i}" for i in range(100)))
    with sample.writer.transaction():
        sample.writer.remove([sample.document(f"{number}.md") for number in (3, 17, 18)])
        vector_tables.forget(sample.conn, sample.model, [350, 360])
        sample.conn.execute("DELETE FROM free_slot WHERE id IN (350, 360)")
    sample.put("new.md", "\n\n".join(f"new paragraph {i}" for i in range(150)))
    return sample


def row_by_row(conn: apsw.Connection, model: int) -> tuple[list[int], np.ndarray]:
    rows = conn.execute(
        f"SELECT rowid, embedding FROM {vector_tables.table(model)} WHERE rowid NOT IN (SELECT id FROM free_slot)"
    ).fetchall()
    rows.sort(key=lambda row: int(row[0]))  # type: ignore[arg-type]
    return [int(row[0]) for row in rows], np.stack([np.frombuffer(row[1], dtype=np.float32) for row in rows])  # type: ignore[arg-type]


def test_the_matrix_is_what_sqlite_vec_gives_row_by_row(sample: Sample) -> None:
    expected_ids, expected = row_by_row(sample.conn, sample.model)
    ids, matrix = vector_tables.read_matrix(sample.conn, sample.model)
    assert ids.dtype == np.int64
    assert ids.tolist() == expected_ids
    assert np.array_equal(matrix, expected)
    assert set(expected_ids) == {row[0] for row in sample.conn.execute("SELECT id FROM passage")}


def test_chunks_that_are_read_in_one_piece_are_what_sqlite_vec_gives_row_by_row(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    for number in range(21):
        sample.put(f"{number}.md", "\n\n".join(f"paragraph {number} {i}" for i in range(110)))
    expected_ids, expected = row_by_row(sample.conn, sample.model)
    ids, matrix = vector_tables.read_matrix(sample.conn, sample.model, lambda count: 7)
    assert (ids.tolist(), len(matrix)) == (expected_ids, len(expected_ids) + 7)
    assert np.array_equal(matrix[: len(ids)], expected)


def test_an_unknown_layout_is_read_through_sql_with_the_same_result(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast_ids, fast = vector_tables.read_matrix(sample.conn, sample.model)
    real = vec0_chunks._place
    monkeypatch.setattr(vec0_chunks, "_place", lambda row, dimension: real(row, dimension + 1))
    with pytest.raises(vec0_chunks.UnknownLayout):
        vec0_chunks.places(sample.conn, vector_tables.table(sample.model), DIMENSION)
    ids, matrix = vector_tables.read_matrix(sample.conn, sample.model)
    assert np.array_equal(ids, fast_ids)
    assert np.array_equal(matrix, fast)


def test_a_reader_reads_the_same_matrix_and_leaves_nothing_open(sample: Sample) -> None:
    reader = open_reader(sample.path)
    assert np.array_equal(
        vector_tables.read_matrix(reader, sample.model)[1], vector_tables.read_matrix(sample.conn, sample.model)[1]
    )
    assert not reader.in_transaction
    sample.put("more.md", "one more")
    assert len(vector_tables.read_matrix(reader, sample.model)[0]) == len(
        vector_tables.read_matrix(sample.conn, sample.model)[0]
    )


def test_an_empty_library_has_an_empty_matrix(tmp_path: Path) -> None:
    empty = Sample(tmp_path / "library.carrel")
    ids, matrix = vector_tables.read_matrix(empty.conn, empty.model)
    assert (ids.shape, matrix.shape) == ((0,), (0, DIMENSION))


def test_vectors_of_single_passages_leave_out_parked_and_unknown_ids(sample: Sample) -> None:
    all_ids, matrix = vector_tables.read_matrix(sample.conn, sample.model)
    gone = int(vector_tables.parked(sample.conn)[0])
    ids, rows = vector_tables.vectors_of(sample.conn, sample.model, [5, 2, gone, 10**6])
    assert ids.tolist() == [2, 5]
    assert np.array_equal(rows, matrix[np.isin(all_ids, [2, 5])])


def test_a_query_without_a_direction_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot be compared"):
        vector_tables.check(np.zeros((1, DIMENSION), dtype=np.float32), DIMENSION)


def test_a_model_that_has_no_vectors_is_named_as_the_trouble(sample: Sample) -> None:
    with pytest.raises(ModelError, match="no vectors"):
        vector_tables.dimension(sample.conn, 99)


def test_compaction_gives_space_back_and_changes_no_passage(sample: Sample) -> None:
    rng = random.Random(3)
    with sample.writer.transaction():
        sample.writer.remove([sample.document(f"{number}.md") for number in rng.sample(range(19, 30), 10)])
    ids, matrix = vector_tables.read_matrix(sample.conn, sample.model)
    assert vacuum.waste(sample.conn) > 0
    vacuum.compact(sample.conn)
    assert vacuum.waste(sample.conn) < 0.02
    assert len(vector_tables.parked(sample.conn)) == 0
    compacted_ids, compacted = vector_tables.read_matrix(sample.conn, sample.model)
    assert np.array_equal(compacted_ids, ids)
    assert np.array_equal(compacted, matrix)
    sample.put("later.md", "written after compaction")
    assert np.array_equal(vector_tables.vectors_of(sample.conn, sample.model, [int(ids[0])])[1], matrix[:1])
    assert [check for check in integrity.checks(sample.conn) if not check.ok] == []
