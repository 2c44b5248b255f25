"""What searches share is tied to the version of the library that it was read from; interleavings are played by hand."""

from __future__ import annotations

import os
import shutil
import threading

import apsw
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of, write
from shelf import PlainParser

from engine.embedding import catalogue
from engine.library import Cancellation, Library, SearchCancelled
from engine.records import SearchSettings
from engine.retrieval import candidate_retrieval, tier_calibration, vector_index
from engine.retrieval.active_model import FORMER_SECONDS, ActiveModel
from engine.retrieval.connection_pool import ReaderPool
from engine.retrieval.fts_query import fts_query_of
from engine.retrieval.keyword_leg import keyword_leg
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import parse
from engine.retrieval.query_memory import QueryMemory
from engine.retrieval.vector_index import VectorIndex
from engine.sources import parser
from engine.store import change_log, models, vector_tables
from engine.store.allowed import EVERYTHING
from engine.store.connection import open_reader, open_writer
from engine.store.phrase import Phrase
from engine.store.transactions import snapshot, transaction

NOTES = {f"{number}.md": f"# Note {number}\n\nSourdough number {number} and word{number}.\n" for number in range(40)}
KINDS = pytest.mark.parametrize("exact_bytes", [vector_index.EXACT_BYTES, 0], ids=["exact", "quantized"])


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    library_of(folder, NOTES | FILLER, fitted=False).close()
    return folder


@pytest.fixture
def home(tmp_path, template, monkeypatch):
    """Copy the notes and their library; what is kept of vectors lies below the same folder."""
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(parser, "configured_parser", PlainParser)  # a child for each sync would take minutes
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)  # and so would fitting the tiers
    shutil.copytree(template, tmp_path / "l")
    path = tmp_path / "l" / "library.carrel"
    connection = open_writer(path)
    with transaction(connection):
        connection.execute("UPDATE folder SET path = ?", (os.fsencode(tmp_path / "l" / "notes"),))
    connection.close()
    yield tmp_path / "l"
    for thread in threading.enumerate():
        if thread.name == "carrel-keep-vectors":
            thread.join()


@pytest.fixture
def library(home):
    with Library.open(home / "library.carrel", encoder=FakeEncoder()) as opened:
        yield opened


def begun(library):
    """Begin a search's snapshot, as of now."""
    connection = open_reader(library.path)
    connection.execute("BEGIN")
    change_log.latest(connection)
    return connection


def edited(library, number, text="entirely different things about bicycles"):
    write(library.path.parent / "notes", {f"{number}.md": f"# Other {number}\n\n{text}\n"})
    library.sync()


def removed(library, number):
    (library.path.parent / "notes" / f"{number}.md").unlink()
    library.sync()


def model_id(connection):
    return models.active(connection).id


def by_passage(connection, vectors):
    """Return what a search would compare: the exact vector of each passage that it may find."""
    rows = np.flatnonzero(vectors.rows.alive)
    return dict(zip(vectors.ids[rows].tolist(), vectors.exactly(connection, rows).tolist(), strict=True))


def in_the_library(connection):
    ids, matrix = vector_tables.read_matrix(connection, model_id(connection))
    return dict(zip(ids.tolist(), matrix.tolist(), strict=True))


def copied(vectors):
    arrays = [vectors.ids, vectors.rows.alive]
    arrays += [getattr(vectors, name) for name in ("matrix", "codes", "bits", "factors") if hasattr(vectors, name)]
    return [array.copy() for array in arrays], arrays


def unchanged(before, after):
    return all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


# --- words ---------------------------------------------------------------------------------------------------------


def found(connection, cache, text="sourdough"):
    words = cache.of(connection)
    ids, scores = keyword_leg(words, fts_query_of(parse(text), words), EVERYTHING, 200)
    return ids.tolist(), scores.tolist()


