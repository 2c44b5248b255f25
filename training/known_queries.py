"""A query with the grades of the documents that answer it, in the form that every source of queries gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LABELLED = frozenset({"judged", "marked"})  # origins where a person said what is right


@dataclass(frozen=True, slots=True)
class KnownQuery:
    """A query, where it comes from, and the grades of the documents that answer it, by document id, all above 0.

    `passages` are the ids of the very passages where they are known. A query without documents is unlabelled: it
    teaches by what the fused search finds, and can judge nothing.
    """

    text: str
    origin: str
    relevant: Mapping[int, int] = field(default_factory=dict)
    passages: tuple[int, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether a person said what answers it."""
        return self.origin in LABELLED

    def to_json(self) -> dict[str, Any]:
        """Give the query as JSON takes it."""
        return {**asdict(self), "relevant": [[document, grade] for document, grade in self.relevant.items()]}

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> KnownQuery:
        """Read what `to_json` gave."""
        return cls(
            written["text"], written["origin"], dict(map(tuple, written["relevant"])), tuple(written["passages"])
        )
