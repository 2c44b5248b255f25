"""Why a document is not in a list: the same search again with its passages forced in, followed stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.figures import MINUS, adding_up, figure, signed
from engine.records import Filters, Query, SearchSettings, WhyChanges, WhyStage
from engine.retrieval import tiers
from engine.retrieval.candidate_retrieval import DEPTH, Candidates
from engine.retrieval.filters import allowed
from engine.retrieval.fusion import rank
from engine.retrieval.late_interaction import DEPTH as LATE_DEPTH
from engine.retrieval.near_duplicates import rows
from engine.retrieval.search_pipeline import Model, Search, run
from engine.retrieval.telling_words import telling_words
from engine.store.allowed import Allowed

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

FILTER_WORDS = {
    "paths": "path:",
    "not_paths": "-path:",
    "kinds": "type:",
    "not_kinds": "-type:",
    "tags": "tag:",
    "not_tags": "-tag:",
    "titles": "title:",
    "not_titles": "-title:",
    "authors": "author:",
    "not_authors": "-author:",
    "senders": "from:",
    "not_senders": "-from:",
    "recipients": "to:",
    "not_recipients": "-to:",
    "subjects": "subject:",
    "not_subjects": "-subject:",
    "after": "after:",
    "before": "before:",
}
WAITS = "not embedded yet: it is found by its words so far"
DATA = "its passages are data, not words: they are found by words alone"
WEIGHT_STEPS = 20  # vector weights tried, from 0 to 1, for the advice


@dataclass(frozen=True, slots=True)
class Trail:
    """The stages that a document went through, its final rank, the stage that dropped it, and what would help."""

    stages: tuple[WhyStage, ...]
    final_rank: int | None
    dropped_at: str | None
    advice: tuple[str, ...]
    changes: WhyChanges = field(default_factory=WhyChanges)

    def though(self, remark: str, advice: str) -> Trail:
        """Return the trail with a remark on the document's being indexed, and one more advice."""
        first = replace(self.stages[0], detail=f"{self.stages[0].detail}; {remark}")
        return replace(self, stages=(first, *self.stages[1:]), advice=(*self.advice, advice))


def trace(
    connection: StoreConnection,
    query: Query,
    document_id: int,
    settings: SearchSettings,
    model: Model | None,
    cuts: tiers.Cuts,
    *,
    limit: int,
) -> Trail:
    """Follow one indexed document through a search. "why" of a file that is not indexed is the library's to answer."""
    passages = [row.passage_id for row in connection.passages_of(document_id)]
    if not passages:
        stage = WhyStage("indexed", False, None, "it holds no text", "text in the file")
        return Trail((stage,), None, "indexed", ("Add text to the file; an empty one can be found by its name only.",))
    search = run(connection, query, settings, model, cuts, limit=limit, forced=tuple(passages))
    stages = [WhyStage("indexed", True, None, f"{len(passages)} passage{'s' * (len(passages) > 1)}")]
    filters = _filter_stages(connection, search, passages)
    stages += filters
    if not filters[0].passed:
        return Trail(tuple(stages), None, "filters", (f"Leave out {' and '.join(each.needed for each in filters)}.",))
    if not search.fts_query.phrases:
        return _by_date(connection, search, document_id, stages, limit)
    return _through_the_legs(connection, search, document_id, settings, stages, limit)


