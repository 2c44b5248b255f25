"""The sentence of a passage that is nearest in meaning to a query."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MOST_SENTENCES = 12  # each costs one run of the encoder, 2 to 10 ms
SHORTEST = 12  # code points: what is shorter is a label, not a sentence
_SENTENCE = re.compile(r"\S(?:.*?[.!?。！？](?=[\s\"')\]]|$)|.*?(?=\n\s*\n|\n\s*[-*+#>|]|$))", re.DOTALL)


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of a text, without the blanks around them; a list item or line may be one."""
    spans = (match.span() for match in _SENTENCE.finditer(text))
    return [(start, end) for start, end in spans if end - start >= SHORTEST]


def nearest_sentence(encode: Callable[[str], NDArray[np.float32]], query: str, text: str) -> tuple[int, int] | None:
    """Return the span of the sentence of highest cosine with the query among the first dozen; None where is none."""
    spans = sentences(text)[:MOST_SENTENCES]
    if not spans or not query.strip():
        return None
    wanted = encode(query)
    cosines = [float(encode(text[start:end]) @ wanted) for start, end in spans]
    return spans[int(np.argmax(cosines))]
