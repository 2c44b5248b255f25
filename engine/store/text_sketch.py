"""Sketches of texts: enough to know a text again after it was edited, split or joined, and too little to read it.

A sketch is a sample of hashes of a text's pairs of neighbouring words: those that are smallest, so that the same pairs
are chosen wherever they stand (bottom-k sampling; Broder 1997, "On the resemblance and containment of documents").
"""

from __future__ import annotations

import re
from array import array
from itertools import pairwise
from zlib import crc32

MOST_PAIRS = 64  # four bytes each; a share of pairs is then right within .13, two standard deviations
_WORD = r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+"  # a CJK character is a word; 3 ms to compile


def pairs_of(text: str) -> set[int]:
    """Return the hashes of the pairs of neighbouring words in a text; of a single word, its own."""
    words = re.findall(_WORD, text.casefold())
    pairs = pairwise(words) if len(words) > 1 else [(each, "") for each in words]
    return {crc32(f"{one} {other}".encode("utf-8", "replace")) for one, other in pairs}


def sketch_of(text: str) -> bytes:
    """Return the sketch of a text, b"" of one without words."""
    return array("I", sorted(pairs_of(text))[:MOST_PAIRS]).tobytes()


def share_within(sketch: bytes, pairs: set[int]) -> float:
    """Return which share of a sketched text, from 0 to 1, stands among the pairs of another; 0 for an empty sketch."""
    sample = sampled(sketch)
    return sum(each in pairs for each in sample) / len(sample) if sample else 0.0


def sampled(sketch: bytes) -> tuple[int, ...]:
    """Return the hashes of a sketch; none where its length is not that of one."""
    return tuple(array("I", sketch)) if len(sketch) % 4 == 0 else ()
