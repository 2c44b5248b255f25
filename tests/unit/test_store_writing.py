"""Writing a document: what stays keeps its id and its vector, and what is new waits to be embedded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from store_samples import DIMENSION, Sample, cut, facts, hash_of, vector_for

from engine.errors import ModelError
from engine.records import Document, Link
from engine.store import change_log, documents, integrity, models, pending_vectors, slots, vector_tables
from engine.store.document_writer import PutCount
from engine.store.row_mapping import FileFacts
from engine.store.transactions import transaction


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "library.carrel")


def assert_sound(sample: Sample) -> None:
    assert [check for check in integrity.checks(sample.conn) if not check.ok] == []


def test_a_new_file_is_found_by_its_words_and_its_vectors(sample: Sample) -> None:
    count = sample.put("a.md", "soil and water\n\nlight and air", title="Garden", tags=("green house",))
    assert count == PutCount(embedded=2, reused=0, removed=0)
    soil = sample.passages("a.md")["soil and water"]
    assert sample.find("water") == {soil}
    assert len(sample.find("title : garden")) == 2
    assert len(sample.find('tags : "green house"')) == 2
    _, vectors = vector_tables.vectors_of(sample.conn, sample.model, [soil])
    assert vectors[0] == pytest.approx(vector_for(hash_of("Garden\nsoil and water")), abs=1e-6)
    assert_sound(sample)


def test_an_edited_paragraph_embeds_only_itself_and_keeps_its_id(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo\n\nthree")
    before = sample.passages("a.md")
    assert sample.put("a.md", "one\n\ntwo, edited\n\nthree") == PutCount(embedded=1, reused=2, removed=1)
    after = sample.passages("a.md")
    assert (after["one"], after["three"]) == (before["one"], before["three"])
    assert after["two, edited"] == before["two"]
    assert sample.find("edited") == {before["two"]}
    assert documents.text_of(sample.conn, sample.document("a.md")) == "one\n\ntwo, edited\n\nthree"
    assert_sound(sample)


def test_a_paragraph_put_in_front_moves_the_others_and_embeds_only_itself(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo")
    before = sample.passages("a.md")
    assert sample.put("a.md", "zero\n\none\n\ntwo").embedded == 1
    rows = documents.passages_of(sample.conn, sample.document("a.md"))
    assert [(row.ordinal, row.text.strip()) for row in rows] == [(0, "zero"), (1, "one"), (2, "two")]
    assert [row.passage_id for row in rows[1:]] == [before["one"], before["two"]]
    assert_sound(sample)


def test_a_paragraph_that_stands_twice_keeps_two_passages(sample: Sample) -> None:
    assert sample.put("a.md", "same\n\nother\n\nsame").embedded == 2
    assert sample.put("a.md", "same\n\nsame\n\nother") == PutCount(embedded=0, reused=3, removed=0)
    assert len(sample.find("same")) == 2
    assert sample.put("a.md", "same\n\nother").removed == 1
    assert len(sample.find("same")) == 1
    assert_sound(sample)


def test_a_copied_file_needs_no_encoder(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo", title="Notes")
    assert sample.put("copy.md", "one\n\ntwo", title="Notes") == PutCount(embedded=0, reused=2, removed=0)
    _, matrix = vector_tables.read_matrix(sample.conn, sample.model)
    assert np.array_equal(matrix[:2], matrix[2:])


def test_a_file_without_its_vectors_is_found_by_words_and_waits(sample: Sample) -> None:
    sample.put("a.md", "one")
    count = sample.put("a.md", "one\n\nnever seen", embedded=False)
    assert count == PutCount(embedded=0, reused=1, removed=0, pending=1)
    assert sample.find("never") == {sample.passages("a.md")["never seen"]}
    assert pending_vectors.next_batch(sample.conn, 9) == {hash_of("\nnever seen"): "\nnever seen"}
    assert_sound(sample)


@pytest.mark.parametrize("bad", [np.zeros(DIMENSION), np.full(DIMENSION, np.nan), np.ones(DIMENSION + 1)])
def test_a_vector_that_cannot_be_compared_is_refused(sample: Sample, bad: np.ndarray) -> None:
    passages = cut("one")
    document = Document("one", "a.md", False, "text")
    with pytest.raises(ModelError), sample.writer.transaction():
        sample.writer.put(sample.folder, facts("a.md"), document, passages, {passages[0].hash: bad.astype(np.float32)})
    assert documents.counts(sample.conn).documents == 0


def test_a_changed_title_is_found_and_embeds_nothing_when_it_was_not_written(sample: Sample) -> None:
    sample.put("old name.md", "one\n\ntwo")
    before = sample.passages("old name.md")
    with sample.writer.transaction():
        sample.writer.move(sample.document("old name.md"), sample.folder, facts("new/place.md"), "東京 place")
    assert sample.passages("new/place.md") == before
    assert sample.find("path : place") == set(before.values())
    assert sample.find("title : 東京") == set(before.values())
    assert not sample.find("name")
    assert change_log.entries(sample.conn, 2) == []
    assert_sound(sample)


def test_a_file_moved_over_another_replaces_it(sample: Sample) -> None:
    sample.put("a.md", "one")
    sample.put("b.md", "two")
    with sample.writer.transaction():
        sample.writer.move(sample.document("a.md"), sample.folder, facts("b.md"), "b.md")
    assert documents.counts(sample.conn).documents == 1
    assert not sample.find("two")
    assert sample.find("one")
    assert_sound(sample)


def test_changed_tags_are_found_at_once(sample: Sample) -> None:
    sample.put("a.md", "one", tags=("draft",))
    assert sample.put("a.md", "one", tags=("final",)) == PutCount(embedded=0, reused=1, removed=0)
    assert not sample.find("draft")
    assert sample.find("final")
    assert_sound(sample)


def test_a_removed_file_is_found_no_more_by_words_or_vectors(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo")
    sample.put("b.md", "three")
    with sample.writer.transaction():
        assert sample.writer.remove([sample.document("a.md")]) == 2
    (three,) = sample.passages("b.md").values()
    assert not sample.find("one OR two")
    assert vector_tables.read_matrix(sample.conn, sample.model)[0].tolist() == [three]
    assert_sound(sample)


def test_freed_ids_and_their_vector_rows_are_used_again(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo\n\nthree")
    freed = set(sample.passages("a.md").values())
    with sample.writer.transaction():
        sample.writer.remove([sample.document("a.md")])
    sample.put("b.md", "four\n\nfive\n\nsix\n\nseven")
    assert freed < set(sample.passages("b.md").values())
    assert sample.conn.execute(f"SELECT count(*) FROM vector_{sample.model}").get == 4
    assert_sound(sample)


def test_parked_rows_beyond_the_limit_are_really_deleted(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MOST_PARKED", 3)
    sample.put("a.md", "\n\n".join(f"paragraph {i}" for i in range(10)))
    with sample.writer.transaction():
        sample.writer.remove([sample.document("a.md")])
    assert sample.conn.execute(f"SELECT count(*) FROM vector_{sample.model}").get == 3
    assert vector_tables.parked(sample.conn).tolist() == [1, 2, 3]
    sample.put("b.md", "\n\n".join(f"section {i}" for i in range(6)))
    assert_sound(sample)


def test_a_reused_id_has_no_stale_vector_in_a_model_kept_to_go_back_to(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo")
    with transaction(sample.conn):
        other = models.add(sample.conn, name="other", manifest="{}", fingerprint="g", dimension=4, state="kept")
        vector_tables.put(sample.conn, other, list(sample.passages("a.md").values()), np.eye(2, 4, dtype=np.float32))
    sample.put("a.md", "one\n\ntwo, edited")
    edited = sample.passages("a.md")["two, edited"]
    assert vector_tables.without_vectors(sample.conn, other) == [edited]


def test_readers_learn_which_vectors_changed(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo\n\nthree")
    ids = sample.passages("a.md")
    before = change_log.latest(sample.conn)
    sample.put("a.md", "one\n\nedited")
    changed = change_log.entries(sample.conn, before)
    assert {passage for _, passage in changed} == {ids["two"], ids["three"]}
    assert changed[-1][0] == change_log.latest(sample.conn)
    assert {passage for _, passage in change_log.entries(sample.conn, 0)} == set(ids.values())


def test_a_reader_that_is_too_far_behind_reads_everything_anew(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "KEPT", 2)
    sample.put("a.md", "one\n\ntwo\n\nthree\n\nfour")
    newest = change_log.latest(sample.conn)
    assert not change_log.reaches(sample.conn, 0)
    assert change_log.reaches(sample.conn, newest - 2)
    assert not change_log.reaches(sample.conn, newest + 1)


def test_a_new_file_that_cannot_be_read_is_known_with_its_reason(sample: Sample) -> None:
    with sample.writer.transaction():
        assert sample.writer.fail(sample.folder, facts("bad.pdf"), "needs a password") == 0
    known = documents.known_files(sample.conn, sample.folder)[b"bad.pdf"]
    assert (known.failure, known.title, known.content_hash) == ("needs a password", "bad.pdf", hash_of(""))
    assert documents.failures(sample.conn)[0].path == b"/notes/bad.pdf"
    assert_sound(sample)


def test_a_file_that_is_locked_away_keeps_its_passages(sample: Sample) -> None:
    sample.put("a.md", "one")
    locked = FileFacts(b"a.md", 3, 99, 7, 8, None)
    with sample.writer.transaction():
        assert sample.writer.fail(sample.folder, locked, "not readable") == 0
    known = documents.known_files(sample.conn, sample.folder)[b"a.md"]
    assert (known.failure, known.mtime_ns, known.content_hash) == ("not readable", 99, hash_of("one"))
    assert sample.find("one")
    sample.put("a.md", "one")
    assert documents.known_files(sample.conn, sample.folder)[b"a.md"].failure is None


def test_a_file_that_changed_into_something_unreadable_loses_its_passages(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo")
    with sample.writer.transaction():
        assert sample.writer.fail(sample.folder, facts("a.md", "\0\0"), "not text") == 2
    assert not sample.find("one")
    known = documents.known_files(sample.conn, sample.folder)[b"a.md"]
    assert (known.failure, known.content_hash) == ("not text", hash_of("\0\0"))
    assert_sound(sample)


def test_new_facts_of_an_unchanged_file_are_remembered(sample: Sample) -> None:
    sample.put("a.md", "one")
    huge = FileFacts(b"a.md", 3, 123, 2**64 - 5, 2**63, hash_of("one"))
    with sample.writer.transaction():
        sample.writer.touch(sample.document("a.md"), huge)
    known = documents.known_files(sample.conn, sample.folder)[b"a.md"]
    assert (known.mtime_ns, known.inode, known.device) == (123, 2**64 - 5, 2**63)


def test_a_batch_that_fails_leaves_nothing_behind(sample: Sample) -> None:
    passages = cut("one")
    with pytest.raises(ZeroDivisionError), sample.writer.transaction():
        sample.writer.put(
            sample.folder,
            facts("a.md"),
            Document("one", "a", False, "text"),
            passages,
            {passages[0].hash: vector_for(passages[0].hash)},
        )
        raise ZeroDivisionError
    assert documents.counts(sample.conn) == documents.Counts(0, 0, 0)
    assert_sound(sample)


def test_names_and_texts_that_are_not_unicode_survive(sample: Sample) -> None:
    path = "caf\udce9.md".encode("utf-8", "surrogateescape")
    text = "half a pair \ud83d stays in place\0 and so does a zero"
    passages = cut(text, headings=("A \udce9 heading",))
    with sample.writer.transaction():
        sample.writer.put(
            sample.folder,
            FileFacts(path, 1, 1, 1, 1, b"h" * 16),
            Document(text, "t\udce9", False, "text", metadata={"a": "\udce9"}, links=(Link("b.md", "b", True),)),
            passages,
            {passages[0].hash: vector_for(passages[0].hash)},
        )
    found = documents.document_id_at(sample.conn, b"/notes/" + path)
    assert found is not None
    stored = documents.stored_document(sample.conn, found)
    assert stored is not None
    assert stored.path == b"/notes/" + path
    assert stored.text == text.replace("\ud83d", "\ufffd")
    assert documents.links_of(sample.conn, found) == (Link("b.md", "b", True),)
    assert_sound(sample)


def test_a_row_for_the_screen_has_everything_that_is_shown(sample: Sample) -> None:
    sample.put("sub/a.md", "one\n\ntwo", title="Notes", tags=("a b", "c"), headings=("Part", "Chapter 1"))
    two = sample.passages("sub/a.md")["two"]
    row = documents.rows_for(sample.conn, [two, 999])[two]
    assert (row.absolute, row.title, row.kind) == (b"/notes/sub/a.md", "Notes", "markdown")
    assert (row.headings, row.tags, row.text) == (("Part", "Chapter 1"), ("a-b", "c"), "two")
    assert (row.ordinal, row.start, row.end, row.line_start, row.line_end, row.page) == (1, 5, 8, 3, 3, None)
    stored = documents.stored_document(sample.conn, row.document_id)
    assert stored is not None
    assert (stored.text, stored.passages, stored.tags) == ("one\n\ntwo", 2, ("a-b", "c"))
    assert documents.stored_document(sample.conn, 999) is None
