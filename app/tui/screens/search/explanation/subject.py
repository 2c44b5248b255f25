"""What is explained, and its figures as they are shown: whole units of the last place, so that they add up."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from app.tui.screens.search.row import decimals_of
from app.tui.theme import MEANING, QUIET, WORDS
from app.tui.widgets.line_views import wrapped
from app.wording.figures import adding_up, signed
from engine.records import Hit, SearchResult, SignalScale

LABEL_CELLS = 9
PART_SIGNS = {"meaning": "█", "words": "▒", "feedback": "░", "memory": "▚"}
PART_STYLES = {"meaning": MEANING, "words": WORDS, "feedback": "", "memory": ""}


@dataclass(frozen=True, slots=True)
class Explained:
    """One row of one result: what an explanation is made from.

    `scale` is what foreign queries reach here, where it is known; `before` is the row of the same passage by the
    person's own settings, where others are being tried, and `tried` whether they are.
    """

    hit: Hit
    result: SearchResult
    scale: SignalScale | None = None
    before: Hit | None = None
    tried: bool = False

    @property
    def decimals(self) -> int:
        """How many places the score is shown with."""
        return decimals_of(self.result.fusion)


def score_parts(hit: Hit) -> list[tuple[str, float, str]]:
    """Return the parts of the score that were used, each with its name and colour."""
    shares = hit.shares
    parts: list[tuple[str, float | None]] = [
        ("meaning", shares.vector),
        ("words", shares.keyword),
        ("feedback", shares.feedback),
        ("memory", shares.memory),
    ]
    return [(name, value, PART_STYLES[name]) for name, value in parts if value is not None]


def shown_parts(hit: Hit, decimals: int) -> dict[str, str]:
    """Return each part of the score as it is shown; as shown, they sum to the score as shown."""
    parts = score_parts(hit)
    shown = adding_up([value for _, value, _ in parts], hit.score, decimals)
    return {name: text for (name, _, _), text in zip(parts, shown, strict=True)}


def units(shown: str, decimals: int) -> int:
    """Return a shown figure in whole units of its last place."""
    return round(float(shown) * 10.0**decimals)


def signed_units(difference: int, decimals: int) -> str:
    """Return a difference in units of the last place with its sign: +.041, −.010, ±.000."""
    return signed(difference / 10**decimals, decimals)


def part_differences(hit: Hit, other: Hit, decimals: int) -> dict[str, int]:
    """Return how much more each part gave to `hit` than to `other`, in units, from the figures as they are shown."""
    mine, others = shown_parts(hit, decimals), shown_parts(other, decimals)
    names = [name for name in PART_SIGNS if name in mine or name in others]
    return {name: units(mine.get(name, "0"), decimals) - units(others.get(name, "0"), decimals) for name in names}


def label(text: str) -> tuple[str, str]:
    """Return a label in its column."""
    return (f"{text:<{LABEL_CELLS}}", QUIET)


def labelled(name: str, line: Content, width: int) -> list[Content]:
    """Return a line behind its label, what does not fit below it."""
    first, *rest = wrapped(line, width, Content(" " * LABEL_CELLS))
    return [Content.assemble(label(name), first[LABEL_CELLS:]), *rest]
