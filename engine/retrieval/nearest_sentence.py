"""The sentence of a passage that is nearest in meaning to a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

MOST_SENTENCES = 12  # each costs one run of the encoder, 2 to 10 ms
SHORTEST = 12  # code points: what is shorter is a label, not a sentence
_SENTENCE = re.compile(r"\S(?:.*?[.!?。！？](?=[\s\"')\]]|$)|.*?$)", re.DOTALL)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?---[ \t]*(?:\n|$)")
_BREAK = re.compile(r"\n(?=[ \t]*(?:\n|[-*+>|]|#{1,6}\s|\d{1,9}[.)]\s|:::|`{3}))")  # a new block of text begins
_SIGN = re.compile(r"[ \t]*(?:[-*+>]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")  # what a list item or quote begins with
_LABEL = re.compile(r"[ \t]*(?:#{1,6}\s[^\n]*|`{3}[^\n]*|[-*_=~]{3,}[ \t]*)(?:\n|$)")  # a heading, a fence, a rule


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of a text, without the blanks around them; a list item may be one.

    None reaches over the end of a paragraph, and headings, rules and front matter are none.
    """
    spans = (span for start, end in _blocks(text) for span in _in_block(text, start, end))
    return [(start, end) for start, end in spans if end - start >= SHORTEST]


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of paragraphs and list items."""
    front = _FRONT_MATTER.match(text)
    start = front.end() if front else 0
    while start < len(text):
        label = _LABEL.match(text, start)
        if label and label.end() > start:
            start = label.end()
            continue
        sign = _SIGN.match(text, start)
        start = sign.end() if sign else start
        found = _BREAK.search(text, start)
        end = found.start() if found else len(text)
        yield start, end
        start = max(end, start) + 1


def _in_block(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _SENTENCE.finditer(text, start, end):
        yield match.start(), match.start() + len(match[0].rstrip())


def nearest_sentence(encode: Callable[[str], NDArray[np.float32]], query: str, text: str) -> tuple[int, int] | None:
    """Return the span of the sentence of highest cosine with the query among the first dozen; None where is none."""
    spans = sentences(text)[:MOST_SENTENCES]
    if not spans or not query.strip():
        return None
    wanted = encode(query)
    cosines = [float(encode(text[start:end]) @ wanted) for start, end in spans]
    return spans[int(np.argmax(cosines))]
