"""The watching indexer follows what happens in its folders. Every wait is for a condition, with a deadline."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from shelf import CountingEncoder, PlainParser, paragraph

from engine.events import Event, Watching
from engine.indexing import hints as hints_module
from engine.indexing.hints import LONGEST_SECONDS, MOST, QUIET_SECONDS, Hints, collapsed
from engine.indexing.parsing import WarmParser
from engine.indexing.service import Service
from engine.indexing.watcher import Watcher
from engine.store import documents, folders, requests
from engine.store.connection import open_writer

pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")

DEADLINE_SECONDS = 20.0  # a busy machine may take long; a sound one needs about one second


class Watched:
    """A watching indexer in a thread, and a connection of its own to look at what it does."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.notes = base / "notes"
        self.notes.mkdir()
        self.library = base / "home" / "library.carrel"
        self.conn = open_writer(self.library, create=True)
        folders.add(self.conn, os.fsencode(self.notes))
        self.encoder = CountingEncoder()
        self.events: list[Event] = []
        self.commands: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self.thread.start()
        self.until(lambda: any(isinstance(event, Watching) for event in self.events))

    def _run(self) -> None:
        conn = open_writer(self.library)
        try:
            Service(
                conn,
                self.library,
                encoder_of=lambda name: self.encoder,
                parser=WarmParser(PlainParser),
                refit=None,
                on_event=self.events.append,
                stop=self.stop,
                commands=self.commands,
            ).run(watch=True)
        finally:
            conn.close()

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not in time; the library has {self.titles()}, events {self.events}"
            assert self.thread.is_alive(), "the indexer died"
            time.sleep(0.02)

    def titles(self) -> dict[bytes, str]:
        return dict(self.conn.execute("SELECT path, title FROM document"))

    def paths(self) -> set[bytes]:
        return set(self.titles())

    def text(self, path: bytes) -> str:
        rows = self.conn.execute(
            "SELECT text FROM passage JOIN document ON document.id = document_id WHERE path = ? ORDER BY ordinal",
            (path,),
        )
        return "".join(row[0] for row in rows)

    def order(self, kind: str, argument: str = "") -> dict[str, object]:
        number = requests.file(self.conn, kind, argument)

        def done() -> bool:
            state = requests.state(self.conn, number)
            return state is not None and state.done

        self.until(done)
        state = requests.state(self.conn, number)
        assert state is not None and state.outcome is not None
        return state.outcome


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(hints_module, "QUIET_SECONDS", 0.05)
    world = Watched(tmp_path)
    yield world
    world.stop.set()
    if world.thread.ident is not None:
        world.thread.join(DEADLINE_SECONDS)
        assert not world.thread.is_alive()
    world.conn.close()


@pytest.fixture
def watched(world: Watched) -> Watched:
    world.start()
    return world


def test_a_created_and_an_edited_note_are_picked_up(watched: Watched) -> None:
    note = watched.notes / "a.md"
    note.write_text(paragraph("first"))
    watched.until(lambda: watched.text(b"a.md") == paragraph("first"))
    note.write_text(paragraph("second"))
    watched.until(lambda: watched.text(b"a.md") == paragraph("second"))


def test_a_renamed_note_is_moved_and_not_embedded_again(watched: Watched) -> None:
    (watched.notes / "a.md").write_text(paragraph("apple"))
    watched.until(lambda: watched.paths() == {b"a.md"})
    watched.until(lambda: len(watched.encoder.texts) == 1)
    (watched.notes / "a.md").rename(watched.notes / "b.md")
    watched.until(lambda: watched.paths() == {b"b.md"})
    assert len(watched.encoder.texts) == 1


def test_a_deleted_note_goes(watched: Watched) -> None:
    (watched.notes / "a.md").write_text(paragraph("apple"))
    watched.until(lambda: watched.paths() == {b"a.md"})
    (watched.notes / "a.md").unlink()
    watched.until(lambda: watched.paths() == set())


