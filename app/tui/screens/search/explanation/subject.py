"""What is explained, and its figures as they are shown: whole units of the last place, so that they add up."""

from __future__ import annotations

from textual.content import Content

from app.explanation import Facts, facts_of
from app.tui.theme import MEANING, QUIET, WORDS
from app.tui.widgets.line_views import wrapped
from app.word_links import PlacedWord
from engine.figures import signed
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult, SignalScale

LABEL_CELLS = 9
PART_SIGNS = {"meaning": "█", "words": "▒", "rare": "▓", "around": "▞", "feedback": "░", "memory": "▚", "late": "▙"}
PART_STYLES = {
    "meaning": MEANING,
    "words": WORDS,
    "rare": WORDS,
    "around": "",
    "feedback": "",
    "memory": "",
    "late": "",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One row of one result: what an explanation is made from.

    `nearest` are the words of its passage that answer those of the query, () where they are not known (yet); `scale` is
    what foreign queries reach here, where it is known; `before` is the row of the same passage by the
    person's own settings, where others are being tried, and `tried` whether they are.
    """

    hit: Hit
    result: SearchResult
    scale: SignalScale | None = None
    before: Hit | None = None
    tried: bool = False
    nearest: tuple[PlacedWord, ...] = ()

    @property
    def facts(self) -> Facts:
        """What explains the row, as shown."""
        return facts_of(self.hit, self.result)


def signed_units(difference: int, decimals: int) -> str:
    """Return a difference in units of the last place with its sign: +.041, −.010, ±.000."""
    return signed(difference / 10**decimals, decimals)


def label(text: str) -> tuple[str, str]:
    """Return a label in its column."""
    return (f"{text:<{LABEL_CELLS}}", QUIET)


def labelled(name: str, line: Content, width: int) -> list[Content]:
    """Return a line behind its label, what does not fit below it."""
    first, *rest = wrapped(line, width, Content(" " * LABEL_CELLS))
    return [Content.assemble(label(name), first[LABEL_CELLS:]), *rest]
