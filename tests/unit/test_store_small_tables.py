"""The small tables of a library: folders, what was left out, marks, orders, models, and single values."""

from __future__ import annotations

import os
from pathlib import Path

import apsw
import pytest
from store_samples import Sample, facts

from engine.errors import LibraryError
from engine.records import Folder, Mark
from engine.store import folders, judgements, meta, models, requests, vector_tables
from engine.store.connection import open_reader, open_writer
from engine.store.transactions import transaction


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "library.carrel")


def test_a_folder_is_watched_once_and_keeps_its_rules(sample: Sample) -> None:
    first = folders.add(sample.conn, b"/ph\xf6tos", {"use_gitignore": False})
    assert folders.add(sample.conn, b"/ph\xf6tos") == first
    assert folders.rules(sample.conn, first) == {"use_gitignore": False}
    assert [folder.path for folder in folders.every(sample.conn)] == [b"/notes", b"/ph\xf6tos"]


def test_a_folder_is_shown_with_its_counts_and_state(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo")
    with sample.writer.transaction():
        sample.writer.fail(sample.folder, facts("bad.pdf"), "needs a password")
    folders.set_state(sample.conn, sample.folder, "paused")
    assert folders.at(sample.conn, b"/notes") == Folder(sample.folder, b"/notes", "paused", 2, 2, 1)
    assert folders.at(sample.conn, b"/elsewhere") is None


def test_a_folder_is_removed_only_when_its_documents_are_gone(sample: Sample) -> None:
    sample.put("a.md", "one")
    with pytest.raises(LibraryError):
        folders.remove(sample.conn, sample.folder)
    with sample.writer.transaction():
        sample.writer.remove(folders.documents_in(sample.conn, sample.folder))
    folders.set_left_out(sample.conn, sample.folder, {"hidden": 3})
    folders.remove(sample.conn, sample.folder)
    assert folders.every(sample.conn) == ()
    assert folders.left_out(sample.conn) == {}


def test_files_left_out_are_counted_by_reason_over_all_folders(sample: Sample) -> None:
    other = folders.add(sample.conn, b"/other")
    folders.set_left_out(sample.conn, sample.folder, {"hidden": 9})
    folders.set_left_out(sample.conn, sample.folder, {"hidden": 2, ".gitignore": 1})
    folders.set_left_out(sample.conn, other, {"hidden": 5})
    assert folders.left_out(sample.conn) == {".gitignore": 1, "hidden": 7}
    assert folders.left_out(sample.conn, other) == {"hidden": 5}


def test_a_mark_goes_where_another_leaves_and_no_further(sample: Sample) -> None:
    places = (b"/notes/a.md", b"/notes/b.md", b"/notes/c.md")
    judgements.put(sample.conn, [Mark("q", bytes([at]) * 16, place, 2) for at, place in enumerate(places)])
    judgements.follow(sample.conn, {places[0]: places[1], places[1]: places[2], places[2]: places[0]})
    now = {mark.passage_hash[0]: mark.path for mark in judgements.every(sample.conn)}
    assert now == {0: places[1], 1: places[2], 2: places[0]}


def test_an_order_is_taken_once_in_turn_and_answered(sample: Sample) -> None:
    browser = open_writer(sample.path)
    first = requests.file(browser, "sync", "/notes")
    second = requests.file(browser, "pause")
    assert requests.take(sample.conn) == requests.Request(first, "sync", "/notes")
    assert requests.state(browser, first) == requests.RequestState(taken=True, done=False, outcome=None)
    requests.finish(sample.conn, first, {"added": 3})
    assert requests.state(browser, first) == requests.RequestState(taken=True, done=True, outcome={"added": 3})
    assert requests.take(sample.conn) == requests.Request(second, "pause", "")
    assert requests.take(sample.conn) is None
    assert requests.state(browser, 99) is None


def test_an_answer_is_kept_though_the_clock_was_set_back_since_the_ones_before(sample: Sample) -> None:
    with transaction(sample.conn):
        sample.conn.executemany(
            "INSERT INTO request(kind, requested_at, taken_at, done_at) VALUES('sync', 1, 2, ?)",
            [(4e9 + number,) for number in range(requests.KEPT_DONE)],
        )
    refused = requests.file(sample.conn, "remove", "/notes")
    requests.finish(sample.conn, refused, {"error": "LibraryFull"})
    state = requests.state(sample.conn, refused)
    assert state is not None and state.outcome == {"error": "LibraryFull"}
    assert sample.conn.execute("SELECT count(*) FROM request").get == requests.KEPT_DONE


def test_an_order_that_was_withdrawn_is_taken_by_nobody_and_an_answer_stays(sample: Sample) -> None:
    answered, taken, waiting = (requests.file(sample.conn, "sync") for _ in range(3))
    requests.take(sample.conn)
    requests.finish(sample.conn, answered, {"added": 3})
    requests.take(sample.conn)
    for number in (answered, taken, waiting):
        requests.withdraw(sample.conn, number)
    assert requests.reopen(sample.conn) == 0 and requests.take(sample.conn) is None
    found = requests.state(sample.conn, answered)
    assert found is not None and found.outcome == {"added": 3}


def test_an_order_that_a_dead_indexer_took_is_taken_again(sample: Sample) -> None:
    asked = requests.file(sample.conn, "sync")
    requests.take(sample.conn)
    assert requests.reopen(sample.conn) == 1
    taken = requests.take(sample.conn)
    assert taken is not None
    assert taken.id == asked


def test_only_the_last_answers_are_kept(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "KEPT_DONE", 2)
    asked = [requests.file(sample.conn, "sync") for _ in range(4)]
    for each in asked[:3]:
        requests.finish(sample.conn, each)
    assert [requests.state(sample.conn, each) is not None for each in asked] == [False, True, True, True]


def test_an_order_beside_a_reader_does_not_wait_for_it(sample: Sample) -> None:
    reader = open_reader(sample.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM passage").fetchall()
    assert requests.file(sample.conn, "sync") > 0
    reader.execute("ROLLBACK")


@pytest.mark.parametrize("value", ["text", 7, 1.5, b"bytes"])
def test_a_setting_keeps_its_value_and_its_type(sample: Sample, value: apsw.SQLiteValue) -> None:
    meta.put(sample.conn, "key", value)
    assert meta.get(sample.conn, "key") == value
    assert type(meta.get(sample.conn, "key")) is type(value)
    meta.put(sample.conn, "key", None)
    assert meta.get(sample.conn, "key") is None


def test_a_new_model_is_built_beside_the_old_one_and_swapped_in(sample: Sample) -> None:
    sample.put("a.md", "one\n\ntwo")
    with transaction(sample.conn):
        other = models.add(sample.conn, name="other", manifest="{}", fingerprint="g", dimension=4)
    active = models.active(sample.conn)
    assert active is not None
    assert active.id == sample.model
    assert vector_tables.without_vectors(sample.conn, other) == list(sample.passages("a.md").values())
    with transaction(sample.conn):
        models.activate(sample.conn, other)
    assert {model.id: model.state for model in models.every(sample.conn)} == {sample.model: "kept", other: "active"}


def test_a_removed_model_leaves_neither_vectors_nor_calibration(sample: Sample) -> None:
    with transaction(sample.conn):
        models.calibrate(sample.conn, sample.model, {"cut_strong": 0.31, "passages": 50})
        models.calibrate(sample.conn, sample.model, {"cut_strong": 0.33})
    assert [models.figure(sample.conn, sample.model, name) for name in ("cut_strong", "passages")] == [0.33, 50]
    with transaction(sample.conn):
        models.remove(sample.conn, sample.model)
    assert models.active(sample.conn) is None
    assert [models.figure(sample.conn, sample.model, name) for name in ("cut_strong", "passages")] == [None, None]
    tables = [row[0] for row in sample.conn.execute("SELECT name FROM sqlite_master")]
    assert not [name for name in tables if str(name).startswith("vector_")]


def test_an_order_for_a_folder_whose_name_is_no_text_arrives(sample: Sample) -> None:
    path = b"/notes/caf\xe9"
    requests.file(sample.conn, "pause", os.fsdecode(path))
    taken = requests.take(sample.conn)
    assert taken is not None
    assert (taken.kind, os.fsencode(taken.argument)) == ("pause", path)
