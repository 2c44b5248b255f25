"""Counts the tokens of any span of a text that was tokenised once: starts are additive, so a count is a search.

Markup that the encoder never sees is not counted, and text that the encoder gives up on is counted by its length. That
is an estimate: where such a run is cut, its end may make more tokens than counted, and the encoder cuts off the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.chunking.passage_rules import TokenStarts

Spans = Sequence[tuple[int, int]]

SLICE_CHARACTERS = 2**16  # one call to the tokeniser, 0.04 s: it can be ended between two; 2**20 is a third slower
LONG_RUN_CHARACTERS = 64  # no real token is longer; WordPiece makes one unknown token of any word above 100 characters
UNKNOWN_CHARACTERS = 16  # of such a run count as one token, so that a passage stays readable

_RUN = re.compile(r"\S+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """Replace lone surrogates, which no tokeniser takes, each by one U+FFFD; offsets stay as they are."""
    return _LONE_SURROGATE.sub("\ufffd", text)


class TokenPositions:
    """Where the tokens of one text start, in order."""

    def __init__(self, text: str, token_starts: TokenStarts, uncounted: Spans = ()) -> None:
        """Tokenise `text`; tokens that start inside the `uncounted` spans (ascending, disjoint) count nothing."""
        found = _with_unknown_runs(text, _starts(encodable(text), token_starts))
        self.starts: NDArray[np.int64] = _outside(found, uncounted)

    def before(self, positions: Iterable[int]) -> list[int]:
        """Give for each position the number of tokens that start before it."""
        places = np.fromiter(positions, dtype=np.int64)
        return [int(count) for count in np.searchsorted(self.starts, places, side="left")]


def sizes(texts: Sequence[str], token_starts: TokenStarts) -> list[list[int]]:
    """Give the token starts inside each of some short texts, all of them tokenised in one go."""
    lines = [" ".join(encodable(text).split()) for text in texts]
    line = TokenPositions("\n".join(lines), token_starts)
    result: list[list[int]] = []
    offset = 0
    for text in lines:
        first, last = line.before((offset, offset + len(text)))
        result.append([int(start) - offset for start in line.starts[first:last]])
        offset += len(text) + 1
    return result


def _starts(text: str, token_starts: TokenStarts) -> NDArray[np.int64]:
    """Tokenise slice by slice, each ending at a line end or a space where there is one."""
    found: list[NDArray[np.int64]] = []
    start = 0
    while start < len(text):
        end = _slice_end(text, start)
        found.append(np.asarray(token_starts(text[start:end]), dtype=np.int64) + start)
        start = end
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _slice_end(text: str, start: int) -> int:
    end = start + SLICE_CHARACTERS
    if end >= len(text):
        return len(text)
    middle = start + SLICE_CHARACTERS // 2
    return max(text.rfind("\n", middle, end), text.rfind(" ", middle, end)) + 1 or end


def _with_unknown_runs(text: str, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add starts inside long runs of visible characters that the encoder made one token, or none, of."""
    edges = np.concatenate(([0], starts, [len(text)]))
    gaps = np.flatnonzero(np.diff(edges) > LONG_RUN_CHARACTERS)
    runs = (run.span() for gap in gaps for run in _RUN.finditer(text, int(edges[gap]), int(edges[gap + 1])))
    extra = [np.arange(first, last, UNKNOWN_CHARACTERS) for first, last in runs if last - first > LONG_RUN_CHARACTERS]
    return np.union1d(starts, np.concatenate(extra)) if extra else starts


def _outside(starts: NDArray[np.int64], spans: Spans) -> NDArray[np.int64]:
    if not spans or not len(starts):
        return starts
    edges = np.asarray(spans, dtype=np.int64)
    nearest = np.searchsorted(edges[:, 0], starts, side="right") - 1
    inside = (nearest >= 0) & (starts < edges[np.maximum(nearest, 0), 1])
    outside: NDArray[np.int64] = starts[~inside]
    return outside
