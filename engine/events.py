"""What an indexer says while it works: typed records, one JSON object a line, written to an append-only file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import ClassVar

from engine.errors import WorkerError
from engine.json_lines import MAX_LINE_BYTES, TimedEvent, event_in, record_of
from engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(TimedEvent):
    """The base of an indexer's events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexerStarted(Event):
    """An indexer holds the lock and begins."""

    type: ClassVar[str] = "indexer_started"
    pid: int
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowsAnother(Event):
    """Another process indexes already; this one tells what that one does, and takes over when it ends."""

    type: ClassVar[str] = "follows_another"
    pid: int
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned(Event):
    """The folders were walked: how many files are there, and how many need work."""

    type: ClassVar[str] = "scanned"
    files: int
    to_do: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """How far the words of a sync are. `files_*` count files that need work; `rate` is passages a second.

    While a model is built the passages are those that were embedded with it.
    """

    type: ClassVar[str] = "progress"
    files_done: int
    files_total: int
    passages: int
    rate: float
    seconds_left: float | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningProgress(Event):
    """How far the vectors are: `pending` texts are still to be embedded, `rate` of them a second.

    `passages` counts all texts that have or get a vector, those that several passages share once.
    """

    type: ClassVar[str] = "meaning_progress"
    pending: int
    passages: int
    rate: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFailed(Event):
    """A file could not be read."""

    type: ClassVar[str] = "file_failed"
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed(Event):
    """A batch reached the library; readers may look."""

    type: ClassVar[str] = "committed"
    documents: int
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing(Event):
    """Work that has no files to count: loading the model, measuring what a strong match is, building vectors."""

    type: ClassVar[str] = "preparing"
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFinished(Event):
    """A sync ended; the counts are those of its report. What is `pending` then is embedded later."""

    type: ClassVar[str] = "sync_finished"
    added: int
    updated: int
    unchanged: int
    moved: int
    removed: int
    failed: int
    embedded: int
    reused: int
    seconds: float
    pending: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching(Event):
    """The watcher covers `covered` of `folders` folders; the rest is looked at every `poll_seconds`.

    `remark` says in words why it is not all of them, and `fix` what a person can do about it; both empty where it is.
    """

    type: ClassVar[str] = "watching"
    folders: int
    covered: int
    poll_seconds: float = 0.0
    remark: str = ""
    fix: str = ""

    def says_the_same(self, other: Watching) -> bool:
        """Whether the other tells nothing that this one has not told."""
        return replace(self, at=0.0) == replace(other, at=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble(Event):
    """Something went wrong that a person should know of; the indexer goes on.

    `of` names the part that has the trouble, "" for the indexer itself; with `over`, that part has it no longer.
    """

    type: ClassVar[str] = "trouble"
    message: str
    fix: str = ""
    of: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Event):
    """The indexer leaves; what it committed is safe."""

    type: ClassVar[str] = "stopped"
    reason: str


EVENT_TYPES: dict[str, type[Event]] = {
    kind.type: kind
    for kind in (
        IndexerStarted,
        FollowsAnother,
        Scanned,
        Progress,
        MeaningProgress,
        FileFailed,
        Committed,
        Preparing,
        SyncFinished,
        Watching,
        Trouble,
        Stopped,
    )
}


def to_line(event: Event) -> str:
    """Return the event as one line of JSON without its line end; long texts are cut to keep within the limit."""
    record = record_of(event)
    line = json.dumps(record)
    if len(line) < MAX_LINE_BYTES:
        return line
    room = MAX_LINE_BYTES // (6 * len(record))  # six bytes a character at worst, as \\uXXXX
    return json.dumps({key: value[:room] if isinstance(value, str) else value for key, value in record.items()})


def from_line(line: str | bytes) -> Event:
    """Read one line back. Raises WorkerError where it is no event of this version."""
    try:
        return event_in(line, EVENT_TYPES)
    except ValueError as error:
        raise WorkerError("A line in the event file is no event.", cause=str(error)) from error
