"""The part of a document around a hit: which lines are shown, how they are cut, and what is marked in them.

A preview shows a window, never the whole text: laying out a large document would hold up the keys.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import chain

from app.tui.figures import rarity
from app.tui.plain import cut_around, line
from engine.records import Hit, SearchResult, StoredDocument

LINES_EACH_WAY = 60
WINDOW_CHARACTERS = 8 * 1024
LONG_LINE = 1_200  # code points of a line that are laid out; minified files have lines of 100,000
SMALL_WORD = 3  # letters: a, to, the
_WORD = re.compile(r"\w+")
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e", "y")


@dataclass(frozen=True, slots=True)
class WindowLine:
    """One line of a document, fit for the screen. `inside` says that it belongs to the passage."""

    number: int
    text: str
    inside: bool
    heading: bool
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """The lines around a passage. `hit_index` is where in `lines` the passage begins."""

    lines: tuple[WindowLine, ...]
    hit_index: int
    lines_in_document: int
    cut_before: bool
    cut_after: bool


def window_of(document: StoredDocument, hit: Hit, words: frozenset[str]) -> Window:
    """Return the window of `document` around `hit`, with `words` (from words_of) marked inside the passage."""
    text = document.text
    start = min(max(0, hit.start), len(text))
    end = min(max(start, hit.end), len(text))
    head = text[max(0, start - WINDOW_CHARACTERS) : start].split("\n")
    first = start - len(head[-1])  # where the line begins that holds the passage's first character
    cut_front = len(head) == 1 and first > 0 and text[first - 1] != "\n"
    before = head[:-1][-LINES_EACH_WAY:]
    inside_and_after = text[first : max(end, start) + WINDOW_CHARACTERS].split("\n")
    number = text.count("\n", 0, first) + 1
    total = text.count("\n") + (0 if text.endswith("\n") else 1) if text else 0

    lines = [_plain(number - len(before) + i, each, document.kind) for i, each in enumerate(before)]
    position, spent, taken = first, 0, 0
    for each in inside_and_after:
        inside = position < max(end, start + 1)
        if not inside and (taken > LINES_EACH_WAY or spent > WINDOW_CHARACTERS):
            break
        lines.append(_around(number, each, start - position, inside and end > position, document.kind, words))
        position += len(each) + 1
        number += 1
        spent += len(each)
        taken += not inside
    return Window(
        tuple(lines),
        len(before),
        max(total, 1),
        cut_front or lines[0].number > 1 if lines else False,
        position < len(text),
    )


def _plain(number: int, text: str, kind: str) -> WindowLine:
    """Return a line outside the passage."""
    cut, _ = cut_around(text, 0, LONG_LINE // 4)
    return WindowLine(number, line(cut), False, _is_heading(text, kind), ())


def _around(number: int, text: str, at: int, inside: bool, kind: str, words: frozenset[str]) -> WindowLine:
    """Return a line of the passage or after it; `at` is where in the line the passage begins."""
    cut, _ = cut_around(text, min(max(0, at), len(text)), LONG_LINE if inside else LONG_LINE // 4)
    shown = line(cut)
    return WindowLine(number, shown, inside, _is_heading(text, kind), marks_in(shown, words) if inside else ())


def _is_heading(text: str, kind: str) -> bool:
    """Whether a line of Markdown or Org is a heading, by its first characters alone."""
    return (kind == "markdown" and text.startswith("#")) or (kind == "org" and text.startswith("*"))


def words_of(result: SearchResult) -> frozenset[str]:
    """Return the forms of the words that found the rows: those asked for, and those marked in the snippets.

    Short words that stand nearly everywhere (`a`, `to`) are left out: to mark them would hide the others.
    """
    asked = (word for term in result.query.terms if not term.excluded for word in _WORD.findall(term.text))
    found = (hit.snippet[start:end] for hit in result.hits for start, end in hit.marks)
    return frozenset(form(word) for word in chain(asked, found) if word) - small_words(result)


def small_words(result: SearchResult) -> frozenset[str]:
    """Return the forms of the query's words that are short and common here."""
    return frozenset(
        form(word.term)
        for word in result.words
        if len(word.term) <= SMALL_WORD and rarity(word.documents, word.idf, result.passages)[0] == "common"
    )


def marks_in(text: str, words: frozenset[str]) -> tuple[tuple[int, int], ...]:
    """Return the spans of the words of `text` that are forms of `words`."""
    if not words:
        return ()
    return tuple(match.span() for match in _WORD.finditer(text) if form(match[0]) in words)


def form(word: str) -> str:
    """Return a word without case, accents and its commonest endings: enough to mark `starters` for `starter`."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    folded = "".join(sign for sign in folded if not unicodedata.combining(sign))
    for ending in _ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            return folded[: -len(ending)]
    return folded
