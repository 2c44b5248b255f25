"""Rows that are wrong: the doctor finds them and `--repair` mends them, and nothing is repaired that is sound."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from sound_library import Sound, assert_as_before, care, faults, library, sound

from engine.errors import LibraryBusy
from engine.library import Library
from engine.records import SearchSettings
from engine.retrieval import tier_calibration
from engine.store import backup
from engine.store.connection import open_writer
from engine.store.lock import IndexerLock
from engine.store.vector_tables import table

__all__ = ["library", "sound"]


def delete_words(conn: apsw.Connection, model: int) -> None:
    conn.execute("INSERT INTO passage_fts(passage_fts) VALUES('delete-all')")


def forget_words_of_one(conn: apsw.Connection, model: int) -> None:
    conn.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    conn.execute("DELETE FROM passage_fts_docsize WHERE id = 5")


def change_text_behind_the_words(conn: apsw.Connection, model: int) -> None:
    conn.execute("UPDATE passage SET text = replace(text, 'harbour', 'HARBORS') WHERE id = 3")


def delete_a_vector(conn: apsw.Connection, model: int) -> None:
    conn.execute(f"DELETE FROM {table(model)} WHERE rowid = 4")


def write_nan(conn: apsw.Connection, model: int) -> None:
    write_vector(conn, model, np.full(size(conn, model), np.nan, np.float32))


def write_infinity(conn: apsw.Connection, model: int) -> None:
    write_vector(conn, model, np.full(size(conn, model), np.inf, np.float32))


def write_wrong_norm(conn: apsw.Connection, model: int) -> None:
    write_vector(conn, model, np.full(size(conn, model), 0.5, np.float32))


def lose_a_block_of_vectors(conn: apsw.Connection, model: int) -> None:
    conn.execute(f"DELETE FROM {table(model)}_vector_chunks00")


def lose_a_list_of_vectors(conn: apsw.Connection, model: int) -> None:
    conn.execute(f"DELETE FROM {table(model)}_chunks")


def other_dimension(conn: apsw.Connection, model: int) -> None:
    conn.execute(f"DROP TABLE {table(model)}")
    conn.execute(f"CREATE VIRTUAL TABLE {table(model)} USING vec0(embedding float[3] distance_metric=cosine)")


def lose_the_table_of_vectors(conn: apsw.Connection, model: int) -> None:
    conn.execute(f"DROP TABLE {table(model)}")


def vector_of_nothing(conn: apsw.Connection, model: int) -> None:
    unit = np.zeros(size(conn, model), np.float32)
    unit[0] = 1
    conn.execute(f"INSERT INTO {table(model)}(rowid, embedding) VALUES(99999, ?)", (unit.tobytes(),))


def forget_a_document(conn: apsw.Connection, model: int) -> None:
    conn.execute("DELETE FROM document WHERE id = 2")


def orphan_counts(conn: apsw.Connection, model: int) -> None:
    conn.execute("INSERT INTO left_out(folder_id, reason, count) VALUES(77, 'hidden', 1)")
    conn.execute("INSERT INTO calibration(model_id, name, value) VALUES(77, 'x', 1)")


def table_of_no_model(conn: apsw.Connection, model: int) -> None:
    conn.execute("CREATE VIRTUAL TABLE vector_77 USING vec0(embedding float[3])")


def gap_in_the_ordinals(conn: apsw.Connection, model: int) -> None:
    conn.execute("UPDATE passage SET ordinal = ordinal + 9 WHERE id = (SELECT max(id) FROM passage)")


def delete_a_passage(conn: apsw.Connection, model: int) -> None:
    conn.execute("DELETE FROM passage WHERE id = (SELECT min(id) FROM passage)")


def mark_a_passage_as_gone(conn: apsw.Connection, model: int) -> None:
    conn.execute("INSERT INTO free_slot VALUES(6)")


def size(conn: apsw.Connection, model: int) -> int:
    return len(conn.execute(f"SELECT embedding FROM {table(model)} WHERE rowid = 1").get) // 4


def write_vector(conn: apsw.Connection, model: int, vector: np.ndarray) -> None:
    """Write into vec0's own block, for vec0 itself would refuse some of this."""
    blob = bytearray(conn.execute(f"SELECT vectors FROM {table(model)}_vector_chunks00").get)
    blob[vector.nbytes : 2 * vector.nbytes] = vector.tobytes()
    conn.execute(f"UPDATE {table(model)}_vector_chunks00 SET vectors = ?", (bytes(blob),))


