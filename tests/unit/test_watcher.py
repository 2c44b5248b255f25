"""The watching indexer follows what happens in its folders. Every wait is for a condition, with a deadline."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from shelf import LONG_AGO, CountingEncoder, PlainParser, paragraph

from engine.errors import ModelError
from engine.events import (
    Committed,
    Event,
    MeaningProgress,
    Preparing,
    Progress,
    Scanned,
    SyncFinished,
    Trouble,
    Watching,
)
from engine.indexer import service as service_module
from engine.indexer.service import Service
from engine.indexer.suspended_sync import Aside, Continued, Quiet, still_wanted
from engine.indexer.warm_parser import WarmParser
from engine.indexing import passage_encoder
from engine.indexing.passage_encoder import PassageEncoder
from engine.records import Folder
from engine.store import documents, folders, models, pending_vectors, requests
from engine.store.connection import open_writer
from engine.watching import folder_watch
from engine.watching import hints as hints_module
from engine.watching import polling as polling_module
from engine.watching.coverage import Watches
from engine.watching.hints import (
    AGAIN_SECONDS,
    LONG_QUIET_SECONDS,
    LONGEST_SECONDS,
    MOST,
    QUIET_SECONDS,
    Hints,
    collapsed,
)
from engine.watching.watcher import Watcher

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")]

DEADLINE_SECONDS = 120.0  # a busy machine may take long; a sound one needs about one second


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
        self.refit: Callable[[PassageEncoder, Callable[[], bool]], None] | None = None
        self.other_encoders: dict[str, CountingEncoder] = {}
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
                encoder_of=lambda name: self.other_encoders.get(name or "", self.encoder),
                parser=WarmParser(PlainParser),
                refit=self.refit,
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
    monkeypatch.setattr(hints_module, "LONG_QUIET_SECONDS", 0.05)
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


def test_a_failing_disk_is_told_once_and_outlived(world: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []
    take = requests.take

    def failing(conn: apsw.Connection) -> requests.Request | None:
        attempts.append(1)
        if len(attempts) <= 3:
            raise apsw.IOError("disk I/O error")
        return take(conn)

    monkeypatch.setattr(requests, "take", failing)
    world.start()
    world.until(lambda: len(attempts) > 4)
    (world.notes / "a.md").write_text(paragraph("first"))
    world.until(lambda: world.text(b"a.md") == paragraph("first"))
    assert [event.message for event in world.events if isinstance(event, Trouble)] == [
        "The library could not be written to the end. The disk is full or failing. SQLite says: disk I/O error."
    ]


def test_a_created_and_an_edited_note_are_picked_up(watched: Watched) -> None:
    note = watched.notes / "a.md"
    note.write_text(paragraph("first"))
    watched.until(lambda: watched.text(b"a.md") == paragraph("first"))
    note.write_text(paragraph("second"))
    watched.until(lambda: watched.text(b"a.md") == paragraph("second"))


class GatedEncoder(CountingEncoder):
    """Embeds only as often as it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Semaphore(0)
        self.open = False

    def encode_passages(self, texts: Sequence[str]):
        if not self.open:
            self.gate.acquire(timeout=DEADLINE_SECONDS)
        return super().encode_passages(texts)

    def let_all(self) -> None:
        self.open = True
        self.gate.release()


@pytest.fixture
def embedding(world: Watched, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Watched, GatedEncoder]]:
    """An indexer that has found some five hundred passages by words, and embeds two at a time."""
    monkeypatch.setattr(passage_encoder, "LARGEST_STEP", 2)
    monkeypatch.setattr(passage_encoder, "FIRST_STEP", 2)
    for number in range(40):
        text = "\n\n".join(
            paragraph(f"wide{chr(97 + number // 20)}{chr(97 + number % 20)}x{chr(97 + part)}y") for part in range(25)
        )
        path = world.notes / f"note{number}.md"
        path.write_text(text)
        os.utime(path, (LONG_AGO, LONG_AGO))
    encoder = GatedEncoder()
    world.encoder = encoder
    world.start()
    world.until(lambda: len(world.paths()) == 40)
    yield world, encoder
    encoder.let_all()


def waiting(world: Watched) -> int:
    return pending_vectors.count(world.conn)