def test_an_atomically_replaced_note_is_updated(watched: Watched) -> None:
    note = watched.notes / "a.md"
    note.write_text(paragraph("first"))
    watched.until(lambda: watched.text(b"a.md") == paragraph("first"))
    draft = watched.notes / "a.md.tmp"
    draft.write_text(paragraph("second"))
    os.replace(draft, note)
    watched.until(lambda: watched.text(b"a.md") == paragraph("second"))
    outside = watched.base / "draft"
    outside.write_text(paragraph("third"))
    os.replace(outside, note)
    watched.until(lambda: watched.text(b"a.md") == paragraph("third"))


def test_folders_that_come_move_and_go_take_their_notes_with_them(watched: Watched) -> None:
    deep = watched.notes / "one" / "two"
    deep.mkdir(parents=True)
    (deep / "a.md").write_text(paragraph("apple"))
    watched.until(lambda: watched.paths() == {b"one/two/a.md"})
    (watched.notes / "one").rename(watched.notes / "uno")
    watched.until(lambda: watched.paths() == {b"uno/two/a.md"})
    (watched.notes / "uno" / "two" / "b.md").write_text(paragraph("banana"))
    watched.until(lambda: watched.paths() == {b"uno/two/a.md", b"uno/two/b.md"})
    (watched.notes / "uno").rename(watched.base / "outside")
    watched.until(lambda: watched.paths() == set())
    (watched.base / "outside").rename(watched.notes / "back")
    watched.until(lambda: watched.paths() == {b"back/two/a.md", b"back/two/b.md"})


def test_a_root_that_vanishes_and_comes_back_is_watched_again(watched: Watched) -> None:
    (watched.notes / "a.md").write_text(paragraph("apple"))
    watched.until(lambda: watched.paths() == {b"a.md"})
    watched.notes.rename(watched.base / "away")
    watched.until(lambda: folders.at(watched.conn, os.fsencode(watched.notes)).state == "missing")
    assert watched.paths() == {b"a.md"}
    shutil.copytree(watched.base / "away", watched.notes)
    (watched.notes / "b.md").write_text(paragraph("banana"))
    watched.until(lambda: watched.paths() == {b"a.md", b"b.md"})
    (watched.notes / "c.md").write_text(paragraph("cherry"))
    watched.until(lambda: watched.paths() == {b"a.md", b"b.md", b"c.md"})


def test_a_folder_that_is_added_is_indexed_and_watched(watched: Watched) -> None:
    other = watched.base / "other"
    other.mkdir()
    (other / "a.md").write_text(paragraph("apple"))
    folders.add(watched.conn, os.fsencode(other))
    requests.file(watched.conn, "sync")
    watched.until(lambda: watched.paths() == {b"a.md"})
    (other / "b.md").write_text(paragraph("banana"))
    watched.until(lambda: watched.paths() == {b"a.md", b"b.md"})


def test_what_an_ignore_file_leaves_out_goes_and_comes_back(watched: Watched) -> None:
    (watched.notes / "a.md").write_text(paragraph("apple"))
    (watched.notes / "b.md").write_text(paragraph("banana"))
    watched.until(lambda: watched.paths() == {b"a.md", b"b.md"})
    ignore = watched.notes / ".carrelignore"
    ignore.write_text("b.md\n")
    watched.until(lambda: watched.paths() == {b"a.md"})
    ignore.unlink()
    watched.until(lambda: watched.paths() == {b"a.md", b"b.md"})


def test_orders_are_carried_out_and_answered(watched: Watched) -> None:
    (watched.notes / "a.md").write_text(paragraph("apple"))
    outcome = watched.order("sync")
    assert outcome["failed"] == []
    assert watched.paths() == {b"a.md"}
    assert "error" in watched.order("dance")
    assert "error" in watched.order("sync", "/nowhere")


def test_a_paused_folder_is_not_followed_until_it_is_resumed(watched: Watched) -> None:
    watched.order("pause", str(watched.notes))
    (watched.notes / "a.md").write_text(paragraph("apple"))
    watched.order("sync")
    assert watched.paths() == set()
    outcome = watched.order("resume", str(watched.notes))
    assert outcome["added"] == 1
    (watched.notes / "b.md").write_text(paragraph("banana"))
    watched.until(lambda: watched.paths() == {b"a.md", b"b.md"})


def test_a_removed_folder_is_forgotten(watched: Watched) -> None:
    (watched.notes / "a.md").write_text(paragraph("apple"))
    watched.until(lambda: watched.paths() == {b"a.md"})
    assert watched.order("remove", str(watched.notes)) == {"documents": 1}
    assert watched.paths() == set()
    assert folders.every(watched.conn) == ()


