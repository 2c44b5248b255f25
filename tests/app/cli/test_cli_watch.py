"""`carrel watch`: what it prints, and how it leaves."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cli_fakes import Call, FakeLibrary

from app.cli import factories
from engine.events import (
    Event,
    FileFailed,
    FollowsAnother,
    IndexerStarted,
    Progress,
    Scanned,
    Stopped,
    SyncFinished,
    Watching,
)

NOTHING = SyncFinished(added=0, updated=0, unchanged=9, moved=0, removed=0, failed=0, embedded=0, reused=0, seconds=0.1)
SAVED = SyncFinished(added=0, updated=1, unchanged=8, moved=0, removed=0, failed=0, embedded=2, reused=5, seconds=0.2)
HAPPENINGS = (
    IndexerStarted(pid=4711, task="watching"),
    Watching(folders=12, covered=12),
    Scanned(files=9, to_do=0),
    NOTHING,
    Scanned(files=1, to_do=1),
    Progress(files_done=1, files_total=1, passages=2, rate=30.0, seconds_left=0.0, path="/notes/a.md"),
    FileFailed(path="/notes/scan.pdf", reason="no text layer"),
    SAVED,
    Stopped(reason="it was told to"),
)


@pytest.fixture
def indexer(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let the indexer tell of a sync, be stopped by a signal, and leave; the libraries it ran on are returned."""
    ran: list[Path] = []

    def run(library: Path, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        ran.append(library)
        for event in HAPPENINGS:
            on_event(event)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(120)

    monkeypatch.setattr(factories, "run_indexer", run)
    return ran


def without_times(lines: Sequence[str]) -> list[str]:
    return [line.split(" ", 2)[2] for line in lines]


def test_each_thing_that_happens_is_a_line_with_its_time(
    carrel: Call, library: FakeLibrary, indexer: list[Path]
) -> None:
    ended = carrel("watch")

    assert (ended.code, indexer) == (0, [library.path])
    assert without_times(ended.out.splitlines()) == [
        "indexer started, process 4711",
        "watching 12 of 12 folders",
        "1 file seen, 1 to read.",
        "Could not read /notes/scan.pdf: no text layer",
        "1 updated in 0.2 s, 2 passages embedded",
        "indexer stopped: it was told to",
    ]


def test_json_is_one_event_a_line(carrel: Call, indexer: list[Path]) -> None:
    lines = [json.loads(line) for line in carrel("watch", "--json").out.splitlines()]

    assert [line["type"] for line in lines] == [event.type for event in HAPPENINGS]


def test_what_is_not_watched_is_said_with_what_to_do_about_it(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(library: Path, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        on_event(FollowsAnother(pid=12, task="watching"))
        on_event(Watching(folders=1260, covered=1204, remark="the limit is reached", fix="Raise the limit: sysctl"))

    monkeypatch.setattr(factories, "run_indexer", run)

    assert without_times(carrel("watch").out.splitlines()) == [
        "process 12 indexes already (watching); following it",
        "watching 1,204 of 1,260 folders; the limit is reached",
        "Raise the limit: sysctl",
    ]


def test_a_terminal_that_closes_ends_it_in_order(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(library: Path, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.wait(120)

    monkeypatch.setattr(factories, "run_indexer", run)

    assert carrel("watch").code == 0
