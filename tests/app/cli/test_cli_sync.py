"""`carrel sync`: its report, its progress, its interruption, and what it does beside a running indexer."""

from __future__ import annotations

import io
import os
import signal
import threading
from contextlib import ExitStack
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli_fakes import Call, FakeLibrary

from app.cli import embedding_wait, indexer_request
from app.cli.indexer_request import done_or_asked
from app.cli.progress_line import MovingLine, PlainLines
from app.cli.sync_report import summed
from engine.errors import LibraryBusy, LibraryFull, WorkerError
from engine.event_log.event_file import EventFile
from engine.event_log.lock_holder import HolderTail
from engine.events import Event, FileFailed, MeaningProgress, Preparing, Progress, Scanned, Trouble
from engine.indexing.sync_progress import to_dict
from engine.records import Failure, Folder, Status, SyncReport, Writer
from engine.store.lock import IndexerLock

REPORT = SyncReport(
    added=3,
    updated=1,
    unchanged=6402,
    failed=(Failure(b"/notes/scan.pdf", "no text layer"),),
    skipped={"hidden": 2, "larger than 32 MB": 5},
    embedded=40,
    reused=7,
    passages_removed=2,
    seconds=1.25,
)
OUTCOME = {
    "added": 3,
    "updated": 1,
    "unchanged": 6402,
    "moved": 0,
    "removed": 0,
    "failed": [{"path": "/notes/scan.pdf", "reason": "no text layer"}],
    "skipped": {"hidden": 2, "larger than 32 MB": 5},
    "passages": {"embedded": 40, "reused": 7, "removed": 2, "wordless": 0, "pending": 0},
    "seconds": 1.25,
    "held": 0,
}


@pytest.fixture(autouse=True)
def watched(library: FakeLibrary) -> None:
    """Let the library watch a folder, and sync to something."""
    library.watched = [Folder(1, b"/notes", "watching")]
    library.report = REPORT


def a_progress(done: int, total: int = 100, path: str = "/notes/a.md") -> Progress:
    return Progress(files_done=done, files_total=total, passages=done, rate=312.0, seconds_left=13.0, path=path)


def test_the_report_says_what_changed_and_what_failed(carrel: Call) -> None:
    ended = carrel("sync")

    assert ended.code == 0
    assert ended.out.splitlines() == [
        "3 added, 1 updated, 6,402 unchanged in 1.2 s",
        "passages: 40 embedded, 7 reused, 2 removed",
        "left out: 7",
        "           5  larger than 32 MB",
        "           2  hidden",
        "failed: 1 file",
        "  /notes/scan.pdf: no text layer",
    ]


def test_json_holds_every_stable_key(carrel: Call) -> None:
    assert carrel("sync", "--json").json == {"format": 1, **OUTCOME}


def test_paths_and_full_reach_the_library(carrel: Call, library: FakeLibrary) -> None:
    carrel("sync", "kitchen", "~/x", "--full")

    assert library.of("sync") == [((Path.cwd() / "kitchen", Path.home() / "x"), True)]


def test_what_is_held_back_is_told_and_let_go_by_an_option(carrel: Call, library: FakeLibrary) -> None:
    library.report = replace(REPORT, held=812)
    ended = carrel("sync")
    assert ended.code == 0
    assert "held back: 812 documents whose files are gone at once" in ended.out
    assert carrel("sync", "--json").json["held"] == 812
    carrel("sync", "--accept-removals", "kitchen")
    assert library.of("sync")[-1] == ((Path.cwd() / "kitchen",), False, "accepted")


def test_with_no_folder_watched_it_says_how_to_add_one(carrel: Call, library: FakeLibrary) -> None:
    library.watched = []

    assert "carrel add" in carrel("sync").err


