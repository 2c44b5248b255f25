"""A row to learn from as a person sees it, and which rows are worth looking at first."""

from __future__ import annotations

import os
from collections.abc import Sequence

from engine.paths import display
from training.hard_negatives import Row
from training.known_queries import KnownQuery
from training.library_snapshot import Ground
from training.protocol import Example, shortened

CHARACTERS = 300  # of each text
PLACE_CHARACTERS = 100
MOST_BYTES = 1400  # of a text as it is written: of nine texts and eight places an event stays below 16 KB
MOST_PLACE_BYTES = 300


def example(row: Row, known: Sequence[KnownQuery], ground: Ground) -> Example:
    """Return the event that shows a row."""
    query = known[row.query]
    texts = [shortened(ground.texts[each], CHARACTERS, MOST_BYTES) for each in row.passages]
    return Example(
        number=row.number,
        query=shortened(query.text, CHARACTERS, MOST_BYTES),
        positive=texts[0],
        negatives=tuple(texts[1:]),
        kind=row.kind,
        origin=query.origin,
        places=tuple(_place(ground, each) for each in row.passages),
        meaning=row.meaning,
        words=row.words,
        labelled=row.labelled,
    )


def doubtful_first(rows: Sequence[Row], most: int) -> list[Row]:
    """Return rows to be looked at: those whose negatives come nearest to the answer, so may be answers, first."""
    return sorted(rows, key=lambda row: (-row.doubt, row.number))[:most]


def _place(ground: Ground, row: int) -> str:
    """Return the path of a passage's document from the folder that holds all, its end alone where it is long."""
    corpus = ground.corpus
    path = display(os.path.relpath(corpus.paths[int(corpus.documents[row])], os.path.dirname(corpus.root)))
    end = shortened(path[-PLACE_CHARACTERS:][::-1], PLACE_CHARACTERS, MOST_PLACE_BYTES)[::-1]
    return end if end == path else f"…{end}"
