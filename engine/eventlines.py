"""What the events of an indexer and those of a training share: a kind, a moment, and one line of JSON each.

A line is at most 16 KB, so a reader may take it in one piece; a process never waits for whoever reads.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, TypeVar

MAX_LINE_BYTES = 16 * 1024  # below the 64 KiB at which asyncio streams refuse a line, and one pipe write


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedEvent:
    """Something that happened. `type` names its kind in the line; `at` is seconds since the epoch."""

    type: ClassVar[str] = "event"
    at: float = field(default_factory=time.time)


Kind = TypeVar("Kind", bound=TimedEvent)


def record_of(event: TimedEvent) -> dict[str, Any]:
    """Return what the line of an event holds."""
    return {"type": event.type, **asdict(event)}


def event_in(
    line: str | bytes, kinds: Mapping[str, type[Kind]], restored: Callable[[str, Any], Any] = lambda _, value: value
) -> Kind:
    """Read the event of a line; values that this version does not know are left out.

    `restored` takes the name of a value and the value, and gives back what JSON could not keep: a tuple, a dataclass.
    Raises ValueError where the line holds no event of these kinds.
    """
    try:
        record = json.loads(line)
        kind = kinds[record.pop("type")]
        known = {each.name for each in fields(kind)}
        return kind(**{name: restored(name, value) for name, value in record.items() if name in known})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
