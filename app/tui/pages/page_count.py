"""How many pages a document has."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.records import StoredDocument, StoredPassage


def page_count(document: StoredDocument, passages: Callable[[], Iterable[StoredPassage]]) -> int:
    """Return the pages that its reader counted, else the page of its last passage; 0 where it has none.

    `passages` fetches the document's passages, and is called only where the reader left no count.
    """
    counted = str(document.metadata.get("pages", ""))
    return int(counted) if counted.isdecimal() else max((each.page or 0 for each in passages()), default=0)