def test_progress_goes_to_stderr_as_plain_lines(carrel: Call, library: FakeLibrary) -> None:
    library.happenings = (
        Preparing(what="loading the model"),
        Scanned(files=100, to_do=2),
        FileFailed(path="/notes/scan.pdf", reason="no text layer"),
        a_progress(1, 2),
        a_progress(2, 2),
    )

    assert carrel("sync").err.splitlines() == [
        "loading the model …",
        "100 files seen, 2 to read.",
        "Could not read /notes/scan.pdf: no text layer",
        "2 of 2 files · 312 passages/s",
    ]


def shown_by(kind: type[PlainLines] | type[MovingLine], *happenings: tuple[float, Event]) -> str:
    stream, now = io.StringIO(), [0.0]
    show = kind(stream, lambda: now[0])
    for at, event in happenings:
        now[0] = at
        show(event)
    show.close()
    return stream.getvalue()


def test_plain_progress_is_no_more_than_a_line_every_few_seconds() -> None:
    text = shown_by(PlainLines, *((float(at), a_progress(at)) for at in range(12)))

    assert [line.split()[0] for line in text.splitlines()] == ["0", "5", "10"]


def test_a_terminals_progress_is_one_line_that_is_cleared_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = shown_by(MovingLine, (0.0, a_progress(50)), (0.05, a_progress(51)), (1.0, a_progress(60)))

    assert "\n" not in text
    assert "51 of" not in text
    assert "▕██████████          ▏ 50 %  50 of 100 files · 312 passages/s · 13 s left  /notes/a.md" in text
    assert text.endswith("\r\x1b[K")


def test_what_must_stay_readable_stands_above_the_moving_line() -> None:
    text = shown_by(MovingLine, (0.0, a_progress(50)), (0.1, Trouble(message="Half is watched.", fix="Raise it.")))

    assert "\r\x1b[KHalf is watched. Raise it.\n" in text


def test_a_moving_line_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    text = shown_by(MovingLine, (0.0, a_progress(1, path="/notes/" + "語" * 50)))

    drawn = text.split("\x1b[K")[1].strip("\r")
    assert len(drawn) <= 39
    assert drawn.endswith("…")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_asks_the_library_to_stop_and_keeps_what_was_done(
    carrel: Call, library: FakeLibrary, number: int
) -> None:
    stopped: list[bool] = []

    def interrupted(stop: threading.Event) -> None:
        os.kill(os.getpid(), number)
        stopped.append(stop.wait(120))

    library.during_sync = interrupted

    ended = carrel("sync")

    assert (ended.code, stopped) == (130, [True])
    assert "3 added" in ended.out
    assert "the next sync goes on from here" in ended.err


