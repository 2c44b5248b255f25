"""What was tried on top of the default ranking and left out: each gives the candidates of a search new scores."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from judged import Ground
from numpy.typing import NDArray

from engine.records import SearchSettings
from engine.retrieval import fusion
from engine.retrieval.search_pipeline import Search
from engine.store.bm25 import bm25_parts
from engine.store.documents import listed
from engine.store.fulltext import COLUMN_WEIGHTS
from engine.store.tokenizer import of_kind, tokens

Floats = NDArray[np.float64]
FIRST = 30  # candidates that the costly trials look at
NEARBY_DOCUMENTS = 10


def aggregation(share: float, _: Ground, search: Search) -> Floats:
    """Add to each document's best passage a share of its second best."""
    score, documents = search.ranking.score.copy(), search.gathered.candidates.documents
    seen: dict[int, list[int]] = {}
    for place in np.argsort(-score, kind="stable").tolist():
        seen.setdefault(int(documents[place]), []).append(place)
    for places in seen.values():
        if len(places) > 1:
            score[places[0]] += share * score[places[1]]
    return score


def document_vectors(share: float, _: Ground, search: Search) -> Floats:
    """Mix into each passage's part by meaning that of its document's mean vector, over the candidates' passages."""
    candidates = search.gathered.candidates
    assert candidates.query_vector is not None
    _, place = np.unique(candidates.documents, return_inverse=True)
    total = np.zeros((place.max() + 1, candidates.vectors.shape[1]))
    np.add.at(total, place, candidates.vectors.astype(np.float64))
    mean = total / np.linalg.norm(total, axis=1, keepdims=True)
    cosine = np.nan_to_num(candidates.cosine)
    return search.ranking.score + share * (mean[place] @ candidates.query_vector - cosine) / 2


def second_round(_: Ground, search: Search) -> Floats:
    """Give feedback from the list that feedback has made."""
    candidates, ranking = search.gathered.candidates, search.ranking
    return fusion._with_feedback(candidates, ranking, ranking.score).score


def phrases(bonus: float, ground: Ground, search: Search) -> Floats:
    """Lift the first candidates for pairs of words that stand side by side as in the query."""
    score = search.ranking.score.copy()
    asked = [token.stem for token in tokens(search.query.text)]
    pairs = set(pairwise(asked))
    if not pairs:
        return score
    for place, stems in _stems(ground, search).items():
        score[place] += bonus * len(pairs & set(pairwise(stems))) / len(pairs)
    return score


def coverage(bonus: float, ground: Ground, search: Search) -> Floats:
    """Lift the first candidates by the idf-weighted share of the query's words that stand in them."""
    score, fts_query = search.ranking.score.copy(), search.fts_query
    first = _first(search)
    known = [fts_query.phrases[index] for index in fts_query.known]
    weight = np.array([fts_query.readings[index].idf for index in fts_query.known])
    if not len(known) or weight.sum() == 0:
        return score
    ids = search.gathered.candidates.ids[first].tolist()
    parts = bm25_parts(ground.connection, ids, known, COLUMN_WEIGHTS)
    for place, passage in zip(first.tolist(), ids, strict=True):
        present = np.array([part.tf > 0 for part in parts[passage].parts])
        score[place] += bonus * float(weight @ present) / float(weight.sum())
    return score


def title_weight(weight: float, ground: Ground, search: Search) -> Floats:
    """Count a word in the title so many times, in the part by words of the first candidates."""
    score, fts_query, candidates = search.ranking.score.copy(), search.fts_query, search.gathered.candidates
    first, known = _first(search), [search.fts_query.phrases[index] for index in fts_query.known]
    if not known:
        return score
    ids, holding = candidates.ids[first].tolist(), [fts_query.readings[index].documents for index in fts_query.known]
    found = bm25_parts(ground.connection, ids, known, (weight, *COLUMN_WEIGHTS[1:]), holding)
    ceiling = max(float(candidates.bm25.max(initial=0.0)), candidates.keyword_ceiling)
    lifted = np.array([found[passage].total for passage in ids]) - candidates.bm25[first]
    score[first] += search.ranking.weights.keyword * lifted / ceiling
    return score