def test_all_is_found_by_words_before_the_first_passage_is_embedded(
    embedding: tuple[Watched, GatedEncoder],
) -> None:
    world, encoder = embedding
    passages = documents.counts(world.conn).passages
    assert waiting(world) == passages > 400
    assert encoder.texts == []
    world.until(lambda: any(isinstance(event, SyncFinished) for event in world.events))
    assert [event.pending for event in world.events if isinstance(event, SyncFinished)] == [passages]
    encoder.let_all()
    world.until(lambda: any(isinstance(event, MeaningProgress) and not event.pending for event in world.events))
    assert waiting(world) == 0
    assert {event.passages for event in world.events if isinstance(event, MeaningProgress)} == {passages}


def test_a_note_saved_while_the_rest_is_embedded_is_found_by_words_at_once_and_embedded_next(
    embedding: tuple[Watched, GatedEncoder],
) -> None:
    world, encoder = embedding
    (world.notes / "saved.md").write_text(paragraph("saved"))

    def one_more_step() -> bool:
        encoder.gate.release()
        return b"saved.md" in world.paths()

    world.until(one_more_step)
    assert waiting(world) > 2
    before = len(encoder.texts)
    encoder.let_all()
    world.until(lambda: not waiting(world))
    place = next(at for at, text in enumerate(encoder.texts) if "saved0" in text)
    assert place <= before + 4  # behind the steps that were under way


def test_an_order_is_answered_once_the_words_are_there(embedding: tuple[Watched, GatedEncoder]) -> None:
    world, encoder = embedding
    number = requests.file(world.conn, "sync", os.fspath(world.notes / "note1.md"))

    def answered() -> bool:
        encoder.gate.release()
        state = requests.state(world.conn, number)
        return state is not None and state.done

    world.until(answered)
    state = requests.state(world.conn, number)
    assert state is not None and state.outcome is not None
    assert state.outcome["pending"] > 0


def test_a_model_that_cannot_be_loaded_leaves_all_found_by_words(world: Watched) -> None:
    class Broken(CountingEncoder):
        def encode_passages(self, texts: Sequence[str]):
            raise ModelError("The model cannot be loaded.", fix="Install it again.")

    world.encoder = Broken()
    (world.notes / "a.md").write_text(paragraph("apple"))
    world.start()
    world.until(lambda: any(isinstance(event, Trouble) for event in world.events))
    assert (world.paths(), waiting(world)) == ({b"a.md"}, 1)
    (world.notes / "b.md").write_text(paragraph("banana"))
    world.until(lambda: b"b.md" in world.paths())
    assert len([event for event in world.events if isinstance(event, Trouble)]) == 1


def test_a_renamed_note_is_moved_and_not_embedded_again(watched: Watched) -> None:
    (watched.notes / "a.md").write_text(paragraph("apple"))
    watched.until(lambda: watched.paths() == {b"a.md"} and not waiting(watched))
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

    def __init__(self, dimension: int = 16) -> None:
        super().__init__(dimension)

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


def many_notes(world: Watched, many: int) -> None:
    """Write notes that are settled: one that was written as it was read is looked at once more."""
    for number in range(many):
        path = world.notes / f"{number}.md"
        path.write_text(paragraph(f"word{number}x"))
        os.utime(path, (LONG_AGO, LONG_AGO))


