"""What a search is about to ask of a team's library, asked in one trip: a way over a network costs more than an answer.

Each function sends the very statements that the later questions would send, or what the answers to those are made of.
So nothing hangs on it but time: what is not brought here is asked where it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from engine.team import (
    candidate_details,
    phrase_scores,
    team_candidates,
    team_models,
    team_rows,
    team_texts,
    team_vectors,
    team_words,
)
from engine.team.phrase_sql import Sql

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.records import Query
    from engine.store.allowed import Allowed
    from engine.store.phrase import Phrase
    from engine.store.store_connection import StoreConnection
    from engine.team.snapshot import Snapshot
    from engine.team.word_postings import KeptPostings


def begin(snapshot: Snapshot, query: Query | None, kept: KeptPostings, *, with_marks: bool = False) -> None:
    """Begin to read, and bring what every search asks and what a query asks of its words.

    With it come all marks and the vectors of their queries, which a process reads with its first search. `kept` has
    what earlier searches brought of words, and keeps what this one brings.
    """
    if query is None:
        snapshot.begin()
        return
    from engine.retrieval.fts_query import MINIMUM_PREFIX, MOST_BEGUN, first_words
    from engine.retrieval.named_documents import LONGEST_TITLE, MOST_TITLED

    asked = first_words(query)
    terms = team_words.forms_of(asked.terms) if not asked.phrases else []  # with a phrase the server ranks
    growing = team_words.begun_of(asked.growing)
    ahead = [team_models.FIGURES, team_models.WAITING, team_models.asking_marks(" ".join(query.text.split()))]
    ahead += [team_rows.listing_folders(snapshot), *team_words.counting_words(asked.terms)]
    if 0 < len(asked.title) <= LONGEST_TITLE:
        ahead.append(team_texts.named(asked.title, MOST_TITLED))
    shorter = [
        word[:length]
        for word in asked.growing
        for length in range(MINIMUM_PREFIX, min(len(word), MINIMUM_PREFIX + MOST_BEGUN))
    ]
    begun = list(dict.fromkeys([*asked.begun, *asked.growing, *shorter]))
    ahead += [team_words.finding_begun(begun)] if begun else []
    ahead += [team_words.counting_matches(phrase) for phrase in asked.phrases]
    ahead += _of_phrases(query, asked.phrases)
    ahead += [team_models.asking_marks(), team_models.MARKED_VECTORS] if with_marks else []
    snapshot.postings = kept.of([*terms, *growing])
    ahead += team_words.bringing_postings(snapshot, terms, growing)
    snapshot.begin(ahead)
    if with_marks:
        team_models.keep_marked(snapshot)
    team_words.keep_words(snapshot, asked.terms)
    team_words.keep_postings(snapshot, terms, growing, kept)
    if begun:
        team_words.keep_begun(snapshot, begun)


class _Listener:
    """Stands in for a connection whose every answer is empty, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Sql] = []

    def borders(self, tails: Sequence[Phrase], head: Phrase, most: int) -> list[tuple[int, str, int, str, str]]:
        """Keep the question which texts the words reach over."""
        self.asked.append(team_texts.bordering(tails, head, most))
        return []

    def short_between(
        self, begun: Sequence[Phrase], head: Phrase, longest: int, most: int
    ) -> list[tuple[int, str, int, str, int, str, str]]:
        """Keep the question which texts they reach over with a short one between."""
        self.asked.append(team_texts.bordering_short(begun, head, longest, most))
        return []

    def texts_holding(self, groups: Sequence[Sequence[Phrase]], most: int) -> list[tuple[str, str]]:
        """Keep the question which texts hold the groups."""
        self.asked.append(team_texts.reading_texts(groups, most))
        return []