def test_a_second_interruption_does_not_wait(carrel: Call, library: FakeLibrary) -> None:
    def impatient(stop: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    library.during_sync = impatient

    ended = carrel("sync")

    assert (ended.code, ended.out) == (130, "")


def test_a_full_disk_is_told_plainly(carrel: Call, library: FakeLibrary) -> None:
    library.refusals["sync"] = [LibraryFull("The disk is full.", fix="Make room.")]

    ended = carrel("sync")

    assert (ended.code, ended.out, ended.err) == (1, "", "carrel: The disk is full.\nMake room.\n")


def busy(library: FakeLibrary, *outcomes: SimpleNamespace) -> None:
    library.writer = Writer(4711, "watching", 0.0)
    library.refusals["sync"] = [LibraryBusy("Busy.")]
    library.outcomes = list(outcomes)


NO_PASSAGES = {"embedded": 0, "reused": 0, "removed": 0, "wordless": 0, "pending": 0}


class Silent:
    """Stands in for the tail of an indexer that is there and tells nothing."""

    holder = Writer(4711, "watching", 0.0)

    def __init__(self, library: Path, *, from_now: bool) -> None:
        pass

    def read(self) -> list[Event]:
        return []

    def close(self) -> None:
        pass


WAITING = SimpleNamespace(done=False, outcome=None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll without pausing."""
    monkeypatch.setattr(indexer_request, "POLL_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
def test_beside_an_indexer_a_request_is_filed_and_its_report_printed(carrel: Call, library: FakeLibrary) -> None:
    busy(library, WAITING, SimpleNamespace(done=True, outcome=to_dict(REPORT)))

    ended = carrel("sync", "--json", "--full", "kitchen")

    assert ended.code == 0
    assert ended.json == {"format": 1, **OUTCOME}
    assert library.of("request") == [("sync_full", str(Path.cwd() / "kitchen"))]
    assert "process 4711" in ended.err


def test_with_wait_words_the_rest_is_left_to_whoever_indexes_next_and_the_report_says_so(
    carrel: Call, library: FakeLibrary
) -> None:
    library.report = SyncReport(added=3, pending=9_312)
    ended = carrel("sync", "--wait", "words")
    assert library.of("sync") == [((), False, "words")]
    assert "9,312 passages found by words only so far" in ended.out
    assert "the next `carrel sync` embeds the rest" in ended.out


@pytest.mark.usefixtures("impatient")
def test_beside_an_indexer_with_wait_words_nothing_more_is_waited_for(carrel: Call, library: FakeLibrary) -> None:
    busy(library, SimpleNamespace(done=True, outcome=to_dict(SyncReport(added=1, pending=40))))
    library.waiting = [40, 40]
    assert carrel("sync", "--wait", "words", "--json").json["passages"] == {**NO_PASSAGES, "pending": 40}
    assert library.waiting == [40, 40]


@pytest.mark.usefixtures("impatient")
def test_beside_an_indexer_its_vectors_are_waited_for(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_wait, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(embedding_wait, "HolderTail", Silent)
    busy(library, SimpleNamespace(done=True, outcome=to_dict(SyncReport(added=1, pending=40))))
    library.waiting = [40, 40, 30, 0]
    assert carrel("sync", "--json").json["passages"] == {**NO_PASSAGES, "embedded": 40}
    assert library.waiting == []


@pytest.mark.usefixtures("impatient")
def test_beside_an_indexer_only_the_vectors_below_a_path_are_waited_for(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_wait, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(embedding_wait, "HolderTail", Silent)
    busy(library, SimpleNamespace(done=True, outcome=to_dict(SyncReport(added=1, pending=900))))
    library.waiting = [5, 5, 0, 895]
    assert carrel("sync", "--json", "kitchen").json["passages"] == {**NO_PASSAGES, "embedded": 5, "pending": 895}
    assert library.of("embed_first") == [(Path.cwd() / "kitchen",)]


@pytest.mark.usefixtures("impatient")
def test_an_indexer_that_cannot_embed_ends_the_wait_with_what_it_says(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Troubled(Silent):
        def read(self) -> list[Event]:
            return [Trouble(message="The model cannot be loaded.", fix="Install it again.")]

    monkeypatch.setattr(embedding_wait, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(embedding_wait, "GIVEN_UP_SECONDS", -1.0)
    monkeypatch.setattr(embedding_wait, "HolderTail", Troubled)
    busy(library, SimpleNamespace(done=True, outcome=to_dict(SyncReport(added=1, pending=40))))
    library.waiting = [40, 40]
    ended = carrel("sync")
    assert ended.code != 0
    assert "The model cannot be loaded." in ended.err and "Install it again." in ended.err


def test_how_far_the_meaning_is_goes_to_stderr_in_one_line() -> None:
    told = [MeaningProgress(pending=left, passages=100, rate=20.4, seconds_left=left / 20) for left in (66, 65, 0)]
    text = shown_by(MovingLine, *((float(at), event) for at, event in enumerate(told)))
    assert "words 100 %, meaning 34 %, 3 s left · 20 passages/s" in text
    plain = shown_by(PlainLines, (0.0, told[0]), (0.1, told[1]), (0.2, told[2]))
    assert plain.splitlines() == [
        "words 100 %, meaning 34 %, 3 s left · 20 passages/s",
        "words 100 %, meaning 100 %",
    ]
    saved = shown_by(PlainLines, (0.0, told[2]))
    assert saved == "", "a saved note says nothing of it"


@pytest.mark.usefixtures("impatient")
def test_beside_an_indexer_removals_are_accepted_by_a_request(carrel: Call, library: FakeLibrary) -> None:
    busy(library, SimpleNamespace(done=True, outcome=to_dict(SyncReport(removed=30))))

    assert "30 removed" in carrel("sync", "--accept-removals", "kitchen").out
    assert library.of("request") == [("accept_removals", str(Path.cwd() / "kitchen"))]


@pytest.mark.usefixtures("impatient")
def test_beside_an_indexer_files_are_read_again_also_where_removals_are_accepted(
    carrel: Call, library: FakeLibrary
) -> None:
    busy(library, SimpleNamespace(done=True, outcome=to_dict(SyncReport(updated=3, removed=30))))

    assert "3 updated, 30 removed" in carrel("sync", "--full", "--accept-removals").out
    assert library.of("request") == [("sync_full_accept_removals", "")]


@pytest.mark.usefixtures("impatient")
def test_an_indexer_that_leaves_without_an_answer_is_replaced(carrel: Call, library: FakeLibrary) -> None:
    busy(library, WAITING)
    answer = library.request_state

    def leaves(number: int) -> SimpleNamespace:
        library.writer = None
        return answer(number)

    library.request_state = leaves  # type: ignore[method-assign]

    ended = carrel("sync")

    assert ended.code == 0
    assert len(library.of("sync")) == 2
    assert library.of("withdrawn") == [1]
    assert "3 added" in ended.out


@pytest.mark.usefixtures("impatient")
def test_an_indexer_that_cannot_sync_says_why(carrel: Call, library: FakeLibrary) -> None:
    busy(library, SimpleNamespace(done=True, outcome={"error": "/nowhere is not watched."}))

    ended = carrel("sync")

    assert ended.code == 1
    assert "/nowhere is not watched." in ended.err


@pytest.mark.usefixtures("impatient")
def test_several_paths_are_several_requests_and_one_report(carrel: Call, library: FakeLibrary) -> None:
    done = SimpleNamespace(done=True, outcome=to_dict(REPORT))
    busy(library, done, done)

    ended = carrel("sync", "a", "b", "--json")

    assert library.of("request") == [("sync", str(Path.cwd() / "a")), ("sync", str(Path.cwd() / "b"))]
    assert (ended.json["added"], ended.json["skipped"]["hidden"], len(ended.json["failed"])) == (6, 4, 2)


@pytest.mark.usefixtures("impatient")
def test_what_is_held_back_is_counted_once_however_many_paths_lie_in_its_folder(
    carrel: Call, library: FakeLibrary
) -> None:
    done = SimpleNamespace(done=True, outcome=to_dict(replace(REPORT, held=30)))
    busy(library, done, done)
    notes, other = os.fsencode(Path.cwd() / "notes"), os.fsencode(Path.cwd() / "other")
    library.watched = [Folder(1, notes, "watching", held=30), Folder(2, other, "watching", held=5)]

    assert carrel("sync", "notes/a", "notes/b", "--json").json["held"] == 30


def test_no_count_of_a_report_is_left_out_where_reports_are_put_together() -> None:
    counts = {each.name: 3 for each in fields(SyncReport) if each.name not in ("failed", "skipped", "held")}
    told = summed([SyncReport(**counts), SyncReport(**counts)])
    assert {name: getattr(told, name) for name in counts} == {**dict.fromkeys(counts, 6), "pending": 3}


@pytest.mark.usefixtures("impatient")
def test_progress_goes_on_where_the_event_file_begins_anew_or_another_takes_the_lock(
    library: FakeLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(library)
    library.path = tmp_path / "library.carrel"
    monkeypatch.setattr(indexer_request, "HolderTail", partial(HolderTail, look_every=0.0))
    seen: list[str] = []
    answers = iter(range(200))

    def answer(number: int) -> SimpleNamespace:
        now = next(answers, None)
        if now is None:
            return SimpleNamespace(done=True, outcome=to_dict(REPORT))
        if now == 100:
            holds.pop_all().close()
            hold(tmp_path / "second.jsonl")
        files[-1].write(Preparing(what=f"event {now}"))
        return WAITING

    def hold(path: Path) -> None:
        files.append(EventFile(path, largest=2000))
        holds.enter_context(IndexerLock(library.path).acquire("watching", path))

    files: list[EventFile] = []
    library.request_state = answer  # type: ignore[method-assign]
    with ExitStack() as holds:
        hold(tmp_path / "first.jsonl")
        files[-1].write(Preparing(what="before"))

        def listen(event: Event) -> None:
            if isinstance(event, Preparing):
                seen.append(event.what)

        done_or_asked(library, library.sync, [("sync", "")], on_event=listen, stop=threading.Event())  # type: ignore[arg-type]
    assert seen[1:] == [f"event {number}" for number in range(200)]


@pytest.mark.usefixtures("impatient")
def test_an_order_of_a_command_that_was_interrupted_is_taken_back(library: FakeLibrary) -> None:
    busy(library, *[WAITING] * 1000)
    library.refusals["remove"] = [LibraryBusy("Busy.")]
    stop = threading.Event()
    answer = library.request_state

    def interrupted(number: int) -> SimpleNamespace:
        stop.set()
        return answer(number)

    library.request_state = interrupted  # type: ignore[method-assign]
    order = ("remove", "/notes")
    assert done_or_asked(library, lambda: library.remove(Path("/notes")), [order], on_event=print, stop=stop) is None  # type: ignore[arg-type]
    assert (library.of("request"), library.of("withdrawn")) == ([order], [1])


@pytest.mark.usefixtures("impatient")
def test_an_order_is_filed_once_though_its_first_taker_leaves(library: FakeLibrary) -> None:
    busy(library, WAITING, SimpleNamespace(done=True, outcome=to_dict(REPORT)))
    library.refusals["sync"] = [LibraryBusy("Busy."), LibraryBusy("Busy by another.")]
    answer, status = library.request_state, library.status
    asked: list[int] = []

    def leaves(number: int) -> SimpleNamespace:
        asked.append(number)
        library.writer = None
        return answer(number)

    def comes_back() -> Status:
        found = status()
        library.writer = Writer(4712, "watching", 0.0)
        return found

    library.request_state, library.status = leaves, comes_back  # type: ignore[method-assign]
    done = done_or_asked(
        library, library.sync, [("sync", "")], on_event=lambda event: None, stop=threading.Event()  # type: ignore[arg-type]
    )  # fmt: skip
    assert done == [to_dict(REPORT)]
    assert library.of("request") == [("sync", "")] and len(set(asked)) == 1


@pytest.mark.usefixtures("impatient")
def test_an_order_that_cannot_be_filed_at_once_is_filed_a_moment_later(carrel: Call, library: FakeLibrary) -> None:
    busy(library, SimpleNamespace(done=True, outcome=to_dict(SyncReport(added=1))))
    library.refusals["sync"] = [LibraryBusy("Busy."), LibraryBusy("Still busy.")]
    library.refusals["request"] = [LibraryBusy("It has been written to for longer than five seconds.")]
    ended = carrel("sync", "--wait", "words")
    assert (ended.code, "1 added" in ended.out) == (0, True)


@pytest.mark.usefixtures("impatient")
def test_orders_that_were_called_off_or_come_after_a_failure_are_withdrawn(library: FakeLibrary) -> None:
    def ordered(stop: threading.Event) -> object:
        orders = [("remove", "/a"), ("remove", "/b")]
        return done_or_asked(
            library, library.sync, orders, on_event=lambda event: None, stop=stop  # type: ignore[arg-type]
        )  # fmt: skip

    busy(library, SimpleNamespace(done=True, outcome={"error": "not watched"}))
    with pytest.raises(WorkerError):
        ordered(threading.Event())
    assert len(library.of("withdrawn")) == 2
    stopped = threading.Event()
    stopped.set()
    busy(library, WAITING)
    assert ordered(stopped) is None
    assert len(library.of("withdrawn")) == 4