def test_a_saved_note_in_the_midst_of_a_long_sync_does_not_begin_its_progress_anew(world: Watched) -> None:
    many_notes(world, 300)
    world.encoder = SlowEncoder()
    world.start()
    world.until(lambda: documents.counts(world.conn).documents > 0)
    (world.notes / "zzz.md").write_text(paragraph("zebra"))
    world.until(lambda: documents.counts(world.conn).documents == 301)
    world.until(lambda: any(isinstance(event, SyncFinished) for event in world.events))
    done = [event.files_done for event in world.events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert {event.files_total for event in world.events if isinstance(event, Progress)} <= {300, 301}
    assert [event.to_do for event in world.events if isinstance(event, Scanned)][-1] == 300
    assert sum(isinstance(event, SyncFinished) for event in world.events) == 1


def test_a_folder_can_be_paused_while_it_is_indexed_for_the_first_time(world: Watched) -> None:
    many_notes(world, 300)
    world.encoder = SlowEncoder()
    number = requests.file(world.conn, "sync", str(world.notes))
    world.start()
    world.until(lambda: documents.counts(world.conn).documents > 0)
    assert world.order("pause", str(world.notes)) == {}
    assert documents.counts(world.conn).documents < 300

    def answered() -> bool:
        state = requests.state(world.conn, number)
        return state is not None and state.done

    world.until(answered)
    assert documents.counts(world.conn).documents < 300


def test_a_full_sync_gives_way_and_reads_every_file_once(world: Watched) -> None:
    many_notes(world, 300)
    world.start()
    world.until(lambda: documents.counts(world.conn).documents == 300)
    parsed: list[bytes] = []
    before = PlainParser.read

    def read(parser: PlainParser, path: bytes, root: bytes | None = None):
        time.sleep(0.005)
        parsed.append(os.path.basename(path))
        return before(parser, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainParser, "read", read)
        number = requests.file(world.conn, "sync_full")
        world.until(lambda: len(parsed) > 20)
        (world.notes / "zzz.md").write_text(paragraph("zebra"))
        world.until(lambda: b"zzz.md" in world.paths())
        state = requests.state(world.conn, number)
        assert state is not None and not state.done

        def answered() -> bool:
            state = requests.state(world.conn, number)
            return state is not None and state.done

        world.until(answered)
    assert requests.state(world.conn, number).outcome["added"] == 1  # type: ignore[union-attr, index]
    told = [event for event in world.events if isinstance(event, SyncFinished)]
    assert (1, 300) in {(each.added, each.updated + each.unchanged) for each in told}
    assert set(parsed) >= {b"%d.md" % each for each in range(300)}
    assert len(parsed) < 600  # what was read ahead when it gave way is read once more, not everything


def test_the_library_is_asked_for_its_model_in_the_thread_of_its_connection(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are read in another: a connection that is busy in two threads refuses one of them."""
    asked, before = set(), models.active
    monkeypatch.setattr(models, "active", lambda conn: asked.add((conn, threading.get_ident())) or before(conn))
    many_notes(world, 9)
    world.start()
    world.until(lambda: documents.counts(world.conn).documents == 9)
    assert len({conn for conn, _ in asked}) == len(asked) > 0


def test_a_saved_note_does_not_wait_for_another_model(world: Watched) -> None:
    many_notes(world, 200)
    world.start()
    world.until(lambda: documents.counts(world.conn).documents == 200)
    world.other_encoders["other"] = SlowEncoder(dimension=24)
    number = requests.file(world.conn, "use_model", "other")
    world.until(lambda: any(isinstance(event, Preparing) for event in world.events))
    (world.notes / "zzz.md").write_text(paragraph("zebra"))
    world.until(lambda: b"zzz.md" in world.paths())
    state = requests.state(world.conn, number)
    assert state is not None and not state.done
    world.until(lambda: getattr(models.active(world.conn), "name", "") == "other")


def test_an_order_for_a_model_that_is_taken_back_ends_the_building(world: Watched) -> None:
    many_notes(world, 200)
    world.start()
    world.until(lambda: documents.counts(world.conn).documents == 200)
    world.other_encoders["other"] = SlowEncoder(dimension=24)
    number = requests.file(world.conn, "use_model", "other")
    world.until(lambda: any(isinstance(event, Preparing) for event in world.events))
    requests.withdraw(world.conn, number)
    assert world.order("sync")["added"] == 0  # it is taken once the building has ended
    assert getattr(models.active(world.conn), "name", "") != "other"


def test_who_asked_for_a_model_hears_that_another_was_asked_for_after_it(world: Watched) -> None:
    asked = threading.Event()

    class Waiting(CountingEncoder):
        def encode_passages(self, texts: Sequence[str]):
            asked.wait(DEADLINE_SECONDS)
            return super().encode_passages(texts)

    many_notes(world, 30)
    world.start()
    world.until(lambda: documents.counts(world.conn).documents == 30)
    world.other_encoders |= {"slow": Waiting(dimension=24), "other": CountingEncoder(dimension=32)}
    number = requests.file(world.conn, "use_model", "slow")
    world.until(lambda: any(isinstance(event, Preparing) for event in world.events))
    requests.file(world.conn, "use_model", "other")
    asked.set()

    def message() -> str:
        state = requests.state(world.conn, number)
        return str(state.outcome["message"]) if state is not None and state.outcome else ""

    world.until(lambda: message() != "")
    assert message() == "slow was not taken into use: other was asked for after it."
    assert getattr(models.active(world.conn), "name", "") == "other"


def test_an_order_that_fails_for_the_file_system_is_answered_with_what_went_wrong(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.notes / "a.md").write_text(paragraph("apple"))
    world.start()
    world.until(lambda: world.paths() == {b"a.md"})
    world.library.with_name(world.library.name + ".removed").write_text("in the way of the folder of that name")
    outcome = world.order("remove", os.fspath(world.notes))
    assert "not be brought" in str(outcome["message"]) and outcome["cause"]
    assert world.paths() == {b"a.md"}

    def refused(conn: apsw.Connection, folder_id: int, state: str) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(folders, "set_state", refused)
    outcome = world.order("pause", os.fspath(world.notes))
    assert "disk is full" in str(outcome["cause"])


def test_an_answer_that_cannot_be_written_down_is_kept_until_it_can(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, refused = requests.finish, threading.Event()

    def full_at_first(*answer: object) -> None:
        if not refused.is_set():
            refused.set()
            raise apsw.FullError("database or disk is full")
        finish(*answer)  # type: ignore[arg-type]

    monkeypatch.setattr(requests, "finish", full_at_first)
    world.start()
    assert world.order("sync")["unchanged"] == 0
    assert refused.is_set()
    assert any(isinstance(event, Trouble) for event in world.events)


def test_a_saved_note_does_not_wait_for_the_tiers(world: Watched) -> None:
    fits: list[bool] = []

    def refit(encoder: PassageEncoder, stopped: Callable[[], bool], beside: object) -> None:
        until = time.monotonic() + (DEADLINE_SECONDS if not fits else 0.0)
        while not stopped() and time.monotonic() < until:
            time.sleep(0.005)
        fits.append(stopped())

    world.refit = refit
    (world.notes / "a.md").write_text(paragraph("apple"))
    world.start()
    world.until(lambda: any(isinstance(event, Preparing) for event in world.events))
    (world.notes / "b.md").write_text(paragraph("banana"))
    world.until(lambda: b"b.md" in world.paths())
    world.until(lambda: fits[:2] == [True, False])  # ended by the note, then fitted after all


class Deaf:
    """Lets a test take the watcher's ears: what happens from then on is not heard."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Hints, "add", lambda hints, paths: None)


def test_after_a_sleep_every_folder_is_looked_at(world: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = threading.Event()

    class Woken:
        def jumped(self) -> bool:
            woken = slept.is_set()
            slept.clear()
            return woken

    monkeypatch.setattr(service_module, "Clocks", Woken)
    world.start()
    Deaf(monkeypatch)
    (world.notes / "a.md").write_text(paragraph("apple"))
    slept.set()
    world.until(lambda: world.paths() == {b"a.md"})


def test_a_folder_that_the_system_does_not_watch_is_followed(world: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling_module, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(folder_watch, "inotify_watches", lambda: Watches([]))
    (world.notes / "far").mkdir()
    world.start()
    assert [(event.covered, event.folders) for event in world.events if isinstance(event, Watching)] == [(0, 2)]
    Deaf(monkeypatch)
    (world.notes / "far" / "a.md").write_text(paragraph("apple"))
    world.until(lambda: world.paths() == {b"far/a.md"})
    told = len(world.events)
    (world.notes / "far" / "a.md").unlink()
    world.until(lambda: world.paths() == set())
    assert not any(isinstance(event, Scanned) and not event.to_do for event in world.events[told:])


# --- the parts, without a file system -------------------------------------------------------------------------------


def progress(done: int, total: int) -> Progress:
    return Progress(files_done=done, files_total=total, passages=0, rate=0.0, seconds_left=None, path="")


def finish() -> SyncFinished:
    return SyncFinished(
        added=0, updated=0, unchanged=0, moved=0, removed=0, failed=0, embedded=0, reused=0, seconds=0.0
    )


def test_a_sync_in_parts_is_told_as_one() -> None:
    told: list[Event] = []
    continued = Continued(told.append)
    for event in (Scanned(files=9, to_do=9), progress(4, 9), finish()):
        continued(event)
    continued.take_up(anew=False)
    for event in (Scanned(files=9, to_do=5), progress(2, 5), finish()):
        continued(event)
    assert [(e.files_done, e.files_total) for e in told if isinstance(e, Progress)] == [(4, 9), (6, 9)]
    assert sum(isinstance(event, Scanned) for event in told) == 1
    assert not any(isinstance(event, SyncFinished) for event in told)


def test_a_small_sync_aside_tells_only_what_it_wrote() -> None:
    told: list[Event] = []
    aside = Aside(told.append)
    for event in (Scanned(files=1, to_do=1), progress(1, 1), Committed(documents=1, passages=1), finish()):
        aside(event)
    assert told == [event for event in told if isinstance(event, Committed)] and len(told) == 1


def test_a_sync_that_found_nothing_is_told_where_another_in_its_midst_did() -> None:
    told: list[Event] = []
    quiet = Quiet(told.append)
    for event in (Scanned(files=1, to_do=0), finish()):
        quiet(event)
    assert (told, quiet.found_nothing) == ([], True)
    quiet(replace(finish(), removed=1))
    assert len(told) == 1


def test_what_was_paused_or_forgotten_meanwhile_is_wanted_no_more() -> None:
    before = [Folder(1, b"/a", "watching"), Folder(2, b"/b", "watching"), Folder(3, b"/c", "paused")]
    now = [Folder(1, b"/a", "paused"), Folder(3, b"/c", "paused")]
    assert still_wanted([b"/a", b"/a/x", b"/b", b"/c/y"], before, now) == [b"/c/y"]


class Told:
    """Hints of files below a folder, by a clock of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 100.0
        self.hints = Hints(clock=lambda: self.now)

    def saved(self, name: str, *, arrived: bool = False) -> bytes:
        (self.folder / name).write_text("words")
        return self.told(name, arrived=arrived)

    def told(self, name: str, *, arrived: bool = False) -> bytes:
        path = os.fsencode(self.folder / name)
        self.hints.add([path], arrived=[path] if arrived else ())
        return path

    def due_after(self, seconds: float) -> bool:
        self.now += seconds
        return self.hints.due_in() == 0


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_hints_wait_for_quiet_but_not_for_ever(told: Told) -> None:
    assert told.hints.due_in() is None
    one, other = told.saved("a.md"), told.saved("b.md")
    assert told.hints.due_in() == pytest.approx(QUIET_SECONDS)
    while told.now < 100.0 + LONGEST_SECONDS - QUIET_SECONDS / 2:
        told.now += QUIET_SECONDS / 2
        told.told("b.md")
    assert told.hints.due_in() < QUIET_SECONDS / 2 + 1e-6  # type: ignore[operator]
    assert told.due_after(QUIET_SECONDS)
    assert told.hints.take() == [one, other]
    assert told.hints.due_in() is None


def test_a_path_that_is_gone_waits_for_where_it_went(told: Told) -> None:
    gone = told.told("before.md")
    assert not told.due_after(QUIET_SECONDS + 1e-6)
    come = told.saved("after.md", arrived=True)
    assert not told.due_after(QUIET_SECONDS + 1e-6), "a move is looked at whole"
    assert told.due_after(LONG_QUIET_SECONDS)
    assert told.hints.take() == sorted([gone, come])


def test_what_an_editor_makes_and_takes_away_holds_nothing_up(told: Told) -> None:
    told.saved("note.md")
    told.told("4913", arrived=True)
    told.told("note.md~", arrived=True)
    told.told("4913")
    told.told("note.md~")
    assert told.due_after(QUIET_SECONDS + 1e-6)


def test_a_file_that_is_written_on_and_on_is_not_read_at_every_pause(told: Told) -> None:
    told.saved("log.txt")
    assert told.due_after(QUIET_SECONDS + 1e-6)
    told.hints.take()
    told.now += AGAIN_SECONDS / 2
    told.saved("log.txt")
    assert not told.due_after(QUIET_SECONDS + 1e-6)
    assert told.due_after(LONG_QUIET_SECONDS)
    told.hints.take()
    told.now += AGAIN_SECONDS + 1e-6
    told.saved("log.txt")
    assert told.due_after(QUIET_SECONDS + 1e-6), "a note that is saved now and then is read at once"


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
        # node_modules stands for what is in it; whether it counts is for the rules of the folder to say.
        assert heard <= {os.fsencode(tmp_path / name) for name in ("node_modules", "note.md~", "note.md")}
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