def test_postings_of_an_older_search_are_not_given_to_a_newer_one(library):
    cache = PostingsCache(keeps_scores=True)
    old = begun(library)
    words = cache.of(old)
    edited(library, 99, "sourdough sourdough sourdough")
    new = begun(library)
    found(new, cache, "bicycles")  # the newer search begins and asks for another word
    older = words.postings(Phrase(("sourdough",)))
    words.frequencies(["sourdough"])
    assert found(new, cache) == found(new, PostingsCache())
    assert cache.of(new).frequencies(["sourdough"])["sourdough"] == len(older.ids) + 1


COMPOUNDS = "Sourdoughstarter, sourdoughs and a breadsourdoughs; bicycles."


@pytest.mark.parametrize("word", ["rdough", "sourdogh", "bicycel", "zzzzzz", "ourdoug"])
def test_a_word_that_no_passage_holds_is_answered_alike_from_the_kept_vocabulary(library, word):
    edited(library, 7, COMPOUNDS)
    connection = begun(library)
    kept, asked = PostingsCache(keeps_scores=True).of(connection), PostingsCache().of(connection)
    assert (kept.holding(word), kept.nearest(word)) == (asked.holding(word), asked.nearest(word))
    counted = ["sourdough", "bicycles", word, "and"]
    assert kept.frequencies(counted) == connection.document_frequencies(counted)


@pytest.mark.parametrize("most", ["and", "note"])  # of one stem with `ands` and `notes`
def test_what_most_passages_hold_is_counted_alike_whether_or_not_it_was_read(library, most):
    edited(library, 7, f"Sourdough {most}s.")
    connection = begun(library)
    kept, asked = PostingsCache(keeps_scores=True).of(connection), PostingsCache().of(connection)
    phrase = Phrase((f"{most}|^{most}",))
    counted = kept.count(phrase)
    assert counted == asked.count(phrase) == kept.count(phrase) == len(kept.postings(phrase).ids)
    assert kept.count(phrase) == counted


def test_a_damaged_word_keeps_no_other_from_being_looked_for(library):
    writer = open_writer(library.path, lock_held=True)
    writer.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)  # as chance would, which knows no rules
    for row, block in writer.execute("SELECT id, block FROM passage_fts_data WHERE id > 10").fetchall():
        writer.execute(
            "UPDATE passage_fts_data SET block = ? WHERE id = ?", (block.replace(b"ourdough", b"o\xffrdough"), row)
        )
    writer.close()
    connection = begun(library)
    kept, asked = PostingsCache(keeps_scores=True).of(connection), PostingsCache().of(connection)
    assert kept.holding("hing") == asked.holding("hing") == ("nothing",)


def test_the_kept_vocabulary_is_that_of_the_version_that_is_searched(library):
    cache = PostingsCache(keeps_scores=True, clock=iter(range(0, 1000, 10)).__next__)
    assert cache.of(begun(library)).holding("dougharter") == ()
    edited(library, 7, "The sourdougharter.")
    assert cache.of(begun(library)).holding("dougharter") == ("sourdougharter",)


def test_an_older_search_makes_no_newer_one_read_its_words_again(library):
    cache = PostingsCache(keeps_scores=True)
    old = begun(library)
    edited(library, 3)
    new = begun(library)
    cache.of(new).postings(Phrase(("sourdough",)))
    assert found(old, cache)[0] != found(new, PostingsCache())[0]
    assert cache.of(new).knows(Phrase(("sourdough",)))


def test_kept_postings_stay_within_their_bytes_whatever_versions_they_are_of(library, monkeypatch):
    monkeypatch.setattr("engine.retrieval.postings_cache.KEPT_BYTES", 1000)
    cache = PostingsCache(keeps_scores=True)
    for turn in range(3):
        words = cache.of(begun(library))
        for word in ("sourdough", "number", "note", "and"):
            words.postings(Phrase((word,)))
        assert words.knows(Phrase(("and",))) and not words.knows(Phrase(("sourdough",)))
        edited(library, turn)


