"""A library whose vectors are compressed in memory answers as one whose vectors are not."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of, write

from engine.library import Library
from engine.retrieval import quantized_index, vector_cache
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.tombstones import AppendOnlyRows
from engine.retrieval.vector_index import VectorIndex
from engine.store import models, vector_tables
from engine.store.connection import open_reader, open_writer

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("unfitted")]

TOPICS = ("bread", "stove", "harbour", "comet", "violin", "glacier", "pepper", "ledger", "orchid", "canal")
NOTES = {
    f"{topic}/{number}.md": f"# {topic} {number}\n\nThe {topic} of day {number} and what it was in week {number % 7}.\n"
    for topic in TOPICS
    for number in range(30)
} | FILLER


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compressed")
    library_of(folder, NOTES, fitted=False).close()
    return folder


@pytest.fixture
def path(home, template):
    return Path(shutil.copy(template / "library.carrel", home / "library.carrel"))


def vectors(path, **options):
    connection = open_reader(path)
    index = VectorIndex(models.active(connection).id, **options)
    return connection, index.at(connection)


def nearest(index, query, depth, within=None):
    return index.nearest(query, depth, within, Cancellation())


def kept(home):
    return sorted(each.name for each in (home / "home" / "cache" / "vectors").glob("*"))


def test_the_nearest_are_those_of_the_exact_comparison(path):
    connection, exact = vectors(path)
    _, compressed = vectors(path, exact_bytes=0)
    for text in ("bread of day 3", "a comet in week 2", "ledger"):
        query = FakeEncoder().encode_query(text)
        true = nearest(exact, query, 50, None)
        found = nearest(compressed, query, 50, None).settled(connection)
        assert exact.ids[true.rows[:10]].tolist() == compressed.ids[found.rows[:10]].tolist()
        assert np.allclose(true.best, found.best, atol=1e-6)
        assert found.more and true.more


def test_only_what_the_filter_allows_is_found(path):
    connection, compressed = vectors(path, exact_bytes=0)
    within = np.array([row[0] for row in connection.execute("SELECT id FROM passage ORDER BY id LIMIT 7")])
    leg = nearest(compressed, FakeEncoder().encode_query("bread"), 50, within).settled(connection)
    assert set(compressed.ids[leg.rows]) == set(within.tolist())
    assert not leg.more


def test_what_was_compressed_is_kept_and_followed(path, home, template):
    _, first = vectors(path, exact_bytes=0)
    wait_for_threads()
    assert len(kept(home)) == 1
    with Library.open(path, encoder=FakeEncoder()) as library:
        folder = template / "notes"
        write(folder, {"new.md": "# Cartography\n\nA chart of the southern straits.\n"})
        (folder / "bread" / "3.md").unlink()
        library.sync()
    connection, again = vectors(path, exact_bytes=0)
    live = set(vector_tables.live_ids(connection, models.active(connection).id).tolist())
    query = FakeEncoder().encode_query("chart of the southern straits")
    leg = nearest(again, query, len(live) + 5, None).settled(connection)
    assert set(again.ids[leg.rows].tolist()) == live
    assert len(first.ids) == len(live)  # one came, one went


def test_what_is_kept_of_another_state_is_not_believed(path, home):
    _, before = vectors(path, exact_bytes=0)
    wait_for_threads()
    (kept_file,) = (home / "home" / "cache" / "vectors").iterdir()
    with open(kept_file, "rb") as file:
        facts, ids, codes, *others = file.readline(), *(np.load(file) for _ in range(4))
    with open(kept_file, "wb") as file:
        file.write(facts)
        for array in (ids, -codes, *others):
            np.save(file, array)
    _, after = vectors(path, exact_bytes=0)
    assert np.array_equal(before.codes[np.argsort(before.ids)], after.codes[np.argsort(after.ids)])


def test_a_cache_that_is_cut_short_is_made_anew(path, home):
    vectors(path, exact_bytes=0)
    wait_for_threads()
    (kept_file,) = (home / "home" / "cache" / "vectors").iterdir()
    kept_file.write_bytes(kept_file.read_bytes()[:-200])
    connection, after = vectors(path, exact_bytes=0)
    assert len(after.ids) == int(connection.execute("SELECT count(*) FROM passage").get)


def test_the_cache_is_its_owners_alone(path, home):
    vectors(path, exact_bytes=0)
    wait_for_threads()
    folder = home / "home" / "cache" / "vectors"
    assert all(each.stat().st_mode & 0o077 == 0 for each in [folder, *folder.iterdir()])


def test_files_that_no_library_needs_go_and_those_of_others_stay(path, home):
    other = Path(shutil.copy(path, home / "other.carrel"))
    gone = Path(shutil.copy(path, home / "gone.carrel"))
    for each in (path, other, gone):
        vectors(each, exact_bytes=0)
        wait_for_threads()
    former, strange = kept_file_of(path), home / "home" / "cache" / "vectors" / "strange"
    strange.mkdir()
    gone.unlink()
    restored = shutil.copy(path, home / "draft")
    os.replace(restored, path)
    vectors(path, exact_bytes=0)
    wait_for_threads()
    assert {kept_file_of(path).name, kept_file_of(other).name} == set(kept(home))
    assert not former.exists()


def test_the_vectors_of_a_former_model_go_and_so_does_all_that_a_small_library_kept(path, home):
    vectors(path, exact_bytes=0)
    wait_for_threads()
    with open_writer(path) as writer:
        writer.execute("UPDATE model SET fingerprint = 'another'")
    vectors(path, exact_bytes=0)
    wait_for_threads()
    assert kept(home) == [kept_file_of(path).name]
    vectors(path)  # it has shrunk: its vectors are kept in memory as they are
    assert kept(home) == []


def test_a_draft_is_left_alone_while_it_may_be_written_and_goes_when_it_is_old(path, home):
    folder = home / "home" / "cache" / "vectors"
    folder.mkdir(parents=True)
    drafts = [folder / f"{name}{vector_cache.DRAFT}" for name in ("young", "old")]
    for draft in drafts:
        draft.touch()
    long_ago = time.time() - vector_cache.DRAFT_SECONDS - 60
    os.utime(drafts[1], (long_ago, long_ago))
    vectors(path)
    assert [draft.exists() for draft in drafts] == [True, False]


def test_a_library_that_was_put_back_from_a_copy_is_not_taken_for_what_it_was(path, home, template):
    notes, copy = home / "notes", home / "copy.carrel"
    shutil.copytree(template / "notes", notes)
    writer = open_writer(path)
    writer.execute("UPDATE folder SET path = ?", (os.fsencode(notes),))
    writer.close()
    shutil.copyfile(path, copy)
    for life, words in (("first", "comet and violin"), ("second", "orchid and canal")):
        shutil.copyfile(copy, path)  # in place: the same file still, as `cp` leaves it
        for number in range(4):
            write(notes, {f"{life}{number}.md": f"# {life} {number}\n\nOf the {words}, number {number}.\n"})
        with Library.open(path, encoder=FakeEncoder()) as library:
            library.sync()
        connection, found = vectors(path, exact_bytes=0)
        wait_for_threads()
        assert sorted(found.ids.tolist()) == vector_tables.live_ids(connection, models.active(connection).id).tolist()
        exact = found.exactly(connection, np.arange(len(found.ids)))
        assert np.abs(found.decoded(np.arange(len(found.ids))) - exact).max() < 0.01
        connection.close()
        for number in range(4):
            (notes / f"{life}{number}.md").unlink()


def test_many_threads_keep_vectors_at_once_and_the_newest_stay(path, home):
    older, _ = vectors(path, exact_bytes=0)
    model = models.active(older).id
    ids, matrix = vector_tables.read_matrix(older, model)
    bits, codes, factors = quantized_index.of_block(matrix)
    pool = AppendOnlyRows.of(ids, [codes, factors, bits.T])
    for sequence in (7, 3, 9, 5, 9, 1):
        vector_cache.keep(older, model, pool, sequence, 0.0)
    wait_for_threads()
    assert kept(home) == [kept_file_of(path).name]
    assert json.loads(kept_file_of(path).read_bytes().partition(b"\n")[0])["sequence"] >= 9


def kept_file_of(path):
    connection = open_reader(path)
    return vector_cache.Owner.of(connection, models.active(connection).id).file


def wait_for_threads():
    import threading

    for thread in threading.enumerate():
        if thread.name == "carrel-keep-vectors":
            thread.join()
