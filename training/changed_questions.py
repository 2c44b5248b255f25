"""The held-out questions whose first answers are others than before, to be shown side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from training.known_queries import KnownQuery
from training.protocol import BeforeAfter, shortened

SHOWN_QUESTIONS = 12
SHOWN_TITLES, TITLE_CHARACTERS, QUERY_CHARACTERS = 5, 120, 300
MOST_BYTES = 1200  # of a text as it is written: a question and ten titles stay below what an event may have
FIRST = 3  # answers, of which one must differ


def changed_questions(
    queries: Sequence[KnownQuery],
    found: Sequence[tuple[Sequence[int], Sequence[int]]],
    titles: Mapping[int, str],
) -> Iterator[BeforeAfter]:
    """Yield the first changed questions with titles; `found` are the documents of each question, before and after."""
    changed = [at for at, (before, after) in enumerate(found) if before[:FIRST] != after[:FIRST]]
    for at in changed[:SHOWN_QUESTIONS]:
        before, after = (
            tuple(shortened(titles[each], TITLE_CHARACTERS, MOST_BYTES) for each in documents[:SHOWN_TITLES])
            for documents in found[at]
        )
        query = shortened(queries[at].text, QUERY_CHARACTERS, MOST_BYTES)
        yield BeforeAfter(query=query, before=before, after=after)
