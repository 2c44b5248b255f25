"""Passages that wait for their vector: found by words, told apart from gaps, and embedded in a person's order."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import library_of, write
from store_samples import DIMENSION, Sample, hash_of, vector_for

from engine.errors import LibraryBusy, LibraryFull, ModelError, PathError
from engine.indexer.embedding_turns import EmbeddingTurns
from engine.indexing import sync
from engine.indexing.embedding_queue import EmbeddingQueue
from engine.indexing.outdated_documents import documents_with_gaps
from engine.indexing.stop_signal import Never
from engine.indexing.sync_progress import MeaningMeter
from engine.library import Library
from engine.maintenance import Maintenance, value_checks
from engine.records import SearchSettings
from engine.retrieval.vector_index import VectorIndex
from engine.store import backup, change_log, integrity, models, pending_vectors, repair, vector_tables
from engine.store.connection import open_writer
from engine.store.transactions import transaction
from engine.store.vacuum import compact

pytestmark = pytest.mark.usefixtures("unfitted")

DAY = 86_400 * 10**9


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "library.carrel")


def embedded(text: str) -> str:
    """What the encoder is to see of a paragraph of a sample."""
    return f"\n{text}"


def order(sample: Sample, most: int = 9) -> list[str]:
    return [text.strip() for text in pending_vectors.next_batch(sample.conn, most).values()]


def with_vector(sample: Sample) -> set[int]:
    return set(vector_tables.live_ids(sample.conn, sample.model).tolist())


def assert_sound(sample: Sample) -> None:
    assert [check for check in integrity.checks(sample.conn) if not check.ok] == []


def test_what_changed_last_is_embedded_first_and_what_was_asked_for_before_it(sample: Sample) -> None:
    sample.put("old.md", "long ago", mtime_ns=1 * DAY, embedded=False)
    sample.put("new.md", "today\n\ntoday too", mtime_ns=3 * DAY, embedded=False)
    sample.put("middle.md", "between", mtime_ns=2 * DAY, embedded=False)
    assert order(sample) in (
        ["today", "today too", "between", "long ago"],
        ["today too", "today", "between", "long ago"],
    )
    with transaction(sample.conn):
        assert pending_vectors.ask(sample.conn, [hash_of(embedded("long ago")), hash_of(embedded("between"))]) == 2
    assert order(sample, 2) == ["long ago", "between"]
    with transaction(sample.conn):
        pending_vectors.ask(sample.conn, [hash_of(embedded("today"))])
    assert order(sample, 3) == ["today", "long ago", "between"]


def test_an_edit_brings_the_rest_of_its_file_forward(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo", mtime_ns=1 * DAY, embedded=False)
    sample.put("b.md", "other", mtime_ns=2 * DAY, embedded=False)
    sample.put("a.md", "one\n\ntwo\n\nthree", mtime_ns=3 * DAY, embedded=False)
    assert set(order(sample, 3)) == {"one", "two", "three"}


def test_a_text_that_waits_in_two_files_is_embedded_once_for_both(sample: Sample) -> None:
    sample.put("a.md", "same", embedded=False)
    count = sample.put("b.md", "same", embedded=False)
    assert (count.pending, count.reused, pending_vectors.count(sample.conn)) == (0, 1, 1)
    assert sample.settle() == 1
    assert with_vector(sample) == {*sample.passages("a.md").values(), *sample.passages("b.md").values()}
    assert pending_vectors.count(sample.conn) == 0
    assert_sound(sample)


def test_a_text_that_waits_is_gone_with_the_last_passage_that_holds_it(sample: Sample) -> None:
    sample.put("a.md", "secret\n\nkept", embedded=False)
    sample.put("b.md", "secret", embedded=False)
    with sample.writer.transaction():
        sample.writer.remove([sample.document("b.md")])
    assert set(order(sample)) == {"secret", "kept"}
    sample.put("a.md", "kept", embedded=False)
    assert order(sample) == ["kept"]
    with sample.writer.transaction():
        sample.writer.remove([sample.document("a.md")])
    assert pending_vectors.count(sample.conn) == 0
    assert_sound(sample)


def test_a_vector_that_comes_too_late_for_its_passage_is_dropped(sample: Sample) -> None:
    sample.put("a.md", "gone soon", embedded=False)
    with sample.writer.transaction():
        sample.writer.remove([sample.document("a.md")])
    assert sample.settle(embedded("gone soon")) == 0
    assert with_vector(sample) == set()
    assert_sound(sample)


def test_the_vector_of_the_text_before_is_never_taken_for_that_of_a_text_that_waits(sample: Sample) -> None:
    sample.put("a.md", "before\n\nbeside")
    index = VectorIndex(sample.model)
    assert len(index.at(sample.conn).ids) == 2
    sample.put("a.md", "after\n\nbeside", embedded=False)
    after, beside = (sample.passages("a.md")[each] for each in ("after", "beside"))
    row = f"SELECT count(*) FROM {vector_tables.table(sample.model)}_rowids WHERE rowid = ?"
    assert sample.conn.execute(row, (after,)).get == 1, "the row of the text before is still there"
    assert with_vector(sample) == {beside}
    assert vector_tables.read_matrix(sample.conn, sample.model)[0].tolist() == [beside]
    assert vector_tables.vectors_of(sample.conn, sample.model, [after, beside])[0].tolist() == [beside]
    seen = index.at(sample.conn)
    assert seen.positions(np.array([after]))[0] == -1 or not seen.rows.alive[seen.positions(np.array([after]))[0]]
    assert sample.writer.missing([hash_of(embedded("after"))]) == {hash_of(embedded("after"))}
    sample.settle()
    seen = index.at(sample.conn)
    where = seen.positions(np.array([after]))
    assert np.array_equal(seen.exactly(sample.conn, where)[0], vector_for(hash_of(embedded("after"))))
    assert_sound(sample)


def test_an_id_that_was_given_up_lends_no_vector_to_the_text_that_takes_it(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo")
    with sample.writer.transaction():
        sample.writer.remove([sample.document("a.md")])
    sample.put("b.md", "three", embedded=False)
    assert list(sample.passages("b.md").values()) == [1]
    assert with_vector(sample) == set()
    compact(sample.conn)
    assert with_vector(sample) == set()
    sample.settle()
    assert with_vector(sample) == {1}
    assert_sound(sample)


def test_a_pending_vector_is_no_missing_one(sample: Sample) -> None:
    sample.put("a.md", "one", embedded=False)
    sample.put("b.md", "two")
    assert vector_tables.without_vectors(sample.conn, sample.model) == []
    assert documents_with_gaps(sample.conn, sample.model) == set()
    vectors = next(check for check in integrity.checks(sample.conn) if check.name == "vectors")
    assert vectors.ok
    assert vectors.detail == "every passage has a vector or waits for one (1 waits)"
    lost = sample.passages("b.md")["two"]
    with transaction(sample.conn):
        vector_tables.forget(sample.conn, sample.model, [lost])
    assert vector_tables.without_vectors(sample.conn, sample.model) == [lost]
    assert documents_with_gaps(sample.conn, sample.model) == {sample.document("b.md")}
    vectors = next(check for check in integrity.checks(sample.conn) if check.name == "vectors")
    assert (vectors.ok, vectors.count) == (False, 1)


def test_a_text_that_waits_for_no_passage_is_a_fault_that_repair_mends(sample: Sample) -> None:
    sample.put("a.md", "one", embedded=False)
    sample.conn.execute("INSERT INTO embedding_queue VALUES(x'99', ?, 'words of nobody', 0)", (sample.model,))
    assert [check.name for check in integrity.checks(sample.conn) if not check.ok] == ["orphan rows"]
    repair.repair(sample.conn)
    assert order(sample) == ["one"]
    assert_sound(sample)


def test_a_backup_and_a_compaction_keep_what_waits(sample: Sample, tmp_path: Path) -> None:
    sample.put("a.md", "one\n\ntwo", embedded=False)
    compact(sample.conn)
    assert set(order(sample)) == {"one", "two"}
    backup.back_up(sample.conn, tmp_path / "copy.carrel")
    copy = Sample.again(tmp_path / "copy.carrel")
    assert set(order(copy)) == {"one", "two"}
    assert copy.settle() == 2
    assert_sound(copy)


def test_a_vector_that_cannot_be_compared_leaves_its_text_waiting(sample: Sample) -> None:
    sample.put("a.md", "one", embedded=False)
    bad = {hash_of(embedded("one")): np.zeros(DIMENSION, np.float32)}
    with pytest.raises(ModelError), sample.writer.transaction():
        pending_vectors.settle(sample.conn, sample.model, bad)
    assert order(sample) == ["one"]


def test_what_is_found_of_a_passage_stays_when_its_vector_comes(sample: Sample) -> None:
    sample.put("a.md", "one", embedded=False)
    before = change_log.latest(sample.conn)
    sample.settle()
    assert change_log.replaced(sample.conn, before) == set()
    sample.put("a.md", "two", embedded=False)
    assert change_log.replaced(sample.conn, before) == set(sample.passages("a.md").values())


def second_model(sample: Sample) -> int:
    with transaction(sample.conn):
        return models.add(sample.conn, name="second", manifest="{}", fingerprint="g", dimension=DIMENSION)


def test_a_model_that_makes_the_same_passages_takes_over_what_waits(sample: Sample) -> None:
    sample.put("a.md", "one")
    sample.put("a.md", "two", embedded=False)
    sample.put("b.md", "three", embedded=False)
    other = second_model(sample)
    three = sample.passages("b.md")["three"]
    with transaction(sample.conn):
        vector_tables.put(sample.conn, other, [three], vector_for(hash_of("g"))[None, :])
        models.activate(sample.conn, other, same_passages=True)
    assert order(sample) == ["two"]
    assert vector_tables.live_ids(sample.conn, sample.model).tolist() == [], "the row of “one” is no vector of “two”"
    assert vector_tables.live_ids(sample.conn, other).tolist() == [three]
    assert documents_with_gaps(sample.conn, other) == set()


def test_with_a_model_that_cuts_otherwise_nothing_waits_and_all_is_read_again(sample: Sample) -> None:
    sample.put("a.md", "one")
    sample.put("b.md", "two", embedded=False)
    other = second_model(sample)
    with transaction(sample.conn):
        models.activate(sample.conn, other)
    assert pending_vectors.count(sample.conn) == 0
    assert documents_with_gaps(sample.conn, other) == {sample.document("a.md"), sample.document("b.md")}
    assert documents_with_gaps(sample.conn, sample.model) == set()
    assert pending_vectors.count(sample.conn, model_id=sample.model) == 1  # should one go back before all is read again


def test_what_waits_travels_with_an_export_is_found_by_words_and_embedded_where_it_arrives(tmp_path: Path) -> None:
    library = library_of(tmp_path, {"a.md": "# A\n\nThe harbour at night.\n"}, fitted=False)
    write(tmp_path / "notes", {"b.md": "# B\n\nA violin made of walnut.\n"})
    assert library.sync(meaning=False).pending == 1
    assert (library.status().pending, library.status().meaning) == (1, 0.5)
    lines: list[str] = []
    Maintenance(library.path, FakeEncoder()).export(lines.append)
    export = io.BytesIO("".join(lines).encode())

    class Gone(FakeEncoder):
        def encode_passages(self, texts: Sequence[str]):
            raise ModelError("The model is not installed.")

    imported = Maintenance(tmp_path / "other.carrel", Gone()).import_from(export, "it")
    assert (imported.documents, imported.embedded, imported.pending) == (2, 0, 1)
    other = Library.open(tmp_path / "other.carrel", encoder=FakeEncoder())
    assert other.search("walnut", settings=SearchSettings(fusion="keyword")).hits
    assert (other.sync().pending, other.status().pending) == (0, 0)
    assert all(check.ok for check in other.check())


def test_a_waiting_text_that_cannot_be_read_takes_the_vector_of_the_text_before_along(tmp_path: Path) -> None:
    with library_of(tmp_path, {"a.md": "Before the flood.\n", "b.md": "Beside it.\n"}, fitted=False) as library:
        write(tmp_path / "notes", {"a.md": "After the flood.\n"})
        library.sync(meaning=False)
        conn = open_writer(library.path)
        model = models.active(conn)
        assert model is not None
        rows = f"SELECT count(*) FROM {vector_tables.table(model.id)}_rowids"
        assert conn.execute(rows).get == 2
        conn.execute("UPDATE embedding_queue SET text = CAST(x'ff' AS TEXT)")
        assert value_checks.mend(conn) == [
            "Texts to embed dropped, to be read again: 1 (embedding_queue.text could not be read)."
        ]
        assert conn.execute(rows).get == 1
        assert len(documents_with_gaps(conn, model.id)) == 1
        conn.close()
        assert library.sync().embedded == 1


def test_the_pace_is_that_of_the_embedding_and_not_of_the_hours_before_it() -> None:
    now, told = [0.0], []
    meter = MeaningMeter(told.append, lambda: now[0])
    now[0] = 3600.0
    meter.resume()
    for pending in range(900, 0, -100):
        now[0] += 1.0
        meter.embedded(100, pending, 1000)
    assert [event.seconds_left for event in told[:2]] == [None, 8.0]
    assert {event.rate for event in told} == {100.0}
    now[0] += 1.5  # a note was saved and written meanwhile
    meter.resume()
    meter.embedded(100, 0, 1000)
    assert told[-1].rate > 80


def test_a_library_that_cannot_be_written_is_tried_again_after_a_rest(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.put("a.md", "one", embedded=False)
    turns = EmbeddingTurns(sample.conn, FakeEncoder, lambda event: None)

    def full(*_: object, **__: object) -> None:
        raise LibraryFull("The disk is full.", fix="Make room.")

    monkeypatch.setattr(turns._queue, "work", full)
    assert turns.due
    with pytest.raises(LibraryFull):
        turns.take(threading.Event())
    assert not turns.due


@pytest.mark.parametrize("fault", ["raises", "gives no direction"])
def test_a_text_on_which_the_model_fails_keeps_no_other_from_its_vector(sample: Sample, fault: str) -> None:
    class Picky(FakeEncoder):
        def encode_passages(self, texts: Sequence[str]):
            vectors = super().encode_passages(texts)
            for place, text in enumerate(texts):
                if "poison" in text:
                    if fault == "raises":
                        raise RuntimeError("a shape that does not fit")
                    vectors[place] = 0.0
            return vectors

    encoder = Picky(dimension=DIMENSION)
    with transaction(sample.conn):
        sample.conn.execute("UPDATE model SET fingerprint = ?", (encoder.manifest.fingerprint,))
    for number in range(20):
        text = "poison" if number == 17 else f"text {number}"
        sample.put(f"{number}.md", text, embedded=False, mtime_ns=number * DAY)
    queue = EmbeddingQueue(sample.conn, lambda: encoder, lambda event: None)
    for _ in range(3):  # an indexer rests for a minute between two
        with pytest.raises(ModelError):
            queue.work(Never())
    assert order(sample) == ["poison"]
    assert_sound(sample)


def test_copies_do_not_make_the_share_greater_than_it_is(tmp_path: Path) -> None:
    notes = {f"copy{number}.md": "The same in all of them.\n" for number in range(6)}
    with library_of(tmp_path, {**notes, "other.md": "Something else.\n"}, fitted=False) as library:
        assert library.status().meaning == 1.0
        write(tmp_path / "notes", {"one.md": "A new text.\n", "two.md": "A new text.\n", "three.md": "Another one.\n"})
        library.sync(meaning=False)
        status = library.status()
        assert (status.passages, status.texts, status.pending) == (10, status.texts, 2)
        assert status.meaning == pytest.approx(1 - 2 / status.texts)
        assert library.search("same", settings=SearchSettings(fusion="convex")).hits


def test_a_sync_of_one_folder_embeds_what_waits_there_and_leaves_the_rest(tmp_path: Path) -> None:
    notes = {"a.md": "The harbour at night.\n", "in/b.md": "A violin of walnut.\n", "in/c.md": "A loaf of rye.\n"}
    with library_of(tmp_path, {"old.md": "Older than all.\n"}, fitted=False) as library:
        write(tmp_path / "notes", notes)
        library.sync(meaning=False)
        report = library.sync([tmp_path / "notes" / "in"])
        assert (report.embedded, report.pending) == (2, 1)
        assert library.pending(asked=True) == 0
        found = library.search("harbour", settings=SearchSettings(fusion="convex")).hits
        assert [hit.pending for hit in found if hit.path.endswith(b"a.md")] == [True]
        write(tmp_path / "notes", {"in/d.md": "A kettle of tea.\n"})
        library.sync(meaning=False)
        library.embed_first([tmp_path / "notes" / "in" / "d.md"])  # as one does who asks an indexer that runs
        assert (library.pending(asked=True), library.pending()) == (1, 2)
        with pytest.raises(PathError):
            library.embed_first([tmp_path / "elsewhere"])


def test_whether_enough_vectors_have_come_to_fit_the_tiers_is_counted_in_passages(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        for copy in "abc":
            sample.put(f"{number}{copy}.md", f"text {number}", embedded=number < 1)
    fits: list[int] = []
    monkeypatch.setattr(sync, "LEAST_FITTED", 5)

    def look() -> None:
        sync.refit_where_due(sample.conn, lambda: fits.append(1), lambda event: None, Never())

    look()
    assert fits == []  # three passages have a vector, of twelve; three texts wait
    sample.settle(embedded("text 1"))
    look()
    assert fits == [1]


def test_a_library_that_is_busy_is_no_fault_of_a_text(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction(sample.conn):
        sample.conn.execute(
            "UPDATE model SET fingerprint = ?", (FakeEncoder(dimension=DIMENSION).manifest.fingerprint,)
        )
    for number in range(3):
        sample.put(f"{number}.md", f"text {number}", embedded=False)
    with transaction(sample.conn):
        pending_vectors.ask(sample.conn, [bytes(row[0]) for row in sample.conn.execute("SELECT hash FROM pending")])
    before = order(sample)

    def busy(*_: object, **__: object) -> None:
        raise LibraryBusy("The library is in use.", fix="Wait.")

    monkeypatch.setattr(pending_vectors, "settle", busy)
    queue = EmbeddingQueue(sample.conn, lambda: FakeEncoder(dimension=DIMENSION), lambda event: None)
    with pytest.raises(LibraryBusy):
        queue.work(Never())
    assert order(sample) == before
    assert pending_vectors.count(sample.conn, asked=True) == 3