def _of_phrases(query: Query, phrases: Sequence[Phrase]) -> list[Sql]:
    """Return what is asked of the borders that phrases reach over, and of words that the library may write as options.

    Whoever asks for it is run on a connection that only listens.
    """
    from engine.retrieval.passage_borders import crossing
    from engine.retrieval.written_options import with_written_options

    listener = _Listener()
    connection = cast("StoreConnection", listener)
    with_written_options(connection, query)
    for phrase in phrases:
        crossing(connection, phrase)
    return listener.asked


def of_legs(
    snapshot: Snapshot,
    asked: Sequence[Sequence[Sequence[Phrase]]],
    query: NDArray[np.float32] | None,
    among: Sequence[Allowed],
    depth: int,
    deepest: int,
) -> None:
    """Bring the candidates of both legs, for each set of passages that are allowed."""
    model = snapshot.model_id if query is not None else 0
    snapshot.with_vectors = bool(model)
    ahead: list[Sql] = []
    first: list[int] = []  # of what is ranked here: the server is to tell of them what it tells of its own
    for allowed in among:
        if query is not None and model:
            most = team_vectors.most_of(depth)
            ahead.append(team_vectors.asking_nearest(snapshot, model, query, most, allowed))
        for groups in asked:
            if (found := team_words.best_here(snapshot, groups, allowed, deepest)) is None:
                ahead.append(team_words.best(snapshot, groups, allowed, deepest))
            else:
                first += [passage for passage, _ in found[: team_words.DETAILED]]
    first = list(dict.fromkeys(first))
    if first:
        ahead.append(candidate_details.asking(first))
        ahead += [team_vectors.asking_vectors(model, Sql("%s::bigint[]", (first,)))] if model else []
    snapshot.ask(ahead)
    if first:
        candidate_details.keep_asked(snapshot, first)
        team_vectors.keep_asked(snapshot, first)


def of_judging(
    snapshot: Snapshot,
    first: Sequence[int],
    judged: Sequence[int],
    reach: int,
    phrases: Sequence[Phrase],
    shown: Sequence[int],
    most: int,
) -> None:
    """Bring what stands around the first passages, with its vectors, the words of all of them, and rows to be shown."""
    near = team_candidates.standing_around(first, reach) if first else None
    listed = list(dict.fromkeys([*first, *judged, *shown]))
    words = phrase_scores.held_in(listed, phrases, near) if phrases else None
    known = snapshot.brought.vectors
    vectors = _vectors_around(near, snapshot.model_id, list(known)) if near and snapshot.with_vectors else None
    unseen = team_rows.unknown_rows(snapshot, shown, most)
    rows = team_rows.showing(snapshot, unseen, most) if unseen else None
    snapshot.ask([each for each in (near, words, vectors, rows) if each is not None])
    if words is not None:
        phrase_scores.keep(snapshot, phrases, words, listed)
    if near is not None and vectors is not None:
        for _, passage in snapshot.answer(near):
            known.setdefault(passage, None)
        known.update(dict(snapshot.answer(vectors)))
    team_rows.keep_rows(snapshot, unseen, most)


def _vectors_around(near: Sql, model: int, known: list[int]) -> Sql:
    among = f"ARRAY(SELECT id FROM ({near.text}) AS b(near, id) WHERE id <> ALL(%s))"
    return team_vectors.asking_vectors(model, Sql(among, (*near.values, known)))


def of_rows(snapshot: Snapshot, passage_ids: Sequence[int], phrases: Sequence[Phrase], most: int) -> None:
    """Bring what is shown of passages, and what they hold of the words of a query."""
    unseen = team_rows.unknown_rows(snapshot, passage_ids, most)
    unread = phrase_scores.unknown(snapshot, passage_ids, phrases) if phrases else []
    rows = team_rows.showing(snapshot, unseen, most)
    words = phrase_scores.held_in(unread, phrases)
    snapshot.ask([*([rows] if unseen else []), *([words] if unread else [])])
    team_rows.keep_rows(snapshot, unseen, most)
    if unread:
        phrase_scores.keep(snapshot, phrases, words, unread)
