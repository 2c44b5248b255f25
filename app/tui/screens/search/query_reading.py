"""The line under the query: how it was read, and what came of it."""

from __future__ import annotations

from textual.content import Content

from app.tui.screens.search.arrangement import ORDER_WORDS, Order
from app.tui.screens.search.row import TIER_STYLES, is_listing
from app.tui.theme import ALARM, FAINT, QUIET
from app.wording.bars import TIER_SIGNS, rarity
from app.wording.figures import count, figure
from app.wording.safe_text import one_line
from app.wording.so_far import words_so_far
from engine.records import RECIPROCAL, SearchResult

NONE_SIGN = "∅"
_GAP = "   "


def reading_line(result: SearchResult, width: int, finished: bool, order: Order = "relevance") -> Content:
    """Return the words with their rarity at the left, weights, verdict, hits, order and time at the right.

    `finished` is false while only the words have answered. Where there is no room the weights go first, then the names
    of the rarities, then the last words.
    """
    verdict = _verdict(result, finished, order)
    named, signs = _words(result, named=True), _words(result, named=False)
    with_weights = Content.assemble(_weights(result), _GAP, verdict)
    for left, right in ((named, with_weights), (named, verdict), (signs, with_weights), (signs, verdict)):
        if left.cell_length + right.cell_length + 2 <= width:
            break
    left = left.truncate(max(0, width - right.cell_length - 2), ellipsis=True)
    return Content.assemble(left, " " * max(1, width - left.cell_length - right.cell_length), right)


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


def _verdict(result: SearchResult, finished: bool, order: Order) -> Content:
    """Return the verdict, the number of documents found, and the time that it took."""
    took = f"{result.timings.total:.0f} ms"
    ordered = "" if order == "relevance" else f" · {ORDER_WORDS[order]}"
    if is_listing(result):
        return Content.styled(f"{ordered[3:] or 'newest first'} · {count(result.found)} found · {took}", QUIET)
    if not finished:
        return Content.assemble(("by words so far", QUIET), (" · ", FAINT), (f"{count(result.found)} · {took}", QUIET))
    if result.verdict == "none":
        said, style = f"{NONE_SIGN} nothing relevant", ALARM
    else:
        said, style = f"{TIER_SIGNS[result.verdict]} {result.verdict}", TIER_STYLES[result.verdict]
    so_far = words_so_far(result)
    return Content.assemble(
        (said, style),
        (f" · {so_far}" if so_far else "", QUIET),
        (f" · {count(result.found)} found{ordered} · {took}", QUIET),
    )