# --- vectors -------------------------------------------------------------------------------------------------------


@KINDS
def test_what_a_search_holds_never_changes_under_it(library, exact_bytes):
    old = begun(library)
    index = VectorIndex(model_id(old), exact_bytes)
    before, held = copied(index.at(old))
    edited(library, 3)
    removed(library, 5)
    edited(library, 99)
    new = begun(library)
    vectors = index.at(new)
    assert unchanged(before, held)
    assert by_passage(new, vectors) == in_the_library(new)
    assert vectors.positions(np.array(sorted(in_the_library(new)))).min() >= 0


@KINDS
def test_older_and_newer_searches_in_turn_read_the_matrix_once(library, exact_bytes, monkeypatch):
    reads = []
    for name in ("read_matrix", "read_blocks"):
        real = getattr(vector_index, name)
        monkeypatch.setattr(vector_index, name, lambda *given, real=real: (reads.append(1), real(*given))[1])
    snapshots = [begun(library)]
    for number in range(5):
        edited(library, number)
        snapshots.append(begun(library))
    index = VectorIndex(model_id(snapshots[0]), exact_bytes)
    index.at(snapshots[3])
    for turn in (5, 0, 4, 1, 5, 2, 0, 3, 5, 0):
        vectors = index.at(snapshots[turn])
        assert by_passage(snapshots[turn], vectors) == in_the_library(snapshots[turn])
    assert len(reads) == 1


@KINDS
def test_room_that_is_used_up_changes_nothing_that_a_search_holds(library, exact_bytes, monkeypatch):
    monkeypatch.setattr("engine.retrieval.tombstones.SPARE_ROWS", 2)
    index = VectorIndex(model_id(begun(library)), exact_bytes)
    held = []
    for number in range(12):
        connection = begun(library)
        vectors = index.at(connection)
        held.append((connection, vectors, *copied(vectors)))
        edited(library, number, f"harbour and glacier {number}")
    for connection, vectors, before, now in held:
        assert unchanged(before, now)
        assert by_passage(connection, vectors) == in_the_library(connection)
        assert by_passage(connection, index.at(connection)) == in_the_library(connection)


def test_an_older_search_is_right_where_the_changes_are_no_longer_listed(library, monkeypatch):
    old = begun(library)
    writer = open_writer(library.path)
    with transaction(writer):
        change_log.forget_all(writer)
    edited(library, 7)
    new = begun(library)
    index = VectorIndex(model_id(old))
    newer = index.at(new)
    assert by_passage(old, index.at(old)) == in_the_library(old)
    assert index.at(new) is newer


def other_model(library, encoder, name):
    """Make the library's vectors anew with another model, as a build does in the end."""
    writer = open_writer(library.path)
    made = models.write_down(writer, encoder.manifest, state="building", name=name)
    rows = writer.execute("SELECT id, text FROM passage").fetchall()
    with transaction(writer):
        vector_tables.put(writer, made, [each for each, _ in rows], encoder.encode_passages([text for _, text in rows]))
        models.activate(writer, made)
    writer.close()


def test_a_search_begun_before_another_model_was_taken_neither_sees_it_nor_pushes_it_out(library, monkeypatch):
    first, second = FakeEncoder(), FakeEncoder(dimension=32)
    loaded = []
    monkeypatch.setattr(
        catalogue, "load", lambda name, sessions: (loaded.append(name), second if name == "second" else first)[1]
    )
    clock = [0.0]
    active = ActiveModel(clock=lambda: clock[0])
    warm, old = begun(library), begun(library)
    active.of(warm)
    other_model(library, second, "second")
    new = begun(library)
    for _ in range(3):
        newer, older = active.of(new)[0], active.of(old)[0]
        assert (newer.vectors.dimension, older.vectors.dimension) == (32, FakeEncoder().manifest.dimension)
        assert len(older.encode("bread")) == older.vectors.dimension
    assert len(loaded) == 2
    clock[0] += FORMER_SECONDS + 1
    assert active.of(new)[0].vectors is newer.vectors
    assert active._former is None  # its vectors take no memory for ever