def _through_the_legs(
    connection: StoreConnection,
    search: Search,
    document_id: int,
    settings: SearchSettings,
    stages: list[WhyStage],
    limit: int,
) -> Trail:
    candidates = search.gathered.candidates
    own = np.flatnonzero(candidates.documents == document_id)
    vector, keyword = _leg_stages(search, own, settings)
    data = connection.held_back(document_id)
    if data and data == len(own) and settings.fusion != "keyword":
        vector = replace(vector, detail=DATA, needed="a word that stands in it")
    stages += [vector, keyword]
    advice: list[str] = []
    changes = WhyChanges()
    in_a_leg = (vector.passed and settings.fusion != "keyword") or (keyword.passed and settings.fusion != "vector")
    in_a_leg = in_a_leg or (search.ranking.memory is not None and bool((search.ranking.memory[own] > 0).any()))
    if in_a_leg and settings.cutoff is not None and not np.isin(own, search.ranking.order).any():
        return _cut_off(connection, search, own, settings.cutoff, stages)
    fused = _fused_stage(search, own, in_a_leg)
    stages.append(fused)
    stages += _late_stage(search, own)
    final = _final_rank(search, document_id)
    if not in_a_leg:
        dropped: str | None = "legs"
        advice.append(_deeper(vector))
    elif final is not None:
        dropped = None
        stages.append(WhyStage("listed", True, final, f"row {final} of {len(search.rows)}"))
    else:
        collapsed = _collapsed_under(search, own)
        if collapsed is not None:
            title = _title(connection, int(candidates.ids[collapsed]))
            dropped = "collapsed"
            stages.append(
                WhyStage("collapsed", False, None, f"says nearly the same as “{title}”", "collapsing switched off")
            )
            advice.append(f"Open “{title}”: this document stands under it as a near-duplicate.")
        else:
            dropped = "fused"
            place = _grouped_rank(search, document_id, settings)
            stages.append(WhyStage("listed", False, place, f"row {place}, and {limit} are shown", f"--limit {place}"))
            advice.append(f"Ask for {place} rows (--limit {place}).")
            changes = _other_ranking(search, document_id, settings, limit)
            advice += _in_words(changes)
    if dropped and dropped != "collapsed":
        words = telling_words(connection, search, own)
        changes = replace(changes, words=words)
        advice += [f"Words that would find it: {', '.join(words)}."] if words else []
    return Trail(tuple(stages), final, dropped, tuple(advice), changes)


def _cut_off(
    connection: StoreConnection, search: Search, own: NDArray[np.int64], cutoff: float, stages: list[WhyStage]
) -> Trail:
    """Tell of a document that meaning alone has found, and that lies beyond the distance cut-off."""
    nearest, least = (1.0 - float(np.nanmax(search.gathered.candidates.cosine[at])) for at in (own, slice(None)))
    detail = f"distance {figure(nearest)} is beyond {cutoff:g} times the least, {figure(least)}"
    stages.append(WhyStage("cutoff", False, None, detail, "the cut-off switched off"))
    words = telling_words(connection, search, own)
    advice = ["Switch the cut-off off (the setting cutoff)."]
    advice += [f"Words that would find it: {', '.join(words)}."] if words else []
    return Trail(tuple(stages), None, "cutoff", tuple(advice), WhyChanges(words=words))


def _in_words(changes: WhyChanges) -> list[str]:
    """Return another ranking as advice."""
    if changes.fusion is not None:
        return [f"Search by meaning and words together (--fusion {changes.fusion})."]
    if changes.weights is None:
        return []
    vector, keyword = changes.weights
    return [f"Weigh meaning {figure(vector, 2)} and words {figure(keyword, 2)} (--weights {vector:.2f},{keyword:.2f})."]


def _filter_stages(connection: StoreConnection, search: Search, passages: list[int]) -> list[WhyStage]:
    """Return each restriction that keeps every passage of the document out, else how they do together."""
    lost = list(_ruled_out(connection, search, passages))
    if not lost and not _any_inside(connection, search.allowed, passages):
        lost = [("no one passage passes all of them together", "one of the filters")]
    if lost:
        return [WhyStage("filters", False, None, told, needed) for told, needed in lost]
    restricted = bool(search.query.filters or search.fts_query.required or search.fts_query.excluded)
    return [WhyStage("filters", True, None, "inside all of them" if restricted else "none set")]


def _ruled_out(connection: StoreConnection, search: Search, passages: list[int]) -> Iterator[tuple[str, str]]:
    """Yield what each restriction says that no passage passes by itself, and its name in the query."""
    filters, wanted = search.query.filters, search.fts_query

    def passes(only: Filters, **phrases: Any) -> bool:
        alone = replace(wanted, **{"required": (), "excluded": (), **phrases})
        return _any_inside(connection, allowed(only, alone), passages)

    for name, shown in FILTER_WORDS.items():
        value = getattr(filters, name)
        if value not in ((), None) and not passes(replace(Filters(own_dates=filters.own_dates), **{name: value})):
            told = shown if isinstance(value, float) else " ".join(f"{shown}{each}" for each in value)
            yield f"outside {told}", told
    for phrase in wanted.required:
        if not passes(Filters(), required=(phrase,)):
            yield f'no passage holds "{phrase.written}"', f'the quotes around "{phrase.written}"'
    for phrase in wanted.excluded:
        if not passes(Filters(), excluded=(phrase,)):
            yield f"every passage holds “{phrase.written}”, which is excluded", f"-{phrase.written}"