ROWS: dict[Callable[[apsw.Connection, int], None], str] = {
    delete_words: "words",
    forget_words_of_one: "words",
    change_text_behind_the_words: "words",
    delete_a_vector: "vectors",
    write_nan: "vector values",
    write_infinity: "vector values",
    write_wrong_norm: "vector values",
    lose_a_block_of_vectors: "vectors",
    lose_a_list_of_vectors: "vectors",
    other_dimension: "vector size",
    lose_the_table_of_vectors: "vector size",
    vector_of_nothing: "stray vectors",
    forget_a_document: "orphan passages",
    orphan_counts: "orphan rows",
    table_of_no_model: "orphan rows",
    gap_in_the_ordinals: "passage order",
    delete_a_passage: "passage order",
    mark_a_passage_as_gone: "stray vectors",
}


@pytest.mark.parametrize("damage", ROWS, ids=lambda damage: damage.__name__)
def test_damaged_rows_are_found_and_repaired(
    library: Path, sound: Sound, damage: Callable[[apsw.Connection, int], None]
) -> None:
    conn = open_writer(library)
    conn.pragma("foreign_keys", False)
    damage(conn, sound.model)
    conn.close()
    found = faults(library)
    assert ROWS[damage] in {check.name for check in found}
    assert all(check.repairable and not check.remedy for check in found)

    examined = care(library).check(repair=True)

    assert examined.done and all(check.ok for check in examined.checks)
    assert_as_before(library, sound)


def test_files_that_others_may_read_are_found_and_made_private(library: Path, sound: Sound, tmp_path: Path) -> None:
    log = tmp_path / "home" / "state" / "carrel.log"
    log.parent.mkdir(parents=True)
    log.write_text("a search that failed")
    log.chmod(0o644)
    library.chmod(0o664)
    (found,) = faults(library)
    assert (found.name, found.repairable) == ("permissions", True)
    assert "carrel.log" in found.detail or found.count > 2

    (done,) = care(library).check(repair=True).done
    assert "readable by their owner only" in done

    assert_as_before(library, sound)
    assert (library.stat().st_mode & 0o777, log.stat().st_mode & 0o777) == (0o600, 0o600)


def test_files_of_other_programs_beside_the_library_are_neither_changed_nor_counted(
    library: Path, sound: Sound
) -> None:
    photos = library.with_name(f"{library.name}-photos") / "a.jpg"
    photos.parent.mkdir()
    others = (photos, library.with_name(f"{library.name}.md"), library.with_name(f"{library.name[:-2]}"))
    for each in others:
        each.write_bytes(bytes(1000))
        each.chmod(0o644)
    kept = library.with_name(f"{library.name}.before-restore-20261130-181124-2-wal")
    draft = library.with_name(f".{library.name}.part-12-wal")
    for each in (kept, draft):
        each.write_bytes(bytes(10))
        each.chmod(0o644)
    care(library).check(repair=True)
    assert {each.stat().st_mode & 0o777 for each in others} == {0o644}
    assert {each.stat().st_mode & 0o777 for each in (kept, draft)} == {0o600}
    (beside,) = [each for each in care(library).check().kept if each.name == "beside it"]
    assert beside.bytes < 1000
    assert_as_before(library, sound)


def test_the_draft_of_one_process_does_not_go_with_that_of_another(library: Path, tmp_path: Path) -> None:
    target = tmp_path / "carrel.backup"
    theirs = tmp_path / f".{target.name}.part-{os.getpid()}7"
    theirs.write_bytes(b"at work")
    backup.discard(target.with_name(f".{target.name}.part-{os.getpid()}"))
    assert theirs.read_bytes() == b"at work"


def test_a_sound_library_is_not_repaired(library: Path, sound: Sound) -> None:
    with IndexerLock(library).acquire("syncing"):
        assert care(library).check(repair=True).done == ()
    assert_as_before(library, sound)