class SlowEncoder(CountingEncoder):
    """Takes as long for a text as a real model on a slow machine."""

    def encode_passages(self, texts: Sequence[str]):
        time.sleep(0.01 * len(texts))
        return super().encode_passages(texts)


def test_a_saved_note_does_not_wait_for_a_long_sync(world: Watched) -> None:
    many = 300
    for number in range(many):
        (world.notes / f"{number}.md").write_text(paragraph(f"word{number}x"))
    world.encoder = SlowEncoder()
    world.start()
    world.until(lambda: documents.counts(world.conn).documents > 0)
    (world.notes / "zzz.md").write_text(paragraph("zebra"))  # the last in the order of the walk
    world.until(lambda: b"zzz.md" in world.paths())
    assert documents.counts(world.conn).documents < many
    world.until(lambda: documents.counts(world.conn).documents == many + 1)


# --- the parts, without a file system -------------------------------------------------------------------------------


def test_hints_wait_for_quiet_but_not_for_ever() -> None:
    now = [100.0]
    hints = Hints(clock=lambda: now[0])
    assert hints.due_in() is None
    hints.add([b"/a"])
    assert hints.due_in() == pytest.approx(QUIET_SECONDS)
    while now[0] < 100.0 + LONGEST_SECONDS - QUIET_SECONDS / 2:
        now[0] += QUIET_SECONDS / 2
        hints.add([b"/b"])
    assert hints.due_in() < QUIET_SECONDS / 2 + 1e-6
    now[0] += QUIET_SECONDS
    assert hints.due_in() == 0
    assert hints.take() == [b"/a", b"/b"]
    assert hints.due_in() is None


def test_paths_below_another_are_looked_at_once() -> None:
    assert collapsed([b"/r/a/b", b"/r/a", b"/r/a.md", b"/r/ab/c"], [b"/r"]) == [b"/r/a.md", b"/r/a", b"/r/ab/c"]


def test_very_many_paths_become_the_folders_they_are_in() -> None:
    paths = [b"/r/%d.md" % number for number in range(MOST + 1)]
    assert collapsed(paths, [b"/q", b"/r"]) == [b"/r"]


def test_a_dead_observer_is_replaced(tmp_path: Path) -> None:
    hints = Hints()
    watcher = Watcher(hints)
    root = os.fsencode(tmp_path)
    try:
        watcher.watch([root])
        assert watcher.check() == [root]
        assert watcher.check() == []
        watcher._observer.stop()  # type: ignore[union-attr]
        watcher._observer.join()  # type: ignore[union-attr]
        assert watcher.check() == [root]
        assert watcher.uncovered == frozenset()
    finally:
        watcher.close()


def test_events_of_other_programs_and_of_carrel_itself_are_not_taken(tmp_path: Path) -> None:
    own = tmp_path / "library.carrel"
    (tmp_path / "node_modules").mkdir()
    hints = Hints()
    watcher = Watcher(hints, own_files=[os.fsencode(own)])
    try:
        watcher.watch([os.fsencode(tmp_path)])
        watcher.check()
        own.write_text("x")
        (tmp_path / "node_modules" / "x.md").write_text("x")
        (tmp_path / "note.md~").write_text("x")
        (tmp_path / "note.md").write_text("x")
        heard: set[bytes] = set()
        deadline = time.monotonic() + DEADLINE_SECONDS
        while os.fsencode(tmp_path / "note.md") not in heard and time.monotonic() < deadline:
            heard.update(hints.take())
            time.sleep(0.02)
        assert heard == {os.fsencode(tmp_path / "note.md")}
    finally:
        watcher.close()


def test_a_watched_root_that_does_not_exist_is_taken_up_when_it_does(tmp_path: Path) -> None:
    root = tmp_path / "later"
    watcher = Watcher(Hints())
    try:
        watcher.watch([os.fsencode(root)])
        assert watcher.check() == []
        assert watcher.uncovered == {os.fsencode(root)}
        root.mkdir()
        assert watcher.check() == [os.fsencode(root)]
    finally:
        watcher.close()
