"""What the reader is opened on, and the way that a person takes through the notes from there."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.tui.screens.reader.highlights import Span


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, the passage in it, and what the search marked.

    `hits` are the spans of the document's passages that the search found, in order.
    """

    path: bytes
    passage: Span | None = None
    hits: tuple[Span, ...] = ()
    words: frozenset[str] = frozenset()
    sentence: Span | None = None
    anchor: str = ""  # a heading to begin at, where there is no passage


@dataclass(frozen=True, slots=True)
class Stop:
    """A document, and what stood at the top of the screen."""

    path: bytes
    top: int


@dataclass(slots=True)
class Trail:
    """The stops behind, and those ahead after going back; the nearest is the last of each."""

    behind: list[Stop] = field(default_factory=list)
    ahead: list[Stop] = field(default_factory=list)

    def leave(self, stop: Stop) -> None:
        """Go on from a stop to somewhere new."""
        self.behind.append(stop)
        self.ahead.clear()

    def go(self, forward: bool, here: Stop) -> Stop | None:
        """Return the next stop in a direction and remember where one is; None at the end of the way."""
        way, other = (self.ahead, self.behind) if forward else (self.behind, self.ahead)
        if not way:
            return None
        other.append(here)
        return way.pop()
