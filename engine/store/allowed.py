"""What a search may find at all, as its filters, quoted phrases and exclusions say; each store makes SQL of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from engine.lazy_dataclass import dataclass
from engine.records import Filters
from engine.store.phrase import Phrase


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which passages both legs may draw from; without arguments, all.

    A passage is allowed where its document, or in a file of several its entry, passes the `filters`, and it matches
    each of the `required` phrases and none of the `excluded`. `across` has, of phrases that reach over the borders of
    passages, the passages on both sides: they count as holding it. Those of the document `other_than` are out.
    """

    filters: Filters = Filters()
    required: tuple[Phrase, ...] = ()
    excluded: tuple[Phrase, ...] = ()
    across: Mapping[Phrase, tuple[int, ...]] = field(default_factory=dict)
    other_than: int | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is restricted."""
        return (
            not self.filters
            and not self.filters.hidden
            and not self.required
            and not self.excluded
            and self.other_than is None
        )


EVERYTHING = Allowed()