def test_the_doctor_looks_while_another_process_indexes_and_repairs_only_after(library: Path) -> None:
    conn = open_writer(library)
    conn.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    conn.execute("DELETE FROM passage_fts_docsize WHERE id = 5")
    conn.close()
    with IndexerLock(library).acquire("syncing"):
        assert [check.name for check in faults(library)][:1] == ["words"]
        with pytest.raises(LibraryBusy):
            care(library).check(repair=True)


@pytest.mark.parametrize(
    ("figure", "check"),
    [("1, 'tiers', 'damaged'", "values"), ("1, 'nearest_words', 'damaged'", "values"), ("7, 'x', 1", "orphan rows")],
)
def test_figures_that_cannot_be_read_are_computed_anew_by_the_repair(
    library: Path, sound: Sound, monkeypatch: pytest.MonkeyPatch, figure: str, check: str
) -> None:
    fitted: list[int] = []
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: fitted.append(1))
    conn = open_writer(library)
    conn.pragma("foreign_keys", False)
    conn.execute(f"INSERT OR REPLACE INTO calibration VALUES({figure})")
    conn.close()
    assert {each.name for each in faults(library)} == {check}
    assert all(each.ok for each in care(library).check(repair=True).checks)
    assert fitted == [1]
    assert_as_before(library, sound)


def test_what_a_mark_is_known_again_by_is_made_anew_by_the_repair(library: Path, sound: Sound) -> None:
    with Library.open(library, encoder=FakeEncoder()) as opened:
        opened.mark("harbour", opened.search("harbour").hits[0].passage_id)
    conn = open_writer(library)
    select = "SELECT key, value FROM meta WHERE key LIKE 'sketch:%'"
    before = conn.execute(select).fetchall()
    conn.execute("UPDATE meta SET value = 'damaged' WHERE key LIKE 'sketch:%'")
    conn.close()
    assert {check.name for check in faults(library)} == {"values"}
    assert all(check.ok for check in care(library).check(repair=True).checks)
    conn = open_writer(library)
    assert conn.execute(select).fetchall() == before != []
    conn.close()


@pytest.mark.parametrize("number", [-1, 0, 2**62])
def test_a_model_of_a_number_that_none_has_is_forgotten_by_the_repair(library: Path, number: int) -> None:
    conn = open_writer(library)
    conn.pragma("foreign_keys", False)
    conn.execute("UPDATE model SET id = ?", (number,))
    conn.close()
    assert "values" in {check.name for check in faults(library)}
    assert all(check.ok for check in care(library).check(repair=True).checks)
    with Library.open(library, encoder=FakeEncoder()) as opened:
        assert (opened.status().model, opened.status().pending) == ("fake", 0)


def test_text_that_was_damaged_behind_the_words_is_read_again_by_the_repair(library: Path, sound: Sound) -> None:
    conn = open_writer(library)
    change_text_behind_the_words(conn, sound.model)
    conn.execute("UPDATE document SET title = 'Sardine' WHERE id = 2")
    conn.close()
    assert {check.name for check in faults(library)} == {"words"}
    assert all(check.ok for check in care(library).check(repair=True).checks)
    with Library.open(library, encoder=FakeEncoder()) as opened:
        assert opened.search("sardine", settings=SearchSettings(fusion="keyword")).hits == ()
    assert_as_before(library, sound)


def test_a_sync_embeds_a_library_that_lost_its_model(library: Path, sound: Sound) -> None:
    conn = open_writer(library)
    conn.pragma("foreign_keys", False)  # so that its figures stay
    conn.execute("DELETE FROM model")
    conn.execute("INSERT INTO calibration VALUES(1, 'tiers', 'of another model')")
    conn.close()
    with Library.open(library, encoder=FakeEncoder()) as opened:
        opened.sync()
        assert opened.status().model == "fake"
        assert all(check.ok for check in care(library).check().checks)
        assert not any(hit.pending for hit in opened.search("harbour").hits)


def test_a_rebuild_tells_that_the_model_in_use_could_not_be_read(library: Path) -> None:
    conn = open_writer(library)
    conn.execute("UPDATE model SET manifest = '{'")
    conn.close()
    rebuilt = care(library).rebuild()
    assert rebuilt.lost == {"models": 1}
