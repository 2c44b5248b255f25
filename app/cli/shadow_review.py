"""`carrel shadow review`: two lists on the terminal, one key for the better one; nothing tells whose list is whose."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, Session, pass_session, print_json
from app.wording.cells import cut
from app.wording.cells import width as cells_of
from app.wording.safe_text import one_line
from engine.errors import UsageError
from engine.figures import counted
from training.blind_review import SHOWN

if TYPE_CHECKING:
    from engine.records import Hit, ShadowChoice
    from training.blind_review import ReviewStanding
    from training.review_session import ReviewSession, TwoLists

WIDE_COLUMNS = 100  # from here on the lists stand side by side
MOST_COLUMNS = 200
MOST_TEXTS = 3  # lines of a row: what tells what it is about
OTHER_LINES = 4  # the question, what parts the lists, the keys, and the line that the cursor stands on
GAP = " │ "
LEGENDS = {
    True: "← left  → right  = same  n neither  q later",
    False: "← upper  → lower  = same  n neither  q later",
}
LEAST_SECONDS = 0.4  # nobody has compared two lists sooner: the key was pressed twice
# Arrows as terminals send them, in both modes of their keys
KEYS: dict[str, ShadowChoice | None] = {
    "\x1b[D": "left", "\x1bOD": "left", "h": "left",
    "\x1b[C": "right", "\x1bOC": "right", "l": "right",
    "=": "tie", "n": "neither", "q": None, "\x03": None, "\x04": None,
}  # fmt: skip


@carrel_command(
    "review",
    reports=True,
    short_help="Choose blind between what two models find.",
    examples=(("carrel shadow review", "Choose between two lists until the choices tell, or q; all is kept."),),
)
@pass_session
def review(session: Session) -> int:
    """Review two models blind: two lists of five for a question of yours, and one key for the better one.

    Only questions whose first rows differ are shown; one pair of ten shows the same list twice, to see whether the
    choices can be trusted. It says how many reviews are left at most, and ends as soon as they tell.
    """
    from app.shadow_shapes import review_shape
    from app.wording.beside import controls_said, review_said, sees_said
    from training.review_session import ENOUGH, NO_SEARCH, ReviewSession
    from training.shadow_standing import sees

    with session.open() as library:
        sitting = ReviewSession(library)
        begun = sitting.standing
        if not session.json:
            click.echo(sees_said(sees(begun)), err=True)
        finished = _reviewed(sitting)
        found = sitting.standing
    if session.json:
        print_json(review_shape(found))
        return DONE
    if finished:
        click.echo(ENOUGH if found.outcome != "open" else NO_SEARCH)
    click.echo(review_said(found))
    if controls := controls_said(found):
        click.echo(controls)
    if found.outcome != "open":
        click.echo("`carrel shadow` says what follows from it.")
    return DONE


def _reviewed(sitting: ReviewSession) -> bool:
    """Ask for choices until none is needed or possible; False where the person left before."""
    while (lists := sitting.next()) is not None:
        chosen = _asked(lists, sitting.standing)
        if chosen is None:
            return False
        sitting.choose(*chosen)
    return True


def _asked(lists: TwoLists, standing: ReviewStanding) -> tuple[ShadowChoice, float] | None:
    """Show two lists and wait for one of the keys, others are passed over; return the choice and its seconds."""
    click.clear()
    click.echo("\n".join(screen(lists, standing)), err=True)
    _forget_typed()
    began = time.monotonic()
    while True:
        try:
            key = click.getchar()
        except KeyboardInterrupt:
            return None
        except (OSError, EOFError) as error:
            raise UsageError(
                "There is no terminal to review on.", fix="Run `carrel shadow review` in a terminal."
            ) from error
        seconds = time.monotonic() - began
        key = key if key in KEYS else key.lower()
        if key not in KEYS:
            continue
        if (choice := KEYS[key]) is None:
            return None
        if seconds >= LEAST_SECONDS:
            return choice, seconds


def _forget_typed() -> None:
    """Forget the keys that came before the lists were there."""
    import termios

    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def screen(lists: TwoLists, standing: ReviewStanding) -> Iterator[str]:
    """Yield the lines of one pair: the question, both lists beside or above each other, and the keys."""
    columns, lines = shutil.get_terminal_size((80, 24))
    wide, width = columns >= WIDE_COLUMNS, max(20, min(columns, MOST_COLUMNS) - 1)
    yield click.style(cut(f"“{one_line(lists.query)}”", width), bold=True)
    if wide:
        cells = (width - len(GAP)) // 2
        texts = min(MOST_TEXTS, max(1, (lines - OTHER_LINES) // SHOWN - 1))
        left, right = (_listed(hits, cells, texts) for hits in (lists.left, lists.right))
        for one, other in zip_longest(left, right, fillvalue=("", False)):
            yield _styled(one, cells) + GAP + _styled(other, 0)
    else:
        texts = 1 if lines >= 4 * SHOWN + OTHER_LINES else 0
        yield from (_styled(line, 0) for line in _listed(lists.left, width, texts))
        yield click.style("─" * width, dim=True)
        yield from (_styled(line, 0) for line in _listed(lists.right, width, texts))
    yield f"{LEGENDS[wide]}   {counted(standing.left, 'review')} left at most"


def _styled(line: tuple[str, bool], cells: int) -> str:
    text, is_title = line
    padding = " " * max(0, cells - cells_of(text))
    return (click.style(text, bold=True) if is_title else text) + padding


def _listed(hits: Sequence[Hit], cells: int, texts: int) -> list[tuple[str, bool]]:
    """Return the lines of a list, and whether each is a title; as many lines of text a row as are given."""
    if not hits:
        return [("nothing found", False)]
    lines: list[tuple[str, bool]] = []
    for place, hit in enumerate(hits, 1):
        headings = hit.headings[1:] if hit.headings[:1] == (hit.title,) else hit.headings
        trail = " › ".join(one_line(part) for part in (hit.title, *headings))
        lines.append((cut(f"{place}  {trail}", cells), True))
        text = (
            textwrap.wrap(one_line(hit.snippet), max(8, cells - 3), max_lines=texts, placeholder=" …") if texts else []
        )
        lines += [(cut(f"   {each}", cells), False) for each in text]
    return lines
