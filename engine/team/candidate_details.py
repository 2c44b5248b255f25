"""What a search asks of each of its candidates before any is shown: brought with the legs, in the same trip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from engine.retrieval.unread_passages import SUSPICIOUS_LENGTH
from engine.team.brought_passages import Details
from engine.team.phrase_sql import Sql
from engine.team.row_lookups import DOCUMENT, ENTRY

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

_COLUMNS = f"""p.document_id, coalesce(e.number, 0), d.path, p.ordinal, p.hash < '\\x00000001'::bytea,
    CASE WHEN octet_length(p.text) > {SUSPICIOUS_LENGTH}::float8 * length(p.text) THEN p.text END"""
NAMES = "document, number, path, ordinal, is_data, text"
WIDTH = 6  # columns


def of_passage(where: str = "") -> str:
    """Return what selects the details of one passage, the number of which is `c.passage`, under `NAMES`.

    OFFSET has each looked up by itself: the planner would read all passages for some hundred.
    """
    return f"""SELECT {_COLUMNS} FROM (
            SELECT * FROM passage WHERE folder_id = (c.passage >> 32)::integer AND id = c.passage {where} OFFSET 0
        ) AS p {DOCUMENT} {ENTRY}"""


def asking(passages: Sequence[int]) -> Sql:
    """Return what selects the details of these passages, each behind its number."""
    return Sql(
        f"SELECT c.passage, t.* FROM unnest(%s::bigint[]) AS c(passage), LATERAL ({of_passage()}) AS t({NAMES})",
        (list(passages),),
    )


def keep(snapshot: Snapshot, rows: Iterable[tuple[Any, ...]]) -> None:
    """Keep rows of number and details; of which the document is None, there was no room to bring them."""
    snapshot.brought.details.update((row[0], Details(*row)) for row in rows if row[1] is not None)


def keep_asked(snapshot: Snapshot, passages: Sequence[int]) -> None:
    """Keep what was asked ahead of these passages."""
    keep(snapshot, snapshot.answer(asking(passages)))
    for each in passages:
        snapshot.brought.details.setdefault(each, None)


def details(snapshot: Snapshot, passages: Sequence[int]) -> Iterator[Details]:
    """Give the details of those of these passages that are there; what was not brought is asked for now."""
    known = snapshot.brought.details
    missing = [each for each in dict.fromkeys(passages) if each not in known]
    if missing:
        keep_asked(snapshot, missing)
    for each in passages:
        if (found := known[each]) is not None:
            yield found