# --- past queries --------------------------------------------------------------------------------------------------


def passage_of(library, name):
    (passage,) = library.passages_of(next(each.id for each in library.documents_named(name)))
    return passage.id


def test_marks_of_an_older_snapshot_are_not_given_to_a_newer_search(library):
    old = begun(library)
    library.mark("sourdough number seven", passage_of(library, "Note 7"))
    new = begun(library)
    encode = FakeEncoder().encode_query
    memory = QueryMemory(model_id(old))
    asked, vectors = encode("sourdough number seven"), VectorIndex(model_id(old)).at(new)
    newer = memory.at(new, encode)
    assert not len(memory.at(old, encode).recall(old, asked, vectors, EVERYTHING).ids)
    assert newer.recall(new, asked, vectors, EVERYTHING).ids.tolist() == [passage_of(library, "Note 7")]
    assert memory.at(new, encode) is newer


def test_a_mark_stands_for_the_file_at_its_path_after_another_was_moved_there(library):
    question = "sourdough of the seventh kind"
    library.mark(question, passage_of(library, "Note 7"))
    removed(library, 7)
    assert not [hit for hit in library.search(question).hits if hit.shares.memory]
    notes = library.path.parent / "notes"
    (notes / "8.md").rename(notes / "7.md")
    library.sync()
    remembered = [hit.path for hit in library.search(question).hits if hit.shares.memory]
    assert remembered == [os.fsencode(notes / "7.md")]


# --- what if -------------------------------------------------------------------------------------------------------


def test_what_if_shows_no_other_text_under_the_figures_of_a_passage_that_is_gone(library):
    exploration = library.explore("sourdough number word3", limit=1)
    notes, gone = library.path.parent / "notes", {passage_of(library, f"Note {number}") for number in range(10, 30)}
    for number in range(10, 30):
        (notes / f"{number}.md").unlink()
    library.sync()
    write(notes, {f"new{number}.md": f"# Bicycle {number}\n\nA saddle and {number} spokes.\n" for number in range(20)})
    library.sync()
    assert gone & {passage_of(library, f"Bicycle {number}") for number in range(20)}  # their ids were free
    titles = {hit.title.split()[0] for hit in exploration.again(SearchSettings(fusion="vector"), limit=40).hits}
    assert titles == {"Note"}


# --- connections and scans -----------------------------------------------------------------------------------------


def is_open(connection):
    try:
        return bool(connection.filename)
    except Exception:
        return False


@pytest.mark.parametrize("ending", ["close", "drain"])
def test_a_reader_lent_while_the_pool_closes_is_closed_when_it_comes_back(library, ending):
    pool = ReaderPool(library.path)
    with pool.lend() as connection:
        getattr(pool, ending)()
        assert connection.execute("SELECT count(*) FROM passage").get  # it is still the search's own
    assert not is_open(connection)


def test_a_search_that_is_given_up_gives_its_connection_back_unless_somebody_still_reads_from_it(library):
    pool, given_up = ReaderPool(library.path), Cancellation()
    with pytest.raises(SearchCancelled), pool.lend() as lent, given_up.guarding(lent):
        given_up.cancel()
        lent.execute("SELECT count(*) FROM passage")
    with pool.lend() as again, Cancellation().guarding(again):
        assert again is lent and again.execute("SELECT count(*) FROM passage").get
    with pytest.raises(SearchCancelled), pool.lend() as read:
        rows = read.execute("SELECT id FROM passage")
        next(rows)
        raise SearchCancelled
    assert not is_open(read)


