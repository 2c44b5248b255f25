"""The check of a library finds every damage, and the repair mends what can be mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest
from store_samples import DIMENSION, Sample, facts, vector_for

from engine.errors import LibraryDamaged
from engine.store import documents, integrity, repair, vector_tables
from engine.store.connection import open_reader
from engine.store.documents import known_files
from engine.store.transactions import transaction


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "one\n\ntwo\n\nthree", title="Notes", headings=("Part",))
    sample.put("b.md", "four\n\nfive")
    sample.put("empty.md", "")
    return sample


def faults(conn: apsw.Connection) -> dict[str, int]:
    return {check.name: check.count for check in integrity.checks(conn) if not check.ok}


def forget_folder(sample: Sample) -> None:
    sample.conn.pragma("foreign_keys", False)
    sample.conn.execute("DELETE FROM folder")


def forget_document(sample: Sample) -> None:
    sample.conn.pragma("foreign_keys", False)
    sample.conn.execute("DELETE FROM document WHERE path = CAST('a.md' AS BLOB)")


def change_text_behind_the_index(sample: Sample) -> None:
    sample.conn.execute("UPDATE passage SET text = 'something else' WHERE text LIKE 'four%'")


def lose_an_index_row(sample: Sample) -> None:
    sample.conn.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    sample.conn.execute("DELETE FROM passage_fts_docsize WHERE id = 2")


def lose_a_vector(sample: Sample) -> None:
    vector_tables.forget(sample.conn, sample.model, [2])


def gain_a_vector(sample: Sample) -> None:
    vector_tables.put(sample.conn, sample.model, [77], vector_for(b"12345678")[None, :])


def park_a_passage_in_use(sample: Sample) -> None:
    sample.conn.execute("INSERT INTO free_slot VALUES(2)")


def write_half_a_vector(sample: Sample) -> None:
    vector_tables.put(sample.conn, sample.model, [2], vector_for(b"12345678")[None, :] / 2)


def write_no_number(sample: Sample) -> None:
    blob = np.full(DIMENSION, np.nan, dtype=np.float32).tobytes()
    sample.conn.execute(f"UPDATE vector_{sample.model} SET embedding = ? WHERE rowid = 2", (blob,))


def open_a_gap(sample: Sample) -> None:
    sample.conn.execute("UPDATE passage SET ordinal = 5 WHERE ordinal = 2")


def shift_a_span(sample: Sample) -> None:
    sample.conn.execute("UPDATE passage SET start = start + 1 WHERE ordinal = 1")


DAMAGES: dict[Callable[[Sample], None], set[str]] = {
    forget_folder: {"orphan documents"},
    forget_document: {"orphan passages", "words"},
    change_text_behind_the_index: {"words"},
    lose_an_index_row: {"words"},
    lose_a_vector: {"vectors"},
    gain_a_vector: {"stray vectors"},
    park_a_passage_in_use: {"stray vectors"},
    write_half_a_vector: {"vector values"},
    write_no_number: {"vector values"},
    open_a_gap: {"passage order"},
    shift_a_span: {"passage order"},
}


def test_a_sound_library_passes_every_check(sample: Sample) -> None:
    assert all(check.ok and check.count == 0 and check.detail for check in integrity.checks(sample.conn))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_every_damage_is_found_and_mended(sample: Sample, damage: Callable[[Sample], None]) -> None:
    damage(sample)
    assert faults(sample.conn).keys() == DAMAGES[damage]
    assert all(check.repairable for check in integrity.checks(sample.conn) if not check.ok)
    repair.repair(sample.conn)
    assert not faults(sample.conn).keys() - {"vectors", "passage order"}
    for known in documents.known_files(sample.conn, sample.folder).values():
        if known.content_hash is None:  # as a sync would: it differs from the file
            sample.put(known.path.decode(), documents.text_of(sample.conn, known.id), title=None)
    assert faults(sample.conn) == {}


def test_a_repair_names_the_documents_that_the_next_sync_reads_again(sample: Sample) -> None:
    lose_a_vector(sample)
    assert repair.repair(sample.conn) == repair.Repaired(orphans=0, vectors=0, documents_to_read=1)
    known = known_files(sample.conn, sample.folder)
    assert (known[b"a.md"].content_hash, known[b"a.md"].mtime_ns) == (None, 0)
    assert known[b"b.md"].content_hash == facts("b.md", "four\n\nfive").content_hash


def test_a_passage_that_lost_its_vector_gets_it_back_and_keeps_its_id(sample: Sample) -> None:
    ids = sample.passages("a.md")
    vector_tables.forget(sample.conn, sample.model, [ids["two"]])
    assert sample.put("a.md", "one\n\ntwo\n\nthree", title="Notes", headings=("Part",)).removed == 0
    assert sample.passages("a.md") == ids
    assert faults(sample.conn) == {}


def test_a_reader_checks_the_words_without_writing(sample: Sample) -> None:
    change_text_behind_the_index(sample)
    sample.conn.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    before = sample.path.read_bytes()
    assert faults(open_reader(sample.path)).keys() == {"words"}
    assert sample.path.read_bytes() == before


def test_vectors_of_another_size_than_the_model_gives_are_told(sample: Sample) -> None:
    sample.conn.execute("UPDATE model SET manifest = '{\"dimension\": 384}'")
    assert faults(sample.conn) == {"vector size": 1}


def test_damaged_pages_are_found_and_told_to_be_beyond_repair(sample: Sample) -> None:
    sample.conn.close()
    content = bytearray(sample.path.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    first = 2 * page
    content[first : first + 8 * page] = b"\xa5" * (8 * page)
    sample.path.write_bytes(content)
    try:
        found = integrity.checks(open_reader(sample.path))
    except LibraryDamaged:
        return
    file = found[0]
    assert (file.name, file.ok, file.repairable) == ("file", False, False)


def test_repair_makes_readers_read_all_vectors_anew(sample: Sample) -> None:
    from engine.store import change_log

    seen = change_log.latest(sample.conn)
    repair.repair(sample.conn)
    assert not change_log.reaches(sample.conn, seen)
    with transaction(sample.conn):
        change_log.record(sample.conn, "put", [1])
    assert change_log.reaches(sample.conn, change_log.latest(sample.conn) - 1)
