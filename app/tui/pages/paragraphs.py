"""Which lines of a document were broken by its editor or its page, and not by its writer: they are one paragraph.

Such lines are shown as one, so that a narrow screen does not fold them a second time. A list of short lines, a poem or
an address stays as it was written: a line was broken for its length only where the next word had no room on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

LONGEST = 1_200  # code points of a paragraph that is shown as one; what is longer goes on in another
SHORTEST_MEASURE = {"markdown": 55, "pdf": 40}  # cells: nobody folds prose narrower; a page has columns
# Lines that begin something of their own, and lines that nothing is added to.
_BEGINS = re.compile(
    r"[ \t]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|#{1,6}(?:[ \t]|$)|[>|<]|`{3}|~{3}|:::|\$\$|!?\[\[|!\[|\[[^\]]*\]:"
    r"|([-*_=])[ \t]*(?:\1[ \t]*){2,}$)"
)
_ALONE = re.compile(
    r"[ \t]*(?:#{1,6}(?:[ \t]|$)|[>|<]|:::|\$\$|\[[^\]]*\]:|([-*_=])[ \t]*(?:\1[ \t]*){2,}$)|(?: {4}|\t)"
)
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_COLUMNS = re.compile(r"\S {2,}\S")  # two spaces inside a line hold columns together


def continued(lines: Sequence[str], kind: str) -> Iterator[bool]:
    """Yield for each line whether it goes on with the paragraph of the line before; "" is a line that does not count.

    Raises KeyError for a kind whose lines are never joined.
    """
    shortest = SHORTEST_MEASURE[kind]
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and _same_run(lines[end - 1], lines[end]):
            end += 1
        yield False
        yield from _joined(lines[start:end], shortest, whole=kind == "markdown")
        start = end


def one_paragraph(lines: Sequence[str]) -> bool:
    """Return whether lines that a link runs over are one paragraph, so that it is a link; a quote's signs go on."""
    if all(line.lstrip().startswith(">") for line in lines):
        lines = [line.lstrip("> \t") for line in lines]
    first = lines[0].lstrip() if _ITEM.match(lines[0]) else lines[0]
    return all(_same_run(*pair) for pair in pairwise([first, *map(str.lstrip, lines[1:])]))


def _same_run(before: str, line: str) -> bool:
    blank = not before.strip() or not line.strip()
    return not (blank or _BEGINS.match(line) or _ALONE.match(before) or before.endswith(("  ", "\\")))


def _joined(run: Sequence[str], shortest: int, whole: bool) -> list[bool]:
    """Return which lines of a run, the first left out, go on with the one before.

    With `whole` all of them or none: a writer's own breaks are seldom all where a line is full.
    """
    if len(run) < 2:
        return []
    measure = max(len(line) for line in run)
    if measure < shortest or any(_COLUMNS.search(line) for line in run):
        return [False] * (len(run) - 1)
    full = [_is_full(before, line, measure) for before, line in pairwise(run)]
    if whole and not (all(full) and (len(run) > 2 or _reads_on(run[0], run[1]))):
        full = [False] * len(full)
    return full


def _is_full(before: str, line: str, measure: int) -> bool:
    """Whether the first word of a line had no room at the end of the one before."""
    return len(before.rstrip()) + 1 + len(line.split(maxsplit=1)[0]) > measure


def _reads_on(before: str, line: str) -> bool:
    """Whether a line reads as the middle of a sentence: of two lines nothing else tells why they are two."""
    first = line.lstrip()[0]
    return first.islower() or (first.isalpha() and before.rstrip()[-1] not in ".!?:;")
