"""The few words of a passage that show why it was found, with the matched words marked."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from engine.retrieval.fts_query import Matching
from engine.store.cjk import RUN
from engine.store.fulltext import stems, tokenise

if TYPE_CHECKING:
    import apsw

SNIPPET_LENGTH = 220  # code points: two lines of a wide list
CONSIDERED_LENGTH = 20_000  # code points of a passage that are looked at; one-line files are cut here
_BLANKS = re.compile(r"\s+")
_LINE_MARKUP = re.compile(r"^[^\S\n]*+(?:#{1,6}\s++|[-*+]\s++|>\s*+|```[\w-]*+)", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\[]*+)\]\([^)\s\[]*+(?:\s\"[^\"]*+\")?\)")
_WIKI_LINK = re.compile(r"\[\[(?:[^\]|\[]*\|)?([^\]\[]*)\]\]")
_EMPHASIS = re.compile(r"\*\*|`")

Marks = tuple[tuple[int, int], ...]


def snippet(
    connection: apsw.Connection,
    text: str,
    matching: Matching,
    names: tuple[str, ...] = (),
    kind: str = "text",
    length: int = SNIPPET_LENGTH,
) -> tuple[str, Marks]:
    """Return the densest `length` code points of a passage on one line, and the spans in it that hold a query word.

    Of Markdown the signs that only shape a text are left away, and of a link its target. A first line that is one of
    `names`, the title and headings shown above it, is left away too.
    """
    line = _one_line(text[:CONSIDERED_LENGTH], names, plain=kind == "markdown")
    marks = matched_spans(connection, line, matching)
    start, end = _window(line, marks, length)
    lead, tail = "… " if start else "", " …" if end < len(line) else ""
    shift = len(lead) - start
    inside = tuple((a + shift, b + shift) for a, b in marks if a >= start and b <= end)
    return lead + line[start:end] + tail, inside


def matched_spans(connection: apsw.Connection, text: str, matching: Matching) -> list[tuple[int, int]]:
    """Return the spans of `text`, in code points, that hold a word, prefix or phrase of the query, in order."""
    spans: list[tuple[int, int]] = []
    tokens = tokenise(connection, text)
    words = [token.stem for token in tokens]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words):
        places[word].append(place)
    for phrase in matching.phrases:
        wanted = stems(connection, phrase.text) if phrase.column != "cjk" else []
        if not wanted:
            continue
        *lead, last = wanted
        ends = (
            [place for word in places if word.startswith(last) for place in places[word]]
            if phrase.prefix
            else places.get(last, [])
        )
        spans.extend(
            (tokens[end - len(lead)].start, tokens[end].end)
            for end in ends
            if end >= len(lead) and words[end - len(lead) : end] == lead
        )
    for reading in matching.readings:
        if RUN.fullmatch(reading.term):
            spans.extend(match.span() for match in re.finditer(re.escape(reading.term), text))
    return _merged(spans)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _one_line(text: str, names: tuple[str, ...], *, plain: bool) -> str:
    """Put a passage on one line; its own heading is left off where it is one of the names shown above it."""
    stripped = (_FRONT_MATTER.sub("", text) or text).lstrip() if plain else text.lstrip()
    first, _, rest = stripped.partition("\n")
    if rest.strip() and first.strip("#=* \t") in names:
        stripped = rest
        underline = stripped.partition("\n")[0].strip()
        if underline and len(set(underline)) == 1 and not underline[0].isalnum():
            stripped = stripped.partition("\n")[2]
    if plain:
        stripped = _LINE_MARKUP.sub(" ", stripped)
        stripped = _EMPHASIS.sub("", _WIKI_LINK.sub(r"\1", _LINK.sub(r"\1", stripped)))
    return _BLANKS.sub(" ", stripped).strip()


def _window(line: str, marks: list[tuple[int, int]], length: int) -> tuple[int, int]:
    """Choose the window that holds most marks, a little before the first of them, cut between words."""
    if len(line) <= length:
        return 0, len(line)
    starts = [start for start, _ in marks]
    best = 0
    best_count = -1
    for index, start in enumerate(starts):
        count = bisect_left(starts, start + length - length // 5) - index
        if count > best_count:
            best, best_count = start, count
    start = max(0, min(best - length // 5, len(line) - length))
    if start:
        start = line.rfind(" ", max(0, start - 24), start) + 1 or start
    end = min(len(line), start + length)
    if end < len(line):
        end = max(line.rfind(" ", end - 24, end), start + length - 24)
    return start, end
