"""What a person sees of an indexer's work on stderr: one line that moves on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from app.wording.cells import cut, padded
from app.wording.meaning import how_far
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from app.wording.times import estimate
from engine.events import Event, FileFailed, MeaningProgress, Preparing, Progress, Scanned, Trouble
from engine.figures import count, counted, percent

REDRAW_SECONDS = 0.1  # ten times a second is as fast as an eye reads a number
PLAIN_SECONDS = 5.0  # a log of a long sync stays short, and still shows that it lives
BAR_CELLS = 20
CLEAR_LINE = "\r\x1b[K"


class Show(Protocol):
    """Shows events as they come."""

    def __call__(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


def progress(stream: TextIO | None = None) -> Show:
    """Return what suits the stream, stderr by default: a moving line on a terminal, plain lines elsewhere."""
    stream = stream or sys.stderr
    return MovingLine(stream) if can_move(stream) else PlainLines(stream)


def can_move(stream: TextIO) -> bool:
    """Return whether a line on this stream can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class PlainLines:
    """Progress as lines, at most one every few seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.last = float("-inf")
        self.topic = ""
        self.embedding = False

    def __call__(self, event: Event) -> None:
        """Print the event's line, if it has one and enough time has passed."""
        if isinstance(event, Progress):
            if event.files_done >= event.files_total or self._due():
                self._print(pace(event))
        elif isinstance(event, MeaningProgress):
            if self._due() if event.pending else self.embedding:
                self.embedding = event.pending > 0
                self._print(meaning(event))
        elif isinstance(event, Preparing):
            topic = event.what.partition(":")[0]  # what stands behind it counts up
            if topic != self.topic or self._due():
                self.topic = topic
                self._print(sentence(event))
        else:
            line = sentence(event)
            if line:
                self._print(line)

    def close(self) -> None:
        """Nothing is left to do: every line was finished."""

    def _due(self) -> bool:
        """Return whether the line before is old enough for the next."""
        return self.clock() - self.last >= PLAIN_SECONDS

    def _print(self, line: str) -> None:
        self.last = self.clock()
        self.stream.write(line + "\n")
        self.stream.flush()


class MovingLine:
    """Progress as one line that is drawn over itself; what must stay readable is printed above it."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.last = float("-inf")

    def __call__(self, event: Event) -> None:
        """Draw the event, or print it above the line if it is one that must stay."""
        if isinstance(event, Progress):
            if self.clock() - self.last >= REDRAW_SECONDS or event.files_done >= event.files_total:
                self.last = self.clock()
                self._draw(f"{progress_bar(event)} {pace(event)}  {_path(event.path)}")
        elif isinstance(event, MeaningProgress):
            self._draw(f"{share_bar(1 - event.pending / max(1, event.passages))} {meaning(event)}")
        elif isinstance(event, (Preparing, Scanned)):
            self._draw(sentence(event))
        elif isinstance(event, (FileFailed, Trouble)):
            self.stream.write(CLEAR_LINE + sentence(event) + "\n")

    def close(self) -> None:
        """Clear the line."""
        self.stream.write(CLEAR_LINE)
        self.stream.flush()

    def _draw(self, line: str) -> None:
        line = cut(line, shutil.get_terminal_size().columns - 1)  # the last cell would wrap the line
        self.stream.write(CLEAR_LINE + line)
        self.stream.flush()


def progress_bar(event: Progress) -> str:
    """Return how far a sync is as a bar with its percentage."""
    share = event.files_done / event.files_total if event.files_total else 1.0
    return f"{share_bar(share)}{percent(share):>5} "


def share_bar(share: float) -> str:
    """Return a share, 0 to 1, as a bar."""
    return "▕" + padded("█" * int(share * BAR_CELLS), BAR_CELLS) + "▏"


def pace(event: Progress) -> str:
    """Return how many files are done, how fast it goes, and how long it will take."""
    parts = [f"{count(event.files_done)} of {counted(event.files_total, 'file')}"]
    if event.rate > 0:
        parts.append(f"{event.rate:,.0f} passages/s")
    if event.seconds_left is not None and event.files_done < event.files_total:
        parts.append(f"{estimate(event.seconds_left)} left")
    return " · ".join(parts)


def meaning(event: MeaningProgress) -> str:
    """Return how much is found by meaning by now, how fast it goes, and how long it will take."""
    said = how_far(1.0, 1 - event.pending / max(1, event.passages), event.seconds_left if event.pending else None)
    return f"{said} · {event.rate:,.0f} passages/s" if event.rate >= 1 and event.pending else said


def _path(path: str) -> str:
    return short_path(os.fsencode(path)) if path else ""


def sentence(event: Event) -> str:
    """Return what an event says in words, "" for one that needs no line of its own."""
    match event:
        case Preparing():
            return f"{one_line(event.what)} …"
        case Scanned():
            return f"{counted(event.files, 'file')} seen, {count(event.to_do)} to read."
        case FileFailed():
            return f"Could not read {_path(event.path)}: {one_line(event.reason)}"
        case Trouble():
            return " ".join(one_line(part) for part in (event.message, event.fix) if part)
    return ""