def test_a_search_that_is_given_up_begins_no_other_statement_and_the_next_one_is_not_hit(library):
    given_up, asked = Cancellation(), []
    with library._file.searching() as connection:
        with pytest.raises(SearchCancelled), given_up.guarding(connection):
            asked += connection.execute("SELECT 1")
            given_up.cancel()  # between two statements: there is none to be interrupted
            asked += connection.execute("SELECT 2")
        asked += connection.execute("SELECT 3")
    assert asked == [(1,), (3,)]


def test_a_closed_pool_keeps_nothing_and_a_drained_one_keeps_what_is_lent_later(library):
    pool = ReaderPool(library.path)
    pool.drain()
    with pool.lend() as kept:
        pass
    assert is_open(kept)
    pool.close()
    with pool.lend() as late:
        pass
    assert not is_open(kept) and not is_open(late)


def test_who_still_asks_a_library_that_was_closed_leaves_nothing_open(library, monkeypatch):
    opened = []

    def noted(path):
        opened.append(open_reader(path))
        return opened[-1]

    monkeypatch.setattr("engine.retrieval.connection_pool.open_reader", noted)
    monkeypatch.setattr("engine.store.connection.open_reader", noted)
    library.version()
    library.search("sourdough")
    library.close()
    assert library.search("sourdough").hits
    library.version()
    assert len(opened) >= 2 and not any(is_open(connection) for connection in opened)
    assert library._search._caches._active is None


def test_cancelled_searches_leave_no_scan_for_a_newer_one_to_wait_for(library, monkeypatch):
    monkeypatch.setattr(candidate_retrieval, "WORTH_A_CORE", 1)
    library.search("sourdough")
    scans, ended, go_on = [], [], threading.Event()
    real = vector_index.ExactVectors.nearest

    def slow(vectors, *given):
        scans.append(given[-1])
        go_on.wait(120)
        return real(vectors, *given)

    monkeypatch.setattr(vector_index.ExactVectors, "nearest", slow)
    cancels = [Cancellation() for _ in range(6)]

    def search(cancel):
        try:
            library.search("sourdough", cancel=cancel)
        except SearchCancelled:
            ended.append(cancel)

    begun_at = threading.Semaphore(0)
    submit = candidate_retrieval._beside().submit
    monkeypatch.setattr(candidate_retrieval._beside(), "submit", lambda find: (submit(find), begun_at.release())[0])
    threads = [threading.Thread(target=search, args=(cancel,)) for cancel in cancels]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun_at.acquire(timeout=120)
    for cancel in cancels:
        cancel.cancel()
    waiting = [thread for thread, cancel in zip(threads, cancels, strict=True) if cancel not in scans]
    for thread in waiting:
        thread.join(120)
    assert not any(thread.is_alive() for thread in waiting)  # though both cores are still busy
    go_on.set()
    for thread in threads:
        thread.join(120)
    assert library.search("sourdough").hits
    assert len(ended) == 6
    assert len(scans) == 3  # two that had begun, and the newer one's


# --- all at once ---------------------------------------------------------------------------------------------------


@KINDS
def test_searches_in_threads_see_their_own_snapshot_while_notes_change(library, exact_bytes):
    index, cache = VectorIndex(model_id(begun(library)), exact_bytes), PostingsCache(keeps_scores=True)
    wrong, done, looked = [], threading.Event(), threading.Semaphore(0)

    def look():
        connection = open_reader(library.path)
        while not done.is_set():
            with snapshot(connection):
                vectors = index.at(connection)
                before, held = copied(vectors)
                if by_passage(connection, vectors) != in_the_library(connection):
                    wrong.append("vectors")
                if found(connection, cache) != found(connection, PostingsCache()):
                    wrong.append("words")
                if not unchanged(before, held):
                    wrong.append("changed under it")
            looked.release()
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(12):
        assert looked.acquire(timeout=120)
        if number % 4 == 3:
            removed(library, number - 1)
        else:
            edited(library, number, f"sourdough and harbour {number}")
    done.set()
    for thread in threads:
        thread.join(120)
    assert not wrong
