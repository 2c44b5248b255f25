"""The line under the query: how it was read, and what came of it."""

from __future__ import annotations

from collections import Counter

from textual.content import Content

from app.tui.screens.search.arrangement import ORDER_WORDS, Order
from app.tui.screens.search.row import TIER_STYLES, is_listing
from app.tui.theme import ALARM, FAINT, QUIET
from app.wording.bars import TIER_SIGNS, rarity
from app.wording.safe_text import one_line
from app.wording.so_far import words_so_far
from engine.figures import count, figure
from engine.records import RECIPROCAL, SearchResult

NONE_SIGN = "∅"
_GAP = "   "
ROOMY_CELLS = 100  # from here on the line says what of the time was waited for a server


def reading_line(
    result: SearchResult, width: int, finished: bool, order: Order = "relevance", more: int = 0
) -> Content:
    """Return the words with their rarity at the left, weights, verdict, hits, order and time at the right.

    `finished` is false while only the words have answered; `more` documents were found that have no row yet. Where
    there is no room the weights go first, then what is said of a meaning that is still to come, then the names of the
    rarities, then the last words, then the time.
    """
    verdict, took = _verdict(result, finished, order, more), Content.styled(_took(result, width), QUIET)
    brief = _verdict(result, finished, order, more, briefly=True)
    if verdict.cell_length + took.cell_length < width:  # half a time would be read as a number of something
        verdict = Content.assemble(verdict, took)
    named, signs = _words(result, named=True), _words(result, named=False)
    with_weights = Content.assemble(_weights(result), _GAP, verdict)
    briefer = ((named, brief), (signs, brief)) if result.so_far else ((signs, with_weights), (signs, verdict))
    for left, right in ((named, with_weights), (named, verdict), *briefer):
        if left.cell_length + right.cell_length + 2 <= width:
            break
    left = left.truncate(max(0, width - right.cell_length - 2), ellipsis=True)
    return Content.assemble(left, " " * max(1, width - left.cell_length - right.cell_length), right)


def _took(result: SearchResult, width: int) -> str:
    """Return how long the search took and, where there is room, what of that a team's server took."""
    server = f", server {result.timings.server:.0f}" if result.timings.server and width >= ROOMY_CELLS else ""
    return f" · {result.timings.total:.0f} ms{server}"


def _words(result: SearchResult, named: bool) -> Content:
    """Return each word with how rare it is here, as a sign and, where `named`, in a word."""
    parts = []
    for word in result.words:
        name, level = rarity(word.documents, word.idf, result.passages)
        if name == "unknown":
            parts.append(Content.assemble((one_line(word.term), "strike"), (" not here" if named else "", ALARM)))
        else:
            parts.append(Content.assemble(one_line(word.term), (f" {level}{f' {name}' if named else ''}", QUIET)))
    return Content(_GAP).join(parts)


def _weights(result: SearchResult) -> Content:
    """Return what each leg counts for, with the reason where it was worked out for this query."""
    if is_listing(result) or not result.query.meaning:  # signs have none to weigh
        return Content()
    weights = result.weights
    reason = f" ({one_line(weights.reason)})" if result.fusion in RECIPROCAL and weights.reason else ""
    return Content.styled(f"meaning {figure(weights.vector, 2)}  words {figure(weights.keyword, 2)}{reason}", QUIET)


def _verdict(result: SearchResult, finished: bool, order: Order, more: int, briefly: bool = False) -> Content:
    """Return how many rows of each tier there are, or that nothing fits."""
    ordered = "" if order == "relevance" else f" · {ORDER_WORDS[order]}"
    if is_listing(result):
        return Content.styled(f"{ordered[3:] or 'newest first'} · {count(result.found)} found", QUIET)
    if not finished:
        return Content.assemble(("by words so far", QUIET), (" · ", FAINT), (count(result.found), QUIET))
    so_far = words_so_far(result, briefly=briefly)
    return Content.assemble(_tiers(result, more), (f" · {so_far}" if so_far else "", QUIET), (ordered, QUIET))


def _tiers(result: SearchResult, more: int) -> Content:
    """Return how many rows are strong, likely and weak, those of the verdict's own tier with its sign before them."""
    if result.verdict == "none":
        return Content.styled(f"{NONE_SIGN} nothing relevant", ALARM)
    numbers = Counter(hit.tier for hit in result.hits)
    sign = Content.styled(f"{TIER_SIGNS[result.verdict]} ", TIER_STYLES[result.verdict])
    parts = [
        Content.assemble(
            sign if tier == result.verdict else "", Content.styled(f"{count(numbers[tier])} {tier}", TIER_STYLES[tier])
        )
        for tier in TIER_STYLES
        if numbers[tier]
    ]
    rest = [Content.styled(f"{count(more)} more", QUIET)] if more else []
    lead = Content() if numbers[result.verdict] else sign
    return Content.assemble(lead, Content(", ").join([*parts, *rest]))