def _any_inside(connection: StoreConnection, allowed: Allowed, passages: list[int]) -> bool:
    return len(connection.let_through(np.array(passages, np.int64), allowed)) > 0


def _leg_stages(search: Search, own: NDArray[np.int64], settings: SearchSettings) -> tuple[WhyStage, WhyStage]:
    candidates = search.gathered.candidates
    return _vector_stage(candidates, own, settings), _keyword_stage(search, own, settings)


def _vector_stage(candidates: Candidates, own: NDArray[np.int64], settings: SearchSettings) -> WhyStage:
    if candidates.query_vector is None:
        why = "not asked" if settings.fusion == "keyword" else "no model yet"
        return WhyStage("vector", False, None, why)
    ranked = own[candidates.vector_rank[own] != 0]
    if not len(ranked) and candidates.pending is not None and candidates.pending[own].any():
        return WhyStage("vector", False, None, WAITS, "its vector, which the indexer makes")
    if not len(ranked) and candidates.held is not None and np.isnan(candidates.cosine[own]).all():
        return WhyStage("vector", False, None, "the model does not read this writing", "a word that stands in it")
    if not len(ranked):
        return WhyStage("vector", False, None, "no passage of it has a vector that passes", "carrel sync")
    best = ranked[np.argmin(np.abs(candidates.vector_rank[ranked]))]
    place = abs(int(candidates.vector_rank[best]))
    detail = f"rank {place}, distance {figure(1.0 - float(candidates.cosine[best]))}"
    inside = int(candidates.vector_rank[best]) > 0
    return WhyStage("vector", inside, place, detail, "" if inside else f"rank {DEPTH} or better")


def _keyword_stage(search: Search, own: NDArray[np.int64], settings: SearchSettings) -> WhyStage:
    candidates = search.gathered.candidates
    if settings.fusion == "vector":
        return WhyStage("keyword", False, None, "not asked")
    ranked = own[candidates.keyword_rank[own] != 0]
    if len(ranked):
        best = ranked[np.argmin(np.abs(candidates.keyword_rank[ranked]))]
        place = abs(int(candidates.keyword_rank[best]))
        inside = int(candidates.keyword_rank[best]) > 0
        detail = f"rank {place}, bm25 {figure(float(candidates.bm25[best]), 2)}"
        return WhyStage("keyword", inside, place, detail, "" if inside else f"rank {DEPTH} or better")
    words = [reading.term for reading in search.fts_query.readings]
    asked = " or ".join(f"“{word}”" for word in words[:5]) or "any word"
    return WhyStage(
        "keyword", False, None, f"no passage of it is among the best for {asked}", "one of the words in the document"
    )


def _fused_stage(search: Search, own: NDArray[np.int64], in_a_leg: bool) -> WhyStage:
    order = search.ranking.order
    places = np.flatnonzero(np.isin(order, own))
    place = int(places[0]) + 1 if len(places) else None
    if not in_a_leg:
        return WhyStage("fused", False, None, f"outside the best {DEPTH} of both legs", "a place in one leg")
    best = int(order[place - 1]) if place else 0
    ranking, score = search.ranking, float(search.ranking.score[best])
    shares = {"meaning": float(ranking.vector[best]), "words": float(ranking.keyword[best])}
    for name in ("rare", "around", "feedback", "memory", "late"):
        part = getattr(ranking, name)
        if part is not None and (part[best] or name == "feedback"):
            shares[name] = float(part[best])
    first, *others = zip(shares, adding_up(list(shares.values()), score, 3), strict=True)
    parts = f"{first[0]} {first[1]}" + "".join(_added(name, shown) for name, shown in others)
    return WhyStage("fused", place is not None, place, f"rank {place} of {len(order)}, score {figure(score)} = {parts}")


