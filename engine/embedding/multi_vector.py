"""Models that give one vector a token and none for a text (ColBERT): how they are asked, and what they cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import ModelError
from engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from engine.embedding.manifest import Manifest
    from engine.embedding.tokenization import Tokens

NONE = -1  # in the place of a token's number
NOWHERE = (0, 0)  # the span of a token that stands for no part of the text
LONGEST_QUESTION = 512  # tokens, as the longest window
MOST_SKIPPED = 1_000  # token numbers: punctuation is 32


@dataclass(frozen=True, slots=True)
class MultiVector:
    """How a late interaction model is to be asked, in the numbers of its tokens; NONE where it has no such token.

    A marker stands behind the first token of a text. A question is filled up with `mask` to `query_length` tokens, the
    marker not counted, 0 for not at all, and the model looks at these only where `attends_mask` says so; their vectors
    count with the others. Tokens in `skipped` have no vector in a passage. A question is cut to `query_window` tokens
    first, 0 for the model's own window.
    """

    query_marker: int = NONE
    passage_marker: int = NONE
    mask: int = NONE
    query_length: int = 0
    query_window: int = 0
    attends_mask: bool = False
    skipped: tuple[int, ...] = ()

    @property
    def reserved(self) -> int:
        """How many tokens of the window the marker takes."""
        return int(self.query_marker != NONE or self.passage_marker != NONE)

    def facts(self) -> dict[str, Any]:
        """Return what stands in the manifest."""
        return {**asdict(self), "skipped": list(self.skipped)}

    @classmethod
    def of(cls, facts: object) -> MultiVector:
        """Read what `facts` wrote. Raises ValueError where it is something else."""
        if not isinstance(facts, Mapping):
            raise ValueError("no table of facts")
        skipped = facts.get("skipped", [])
        known = {name: facts[name] for name in asdict(cls()) if name in facts and name != "skipped"}
        attends = known.pop("attends_mask", False)
        if not isinstance(attends, bool) or not isinstance(skipped, (list, tuple)) or len(skipped) > MOST_SKIPPED:
            raise ValueError("a fact of another kind")
        if any(type(each) is not int or not NONE <= each < 2**31 for each in (*known.values(), *skipped)):
            raise ValueError("a number that is no token's")
        if max(known.get("query_length", 0), known.get("query_window", 0)) > LONGEST_QUESTION:
            raise ValueError("a question longer than any window")
        return cls(**known, attends_mask=attends, skipped=tuple(skipped))


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
    return Asked(ids, attention, list(range(len(ids))), spans)


def passage(tokens: Tokens, how: MultiVector, text: str) -> Asked | None:
    """Return what the model is given for a passage; None where it holds no word that the model knows."""
    found, told = tokens.ids_and_spans(text)
    if not any(told):
        return None
    spans = [each or NOWHERE for each in told]
    ids, attention, spans = _marked(how.passage_marker, found, [1] * len(found), spans)
    skipped = frozenset(how.skipped)
    kept = [place for place, each in enumerate(ids) if each not in skipped]
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


def only_late(name: str) -> ModelError:
    """Return the error of a late interaction model that was asked for the vector of a text."""
    return ModelError(
        f"{name} cannot be the model that reads for meaning, nor run beside it.",
        cause="It is made for late interaction: it gives a vector for each token, and none for a text.",
        fix=f"`carrel late on {name}` ranks the best hundred passages again with it.",
    )
