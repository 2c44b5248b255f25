"""What a sync does with files that fail, vanish or change, and when it is stopped in the midst."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from shelf import CountingEncoder, Shelf, StopAfter, paragraph, words_are_sound

from engine.errors import LibraryError, LibraryFull, ModelError
from engine.events import Committed, FileFailed, Progress, Scanned, SyncFinished
from engine.indexing.crash_recovery import BLAME, DEATHS_BEFORE_BLAME, Journal, journal_file
from engine.library import Library
from engine.store import requests
from engine.store.connection import open_writer


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return Shelf(tmp_path)


def test_a_failed_file_is_read_again_when_it_changes(shelf: Shelf) -> None:
    shelf.write("a.md", b"\0")
    assert len(shelf.sync().failed) == 1
    shelf.write("a.md", paragraph("apple"), age=1)
    report = shelf.sync()
    assert (report.updated, report.failed) == (1, ())
    assert shelf.failures() == {}


def test_a_failed_file_is_read_again_on_request(shelf: Shelf) -> None:
    shelf.write("a.md", b"\0")
    shelf.write("b.md", paragraph("banana"))
    shelf.sync()
    shelf.sync(retry=True)
    assert shelf.parser.read_paths == [os.fsencode(shelf.notes / "a.md")]


def test_a_failure_is_told_once_and_recorded_with_its_reason(shelf: Shelf) -> None:
    shelf.write("a.md", b"\0")
    shelf.sync()
    assert [event.reason for event in shelf.events if isinstance(event, FileFailed)] == ["not text"]
    assert shelf.failures() == {b"a.md": "not text"}
    shelf.sync()
    assert not any(isinstance(event, FileFailed) for event in shelf.events)


def test_a_file_that_may_not_be_read_fails_and_is_tried_again_each_time(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.write("a.md", paragraph("apple"))
    with monkeypatch.context() as locked:
        locked.setattr("engine.indexing.file_reader.identity", _refuse)  # chmod does not stop root
        assert [failure.reason for failure in shelf.sync().failed] == ["permission denied"]
        assert [failure.reason for failure in shelf.sync().failed] == ["permission denied"]
    assert shelf.sync().updated == 1
    assert shelf.failures() == {}


def test_a_file_of_its_own_that_cannot_be_made_is_told_in_plain_words(shelf: Shelf) -> None:
    shelf.write("a.md", paragraph("apple"))
    journal_file(shelf.library).mkdir()
    with pytest.raises(LibraryError, match="could not be brought up to date"):
        shelf.sync()


@pytest.mark.parametrize("step", ["_write", "begin"])
def test_a_full_disk_beside_the_library_is_told_as_such_and_blamed_on_no_file(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shelf.write("a.md", paragraph("apple"))
    with monkeypatch.context() as full:
        full.setattr(Journal, step, _fill)
        with pytest.raises(LibraryFull):
            shelf.sync()
    assert shelf.failures() == {}
    assert shelf.sync().added == 1


def _fill(journal: Journal, path: bytes = b"") -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _refuse(path: bytes, root: bytes) -> bytes:
    raise PermissionError(13, "Permission denied", path)


def test_a_file_that_vanishes_before_it_is_read_is_nobodys_fault(shelf: Shelf) -> None:
    path = shelf.write("a.md", paragraph("apple"))
    shelf.write("b.md", paragraph("banana"))
    shelf.parser.before_read = lambda read: path.unlink(missing_ok=True)
    report = shelf.sync()
    assert (report.added, report.failed) == (1, ())
    assert shelf.documents().keys() == {b"b.md"}


def test_a_known_file_that_vanishes_before_it_is_read_is_removed(shelf: Shelf) -> None:
    path = shelf.write("a.md", paragraph("apple"))
    shelf.sync()
    shelf.write("a.md", paragraph("apricot"), age=1)
    shelf.parser.before_read = lambda read: path.unlink(missing_ok=True)
    assert shelf.sync().removed == 1
    assert shelf.documents() == {}


def test_a_file_that_changes_while_it_is_read_is_read_again(shelf: Shelf) -> None:
    path = shelf.write("a.md", paragraph("first"))
    final = paragraph("second")

    def change(read: bytes) -> None:
        if path.read_text() != final:
            shelf.write("a.md", final, age=7)

    shelf.parser.after_read = change
    assert shelf.sync().added == 1
    assert list(shelf.passages(b"a.md").values()) == [final]


def test_a_file_that_never_rests_is_looked_at_again_next_time(shelf: Shelf) -> None:
    path = shelf.write("a.md", paragraph("x"))
    turns = iter(range(1, 100))
    shelf.parser.after_read = lambda read: shelf.write("a.md", paragraph("x") + " more" * (age := next(turns)), age=age)
    assert shelf.sync().added == 1
    shelf.parser.after_read = lambda read: None
    assert shelf.sync().updated == 1
    assert list(shelf.passages(b"a.md").values()) == [path.read_text()]


def test_a_stopped_sync_keeps_what_it_committed_and_the_next_one_ends_it(shelf: Shelf) -> None:
    for number in range(200):
        shelf.write(f"{number}.md", paragraph(f"word{number}x"))
    stop = StopAfter(Committed)
    first = shelf.sync(stop=stop.event, on_event=stop.on_event)
    assert 0 < first.added < 200
    assert len(shelf.documents()) == first.added
    second = shelf.sync()
    assert first.added + second.added == 200
    assert (second.unchanged, first.embedded + second.embedded) == (first.added, 200)
    assert words_are_sound(shelf.conn)
    assert not journal_file(shelf.library).exists()


class InterruptedEncoder(CountingEncoder):
    """Asks for a stop once it has embedded `until` texts."""

    def __init__(self, until: int) -> None:
        super().__init__()
        self.until = until
        self.stop = threading.Event()

    def encode_passages(self, texts: Sequence[str]):
        if len(self.texts) >= self.until:
            self.stop.set()
        return super().encode_passages(texts)


def test_a_large_document_is_found_by_words_and_embedding_goes_on_where_it_was_stopped(shelf: Shelf) -> None:
    shelf.write("large.md", "\n\n".join(paragraph(f"word{number}x", 90) for number in range(300)))
    encoder = InterruptedEncoder(until=100)
    shelf.encoder = encoder
    first = shelf.sync(stop=encoder.stop)
    done = len(encoder.texts)
    whole = len(shelf.passages(b"large.md"))
    assert (first.added, first.embedded, first.pending) == (1, done, whole - done)
    assert (
        done
        < whole
        == len(shelf.conn.execute("SELECT rowid FROM passage_fts WHERE passage_fts MATCH 'word*'").fetchall())
    )
    shelf.encoder = CountingEncoder()
    second = shelf.sync()
    assert (second.unchanged, second.embedded, second.pending) == (1, whole - done, 0)
    assert len(shelf.encoder.texts) == whole - done
    assert {key[2]: vector for key, vector in shelf.contents().items()}.keys() == set(
        shelf.passages(b"large.md").values()
    )


def test_a_model_that_cannot_embed_leaves_all_found_by_words_and_waiting_for_one_that_can(shelf: Shelf) -> None:
    class Broken(CountingEncoder):
        def encode_passages(self, texts: Sequence[str]):
            raise ModelError("The model cannot be loaded.")

    shelf.write("a.md", paragraph("apple"))
    shelf.encoder = Broken()
    with pytest.raises(ModelError):
        shelf.sync()
    assert shelf.documents().keys() == {b"a.md"}
    assert shelf.conn.execute("SELECT count(*) FROM passage_fts WHERE passage_fts MATCH 'apple1'").get == 1
    shelf.encoder = CountingEncoder()
    report = shelf.sync()
    assert (report.unchanged, report.embedded, report.pending) == (1, 1, 0)


def test_a_file_that_was_there_at_several_deaths_is_blamed(shelf: Shelf) -> None:
    path = os.fsencode(shelf.write("killer.md", paragraph("dead")))
    shelf.write("b.md", paragraph("banana"))
    for _ in range(DEATHS_BEFORE_BLAME):
        Journal(journal_file(shelf.library)).begin(path)  # and never ended, as when the process is killed
    report = shelf.sync()
    assert [(failure.path, failure.reason) for failure in report.failed] == [(path, BLAME)]
    assert report.added == 1
    assert os.fsencode(shelf.notes / "killer.md") not in shelf.parser.read_paths
    shelf.write("killer.md", paragraph("alive"), age=1)
    assert shelf.sync().updated == 1


def test_one_death_accuses_nobody_but_the_file_is_read_last(shelf: Shelf) -> None:
    suspect = os.fsencode(shelf.write("a.md", paragraph("apple")))
    shelf.write("b.md", paragraph("banana"))
    Journal(journal_file(shelf.library)).begin(suspect)
    report = shelf.sync()
    assert (report.added, report.failed) == (2, ())
    assert shelf.parser.read_paths[-1] == suspect
    assert not journal_file(shelf.library).exists()


def test_vectors_of_two_models_are_never_mixed(shelf: Shelf) -> None:
    shelf.write("a.md", paragraph("apple"))
    shelf.sync()
    shelf.encoder = CountingEncoder()
    shelf.encoder.manifest = type(shelf.encoder.manifest)(**{**vars(shelf.encoder.manifest), "revision": "2"})
    shelf.write("b.md", paragraph("banana"))
    with pytest.raises(ModelError):
        shelf.sync()


def test_the_events_of_a_sync_agree_with_its_report(shelf: Shelf) -> None:
    for number in range(3):
        shelf.write(f"{number}.md", paragraph(f"word{number}x"))
    report = shelf.sync()
    scanned = [event for event in shelf.events if isinstance(event, Scanned)]
    assert [(event.files, event.to_do) for event in scanned] == [(3, 3)]
    last = [event for event in shelf.events if isinstance(event, Progress)][-1]
    assert (last.files_done, last.files_total, last.passages) == (3, 3, report.embedded)
    assert sum(event.documents for event in shelf.events if isinstance(event, Committed)) == 3
    (finished,) = (event for event in shelf.events if isinstance(event, SyncFinished))
    assert (finished.added, finished.pending) == (report.added, report.embedded)


def test_the_tiers_are_fitted_when_a_tenth_has_changed(shelf: Shelf) -> None:
    fits: list[int] = []
    for number in range(30):
        shelf.write(f"{number}.md", paragraph(f"word{number}x"))
    shelf.sync(refit=lambda: fits.append(1))
    assert fits == [1]
    shelf.write("0.md", paragraph("another"), age=1)
    shelf.sync(refit=lambda: fits.append(2))
    assert fits == [1]
    for number in range(5):
        shelf.write(f"{number}.md", paragraph(f"other{number}"), age=2)
    shelf.sync(refit=lambda: fits.append(3))
    assert fits == [1, 3]


def test_small_writes_of_others_get_in_while_a_sync_writes(shelf: Shelf) -> None:
    for number in range(400):
        shelf.write(f"{number}.md", "\n\n".join(paragraph(f"word{number}x{part}") for part in range(4)))
    ended = threading.Event()
    filed: list[int] = []

    def write() -> None:
        other = open_writer(shelf.library)
        while not ended.is_set():
            filed.append(requests.file(other, "retry"))
        other.close()

    writer = threading.Thread(target=write)
    writer.start()
    shelf.sync()
    during = len(filed)
    ended.set()
    writer.join()
    assert during > 10


def test_a_stopped_sync_leaves_the_orders_of_others_to_the_next_one(tmp_path: Path, unfitted: None) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.md").write_text(paragraph("apple"))
    stop = threading.Event()
    with Library.open(tmp_path / "library.carrel", create=True, encoder=FakeEncoder()) as library:
        library.add(tmp_path / "notes")
        number = library.file_request("sync")
        stop.set()
        library.sync(stop=stop)
        assert not library.request_state(number).done
        library.sync()
        state = library.request_state(number)
        assert state.done and state.outcome is not None and state.outcome["added"] == 1


@pytest.mark.parametrize("year", [2300, 2445])
def test_a_file_of_a_year_that_no_library_can_hold_is_indexed_as_any_other(shelf: Shelf, year: int) -> None:
    seconds = (year - 1970) * 31_556_952
    shelf.write("a.md", paragraph("apple"))
    shelf.write("far.md", paragraph("banana"))
    os.utime(shelf.notes / "far.md", (seconds, seconds))
    report = shelf.sync()
    assert (report.added, report.failed) == (2, ())
    report = shelf.sync()
    assert (report.unchanged, report.updated) == (2, 0)
    shelf.write("far.md", paragraph("cherry"))
    assert shelf.sync().updated == 1