def _added(name: str, shown: str) -> str:
    return f" {MINUS if shown.startswith(MINUS) else '+'} {name} {shown.removeprefix(MINUS)}"


def _late_stage(search: Search, own: NDArray[np.int64]) -> list[WhyStage]:
    """Tell what late interaction did to the document's best passage; nothing where it was not asked."""
    late, part = search.gathered.candidates.late, search.ranking.late
    if late is None or part is None or not len(own):
        return []
    known = own[~np.isnan(late[own])]
    if not len(known):
        told = f"not among the best {LATE_DEPTH} passages before it, or without token vectors"
        return [WhyStage("late", False, None, told, f"rank {LATE_DEPTH} or better")]
    best = int(known[np.argmax(search.ranking.score[known])])
    place = int((late[~np.isnan(late)] > late[best]).sum()) + 1
    change = signed(float(part[best]))
    detail = f"rank {place} by late interaction, {figure(float(late[best]))}, changed the score by {change}"
    return [WhyStage("late", True, place, detail)]


def _final_rank(search: Search, document_id: int) -> int | None:
    documents = search.gathered.candidates.documents
    for number, row in enumerate(search.rows, 1):
        if int(documents[row.passage]) == document_id:
            return number
    return None


def _collapsed_under(search: Search, own: NDArray[np.int64]) -> int | None:
    mine = set(own.tolist())
    return next((row.passage for row in search.rows if mine & set(row.duplicates)), None)


def _grouped_rank(search: Search, document_id: int, settings: SearchSettings) -> int | None:
    """Return the row that the document would have in a list without an end."""
    candidates = search.gathered.candidates
    everything = rows(candidates, search.ranking.order, settings, len(candidates))
    for number, row in enumerate(everything, 1):
        if int(candidates.documents[row.passage]) == document_id:
            return number
    return None


def _other_ranking(search: Search, document_id: int, settings: SearchSettings, limit: int) -> WhyChanges:
    """Find the weights nearest to today's under which the document would be listed."""
    if settings.fusion in ("vector", "keyword"):
        return WhyChanges(fusion="convex")
    now = search.ranking.weights.vector
    candidates = search.gathered.candidates
    for step in sorted(range(WEIGHT_STEPS + 1), key=lambda each: abs(each / WEIGHT_STEPS - now)):
        weight = step / WEIGHT_STEPS
        tried = replace(settings, weights=(weight, round(1.0 - weight, 2)))
        order = rank(candidates, tried, search.verdict).order
        listed = rows(candidates, order, tried, limit)
        if any(int(candidates.documents[row.passage]) == document_id for row in listed):
            return WhyChanges(weights=(weight, round(1.0 - weight, 2)))
    return WhyChanges()


def _deeper(vector: WhyStage) -> str:
    if vector.detail == WAITS:
        return "It is not embedded yet: use words that stand in it, or ask again once it is."
    if vector.rank is not None:
        place = f"by meaning it has rank {vector.rank}"
        return f"Neither leg has it among its best {DEPTH} ({place}): use words that stand in it."
    return "Use words that stand in it."


def _by_date(
    connection: StoreConnection, search: Search, document_id: int, stages: list[WhyStage], limit: int
) -> Trail:
    final = _final_rank(search, document_id)
    if final is not None:
        return Trail((*stages, WhyStage("listed", True, final, f"row {final}, newest first")), final, None, ())
    signs = " ".join(search.fts_query.signs)
    if signs and document_id not in search.gathered.candidates.documents:
        stages.append(WhyStage("keyword", False, None, f"“{signs}” stands not in it as it is", "those signs"))
        return Trail(tuple(stages), None, "keyword", ("Use words that stand in it.",))
    stages.append(WhyStage("listed", False, None, f"older than the {limit} rows shown", "a larger --limit"))
    return Trail(tuple(stages), None, "listed", ("Ask for more rows with --limit, or add a word.",))


def _title(connection: StoreConnection, passage_id: int) -> str:
    row = connection.rows_for([passage_id]).get(passage_id)
    return row.title if row else "another document"
