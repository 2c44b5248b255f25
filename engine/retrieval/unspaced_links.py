"""Puts links of writing without spaces together: its words are found as pairs of characters that lie over each other.

Where a passage holds several pairs of a question one behind the other, that is one word to who reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.records import NearestWord
from engine.store.tokenizer import Token


def overlaps(words: Sequence[Token]) -> NDArray[np.bool_]:
    """Tell which words of a text lie over each other (n, n); each lies over itself."""
    starts, ends = (np.array([each[at] for each in words], np.int64) for at in (1, 2))
    over: NDArray[np.bool_] = (starts[:, np.newaxis] < ends) & (starts < ends[:, np.newaxis])
    return over


def joined(question: str, text: str, links: Iterable[tuple[Token, NearestWord]]) -> list[NearestWord]:
    """Return links in the order of the words asked, those of one word put together, as near as its nearest pair.

    `links` stand with the words asked, in their order.
    """
    found: list[NearestWord] = []
    begun: tuple[int, Token] | None = None  # where the last word asked began, and its last pair
    for asked, link in links:
        if begun is not None and _goes_on(begun[1], found[-1], asked, link):
            whole = question[begun[0] : asked.end]
            found[-1] = _with(found[-1], link, whole, text)
            begun = begun[0], asked
        else:
            found.append(link)
            begun = asked.start, asked
    return found


def _goes_on(before: Token, link: NearestWord, asked: Token, after: NearestWord) -> bool:
    """Whether a pair goes on from the one before it, and its counterpart from that one's, by as many characters."""
    if asked.start >= before.end or link.faint or after.faint or link.same != after.same:
        return False
    if not after.same:
        return not link.word and not after.word  # neither has a counterpart
    return link.end - after.start == before.end - asked.start and after.end > link.end


def _with(link: NearestWord, after: NearestWord, asked: str, text: str) -> NearestWord:
    if not link.same:
        return replace(link, asked=asked)
    cosine = max(each.cosine for each in (link, after) if each.cosine is not None)
    return replace(link, asked=asked, word=text[link.start : after.end], end=after.end, cosine=cosine)