def nearby(share: float, ground: Ground, search: Search) -> Floats:
    """Add to the best passage of each of the first documents a share of what words within two passages would add.

    Each word counts from wherever it scores best. Feedback is given from the lifted scores, with the same constants.
    """
    candidates, known = (
        search.gathered.candidates,
        [search.fts_query.phrases[index] for index in search.fts_query.known],
    )
    plain = fusion.rank(candidates, SearchSettings(feedback=False), "none")
    if not known:
        return search.ranking.score
    _, firsts = np.unique(candidates.documents[plain.order], return_index=True)
    first = plain.order[np.sort(firsts)[:NEARBY_DOCUMENTS]]
    around: dict[int, list[int]] = {}
    for passage, neighbour in ground.connection.execute(
        "SELECT here.id, there.id FROM passage AS here JOIN passage AS there ON there.document_id = here.document_id"
        " AND there.ordinal BETWEEN here.ordinal - 2 AND here.ordinal + 2"
        " WHERE here.id IN (SELECT value FROM json_each(?))",
        (listed(candidates.ids[first].tolist()),),
    ):
        around.setdefault(passage, []).append(neighbour)
    holding = [search.fts_query.readings[index].documents for index in search.fts_query.known]
    wanted = sorted({each for near in around.values() for each in near})
    parts = bm25_parts(ground.connection, wanted, known, COLUMN_WEIGHTS, holding)
    scores = {passage: np.array([part.score for part in found.parts]) for passage, found in parts.items()}
    ceiling = max(float(candidates.bm25.max(initial=0.0)), candidates.keyword_ceiling)
    worth = np.zeros(len(candidates))
    for place in first.tolist():
        passage = int(candidates.ids[place])
        best = np.max([scores[each] for each in around[passage]], axis=0)
        worth[place] = share * plain.weights.keyword * float((best - scores[passage]).sum()) / ceiling
    if search.verdict == "none":
        return plain.score + worth
    return fusion._with_feedback(candidates, plain, plain.score + worth).score + worth


def maxsim(ground: Ground, search: Search, text: str, share: float = 0.05) -> Floats:
    """Lift the first candidates by MaxSim over the encoder's own token vectors, scaled to 0 to 1 among them."""
    score, candidates = search.ranking.score.copy(), search.gathered.candidates
    first = _first(search)
    asked = _states(ground, ground.encoder.manifest.query_prefix + text)[1:-1]
    likeness = np.empty(len(first))
    for place, passage in enumerate(candidates.ids[first].tolist()):
        title, body = ground.connection.execute(
            "SELECT title, text FROM passage JOIN document ON document.id = document_id WHERE passage.id = ?",
            (passage,),
        ).fetchall()[0]
        likeness[place] = (asked @ _states(ground, f"{title}. {body}").T).max(axis=1).mean()
    spread = float(likeness.max() - likeness.min()) or 1.0
    score[first] += share * (likeness - likeness.min()) / spread
    return score


def _states(ground: Ground, text: str) -> NDArray[np.float32]:
    """Return the unit vectors of a text's tokens, (tokens, dimension)."""
    encoder = ground.encoder
    ids = np.array([encoder._tokenizer().ids(text)], np.int64)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    session = encoder._model()
    states = session.run(None, {each.name: given[each.name] for each in session.get_inputs()})[0][0]
    unit: NDArray[np.float32] = states / np.linalg.norm(states, axis=1, keepdims=True)
    return unit


def _first(search: Search) -> NDArray[np.int64]:
    return search.ranking.order[:FIRST]


def _stems(ground: Ground, search: Search) -> dict[int, list[str]]:
    """Return the stems of the first candidates' texts, by place."""
    found = {}
    for place in _first(search).tolist():
        passage = int(search.gathered.candidates.ids[place])
        body = ground.connection.execute("SELECT body FROM passage_text WHERE id = ?", (passage,)).get
        found[place] = [token.stem for token in tokens(*of_kind(body or ""))]
    return found


TRIALS: dict[str, Callable[[Ground, Search], Floats]] = {
    "document: best passage plus .1 of the next": partial(aggregation, 0.1),
    "document: best passage plus .3 of the next": partial(aggregation, 0.3),
    "document's mean vector, .3": partial(document_vectors, 0.3),
    "feedback in two rounds": second_round,
    "phrase bonus .02": partial(phrases, 0.02),
    "phrase bonus .05": partial(phrases, 0.05),
    "coverage bonus .03": partial(coverage, 0.03),
    "words of the passages around, .25": partial(nearby, 0.25),
    "words of the passages around, .5": partial(nearby, 0.5),
    "words of the title count twice": partial(title_weight, 2.0),
    "words of the title count half": partial(title_weight, 0.5),
}
