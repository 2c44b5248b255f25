"""The rules for the size of passages. They change vectors, so a model's manifest keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from engine.errors import ModelError

TokenStarts = Callable[[str], Sequence[int]]
"""Gives the code-point offset at which each encoder token of a text starts, ascending, special tokens left out."""


@dataclass(frozen=True, slots=True)
class PassageRules:
    """The sizes of passages in encoder tokens; any change of them or of how text is cut needs a new `version`."""

    target: int = 100
    """What the body of a passage aims at, title and headings not counted."""
    window: int = 256
    """What the encoder reads at most, special tokens included."""
    special: int = 2
    """Tokens that the encoder adds to every text."""
    title: int = 32
    """What the title may take of the window."""
    headings: int = 32
    """What the heading path may take of the window."""
    version: int = 1
    """Names the way of cutting and cleaning itself."""

    @classmethod
    def from_dict(cls, values: Mapping[str, int]) -> PassageRules:
        """Read rules from a manifest; a rule that is missing keeps its default.

        Raises ModelError where a rule is unknown or is no whole number, since guessing would change vectors unseen.
        """
        known = {field.name for field in fields(cls)}
        for name, value in values.items():
            if name not in known or not isinstance(value, int) or isinstance(value, bool):
                raise ModelError(
                    f"The model's manifest has a passage rule that cannot be used: {name} = {value!r}.",
                    cause="Another version of Carrel may have written it.",
                    fix="Update Carrel, or build the model again.",
                )
        return cls(**values)


DEFAULT_RULES = PassageRules()
