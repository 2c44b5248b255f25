"""The facts of a model that gives one vector a token and none for a text (ColBERT): how it is to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.errors import ModelError
from engine.lazy_dataclass import dataclass

NONE = -1  # in the place of a token's number
LONGEST_TEXT = 512  # tokens, as the longest window
MOST_SKIPPED = 1_000  # token numbers: punctuation is 32


@dataclass(frozen=True, slots=True)
class MultiVector:
    """How a late interaction model is to be asked, in the numbers of its tokens; NONE where it has no such token.

    A marker stands behind the first token of a text. A question is filled up with `mask` to `query_length` tokens, the
    marker not counted, 0 for not at all, and the model looks at these only where `attends_mask` says so; their vectors
    count with the others. Tokens in `skipped` have no vector in a passage, and none in a question where
    `skips_questions` says so. A question is cut to `query_window` tokens first, a passage to `passage_window`, 0 for
    the model's own window.
    """

    query_marker: int = NONE
    passage_marker: int = NONE
    mask: int = NONE
    query_length: int = 0
    query_window: int = 0
    passage_window: int = 0
    attends_mask: bool = False
    skips_questions: bool = False
    skipped: tuple[int, ...] = ()

    @property
    def reserved(self) -> int:
        """How many tokens of the window the marker takes."""
        return int(self.query_marker != NONE or self.passage_marker != NONE)

    def facts(self) -> dict[str, Any]:
        """Return what stands in the manifest; what older manifests lack is left out where it says nothing."""
        newer = {name for name in ("passage_window", "skips_questions") if not getattr(self, name)}
        told = {name: value for name, value in asdict(self).items() if name not in newer}
        return {**told, "skipped": list(self.skipped)}

    @classmethod
    def of(cls, facts: object) -> MultiVector:
        """Read what `facts` wrote. Raises ValueError where it is something else."""
        if not isinstance(facts, Mapping):
            raise ValueError("no table of facts")
        skipped = facts.get("skipped", [])
        known = {name: facts[name] for name in asdict(cls()) if name in facts and name != "skipped"}
        switches = {name: known.pop(name, False) for name in ("attends_mask", "skips_questions")}
        if not all(isinstance(each, bool) for each in switches.values()) or not isinstance(skipped, (list, tuple)):
            raise ValueError("a fact of another kind")
        if len(skipped) > MOST_SKIPPED:
            raise ValueError("more tokens without a vector than there are signs")
        if any(type(each) is not int or not NONE <= each < 2**31 for each in (*known.values(), *skipped)):
            raise ValueError("a number that is no token's")
        if max(known.get(name, 0) for name in ("query_length", "query_window", "passage_window")) > LONGEST_TEXT:
            raise ValueError("a text longer than any window")
        return cls(**known, **switches, skipped=tuple(skipped))


def only_late(name: str) -> ModelError:
    """Return the error of a late interaction model that was asked for the vector of a text."""
    return ModelError(
        f"{name} cannot be the model that reads for meaning, nor run beside it.",
        cause="It is made for late interaction: it gives a vector for each token, and none for a text.",
        fix=f"`carrel late on {name}` ranks the best hundred passages again with it.",
    )
