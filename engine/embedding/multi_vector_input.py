"""What a late interaction model is given for a question and a passage, and which models cannot read for meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.embedding.multi_vector import NONE, MultiVector, only_late

if TYPE_CHECKING:
    from engine.embedding.manifest import Manifest
    from engine.embedding.tokenization import Tokens

NOWHERE = (0, 0)  # the span of a token that stands for no part of the text


class Asked(NamedTuple):
    """What the model is given for one text, and which of its tokens' vectors count, each with its span."""

    ids: list[int]
    attention: list[int]
    kept: list[int]
    spans: list[tuple[int, int]]


def question(tokens: Tokens, how: MultiVector, text: str) -> Asked | None:
    """Return what the model is given for a question; None where it holds no word that the model knows."""
    found, told = tokens.ids_and_spans(text, how.query_window or None)
    if not any(told):
        return None
    filled = max(0, how.query_length - len(found)) if how.mask != NONE else 0
    attention = [1] * len(found) + [int(how.attends_mask)] * filled
    spans = [each or NOWHERE for each in told] + [NOWHERE] * filled
    ids, attention, spans = _marked(how.query_marker, found + [how.mask] * filled, attention, spans)
    return _counted(ids, attention, spans, how.skipped if how.skips_questions else ())


def passage(tokens: Tokens, how: MultiVector, text: str) -> Asked | None:
    """Return what the model is given for a passage; None where it holds no word that the model knows."""
    found, told = tokens.ids_and_spans(text, how.passage_window or None)
    if not any(told):
        return None
    spans = [each or NOWHERE for each in told]
    ids, attention, spans = _marked(how.passage_marker, found, [1] * len(found), spans)
    return _counted(ids, attention, spans, how.skipped)


def _counted(ids: list[int], attention: list[int], spans: list[tuple[int, int]], skipped: tuple[int, ...]) -> Asked:
    """Leave the tokens out that have no vector."""
    without = frozenset(skipped)
    kept = [place for place, each in enumerate(ids) if each not in without]
    return Asked(ids, attention, kept, [spans[place] for place in kept])


def _marked(
    marker: int, ids: list[int], attention: list[int], spans: list[tuple[int, int]]
) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Put the marker behind the first token."""
    if marker == NONE:
        return ids, attention, spans
    return [*ids[:1], marker, *ids[1:]], [*attention[:1], 1, *attention[1:]], [*spans[:1], NOWHERE, *spans[1:]]


def refuse_for_meaning(manifest: Manifest) -> None:
    """Raise ModelError where a model gives token vectors only, so that no text can be found by it alone."""
    if manifest.multi_vector is not None:
        raise only_late(manifest.id)
