"""A row to learn from as a person sees it."""

from __future__ import annotations

from collections.abc import Sequence

from training.ground import Ground
from training.known import KnownQuery
from training.mining import Row
from training.protocol import Example

CHARACTERS = 300  # of each text, so that an event stays far below its limit


def example(number: int, row: Row, known: Sequence[KnownQuery], ground: Ground) -> Example:
    """Return the event that shows a row."""
    query = known[row.query]
    texts = [ground.texts[each][:CHARACTERS] for each in row.passages]
    return Example(
        number=number,
        query=query.text[:CHARACTERS],
        positive=texts[0],
        negatives=tuple(texts[1:]),
        kind=row.kind,
        origin=query.origin,
    )
