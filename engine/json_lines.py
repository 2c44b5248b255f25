"""Events as lines of JSON, and the tail that follows a file of them; the indexer and the training both tell so.

A line is at most 16 KB, so a reader may take it in one piece; a process never waits for those who read.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, field, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from engine.lazy_dataclass import dataclass

log = logging.getLogger(__name__)

MAX_LINE_BYTES = 16 * 1024  # below the 64 KiB at which asyncio streams refuse a line, and one pipe write
PIECE_BYTES = 1 << 20  # read at once
OVERLONG = b"\0"  # stands for the beginning of a line that no event can have: no JSON begins so

_PLAIN: dict[str, tuple[type, ...]] = {  # annotations of events, and what JSON gives for them
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "float": (float, int),
    "float | None": (float, int, type(None)),
    "str | None": (str, type(None)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedEvent:
    """Something that happened. `type` names its kind in the line; `at` is seconds since the epoch."""

    type: ClassVar[str] = "event"
    at: float = field(default_factory=time.time)


Kind = TypeVar("Kind", bound=TimedEvent)


def record_of(event: TimedEvent) -> dict[str, Any]:
    """Return what the line of an event holds."""
    return {"type": event.type, **asdict(event)}


Restored = Callable[[str, Any], Any]


def as_it_is(_name: str, value: Any) -> Any:
    """Return a value of an event as JSON gave it."""
    return value


def event_in(line: str | bytes, kinds: Mapping[str, type[Kind]], restored: Restored = as_it_is) -> Kind:
    """Read the event of a line; values that this version does not know are left out.

    `restored` takes the name of a value and the value, and gives back what JSON could not keep: a tuple, a dataclass.
    Raises ValueError where the line holds no event of these kinds.
    """
    try:
        record = json.loads(line)
        kind = kinds[record.pop("type")]
        known = {each.name: str(each.type) for each in fields(kind)}
        values = {name: restored(name, value) for name, value in record.items() if name in known}
        for name, value in values.items():
            if not isinstance(value, _PLAIN.get(known[name], object)):
                raise ValueError(f"{name} cannot be {value!r:.50}")
        return kind(**values)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


class Tail(Generic[Kind]):
    """The events that another process appends to a file, each once, as they come.

    A half-written line waits for its rest. Where the file is emptied, or another takes its place, however long that is
    by then, the tail begins anew with it. A line that holds no event of this version is passed over.
    """

    def __init__(
        self,
        path: Path,
        kinds: Mapping[str, type[Kind]],
        restored: Restored = as_it_is,
        *,
        from_now: bool = False,
    ) -> None:
        """Follow a file, which may be missing yet, from its beginning; with `from_now` only what is yet to come.

        `kinds` and `restored` are those of `event_in`.
        """
        self._path = path
        self._kinds = kinds
        self._restored = restored
        self._file = -1
        self._at = 0  # how many bytes of the file were read
        self._last = b""  # the last of them: where they have changed, the file was written anew
        self._rest = b""  # a line whose end is not there yet
        self._trouble = ""  # why the file could not be read at the last look
        self.beginnings = 0  # how often the file began anew
        self.behind = False  # whether the last look may have left something unread
        if from_now:
            with suppress(OSError):
                self._skip()

    def read(self, at_most: int = PIECE_BYTES) -> list[Kind]:
        """Return the events that are new, out of so many bytes."""
        return [event for line in self.lines(at_most) if (event := self.event_of(line)) is not None]

    def lines(self, at_most: int = PIECE_BYTES) -> list[bytes]:
        """Return the lines that are new and whole, out of so many bytes, whatever they hold."""
        try:
            piece = self._new_bytes(at_most)
            self._trouble = ""
        except FileNotFoundError:  # not yet
            piece = b""
        except OSError as error:
            piece = b""
            self.close()  # what has the name may be no file, and another may take its place
            if self._trouble != str(error):
                self._trouble = str(error)
                log.warning("events cannot be read: %s", error)
        self.behind = len(piece) == at_most
        self._at += len(piece)
        self._last = (self._last + piece)[-MAX_LINE_BYTES:]
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest if len(rest) <= MAX_LINE_BYTES else OVERLONG
        return lines

    def event_of(self, line: bytes) -> Kind | None:
        """Return the event of a line, None where it holds none of this version."""
        try:
            return event_in(line, self._kinds, self._restored)
        except ValueError:
            log.debug("no event: %r", line[:200])
            return None

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _new_bytes(self, at_most: int) -> bytes:
        if self._file < 0:
            self._open()
        piece = self._appended(at_most)
        if not piece and self._is_replaced():
            self.close()
            self._begin_anew()
            self._open()
            piece = self._appended(at_most)
        return piece

    def _appended(self, at_most: int) -> bytes:
        found = os.pread(self._file, len(self._last) + at_most, self._at - len(self._last))
        if found.startswith(self._last):
            return found[len(self._last) :]
        self._begin_anew()
        return os.pread(self._file, at_most, 0)

    def _begin_anew(self) -> None:
        self.beginnings += 1
        self._at, self._last, self._rest = 0, b"", b""

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)

    def _is_replaced(self) -> bool:
        """Whether another file has the name by now; one that was removed is read on, for its writer may not know."""
        try:
            now = os.stat(self._path)
        except OSError:
            return False
        return not os.path.samestat(now, os.fstat(self._file))

    def _skip(self) -> None:
        """Take all whole lines that are there for read."""
        self._open()
        end = os.fstat(self._file).st_size
        begin = max(0, end - MAX_LINE_BYTES)
        self._last = os.pread(self._file, end - begin, begin)
        self._at = begin + len(self._last)
        self._rest = self._last.rpartition(b"\n")[2]
