"""What a search asks of passages of a team's library before they are shown, and lists that no word asks for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from engine.retrieval.unread_passages import SUSPICIOUS_LENGTH
from engine.store.allowed import Allowed
from engine.team.candidate_details import details
from engine.team.phrase_sql import Sql
from engine.team.row_lookups import BY_ID, DOCUMENT, ENTRY
from engine.team.team_filters import allowed_sql
from engine.team.team_schema import DOCUMENT_BITS

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

_PICTURE = "\ufe0f"  # asks for the coloured form of the sign before it


def places(snapshot: Snapshot, ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return each passage with its document and the entry in it, 0 where there is none, in order of path."""
    found = sorted(details(snapshot, ids), key=lambda each: each.place)
    return [(each.passage, each.document, each.number) for each in found]


def held_back_among(snapshot: Snapshot, ids: Sequence[int]) -> list[int]:
    """Return which of these passages are data, which are found by words alone."""
    return [each.passage for each in details(snapshot, ids) if each.is_data]


def texts_of_many_bytes(snapshot: Snapshot, ids: Sequence[int], ratio: float) -> list[tuple[int, str]]:
    """Return the passages, with their texts, that have more than so many bytes a code point."""
    if ratio == SUSPICIOUS_LENGTH:
        return [(each.passage, each.text) for each in details(snapshot, ids) if each.text is not None]
    sql = f"SELECT p.id, p.text FROM {BY_ID} WHERE octet_length(p.text) > %s::float8 * length(p.text)"
    return snapshot.rows(sql, (list(ids), ratio))


def around(snapshot: Snapshot, ids: Sequence[int], reach: int) -> list[tuple[int, int]]:
    """Return for each passage those that stand at most `reach` before or behind it, itself among them."""
    return snapshot.answer(standing_around(ids, reach))


def standing_around(ids: Sequence[int], reach: int) -> Sql:
    """Return what selects the pairs of a passage and one around it.

    A mailbox is no document: what stands beside a message there is another message.
    """
    return Sql(
        f"""SELECT p.id, there.id FROM {BY_ID} {DOCUMENT} CROSS JOIN LATERAL (
            SELECT id, page FROM passage WHERE folder_id = p.folder_id AND document_id = p.document_id
                AND ordinal BETWEEN p.ordinal - %s AND p.ordinal + %s OFFSET 0) AS there
        WHERE there.page IS NOT DISTINCT FROM p.page OR d.entries = 0 ORDER BY p.id, there.id""",
        (list(ids), reach, reach),
    )


def newest(snapshot: Snapshot, allowed: Allowed, limit: int) -> list[tuple[int, int, int]]:
    """Return documents of latest date by their first allowed passage, with the document and the entry or 0."""
    within = allowed_sql(snapshot, allowed)
    clause = f"AND p.id IN ({within.text})" if within is not None else ""
    values = within.values if within is not None else ()
    return snapshot.rows(
        f"""SELECT id, document_id, number FROM (
            (SELECT DISTINCT ON (d.mtime_ns, d.path, d.folder_id) p.id, p.document_id, 0::bigint AS number,
                d.mtime_ns::float8 AS at, d.path, d.folder_id
            FROM document d JOIN passage p ON p.folder_id = d.folder_id AND p.document_id = d.id
            WHERE d.entries = 0 {clause} ORDER BY d.mtime_ns DESC, d.path, d.folder_id, p.ordinal LIMIT %s)
            UNION ALL
            (SELECT id, document_id, number, at, path, folder_id FROM (
                SELECT DISTINCT ON (p.document_id, e.number) p.id, p.document_id, e.number,
                    least(coalesce(e.own_date * 1e9, d.mtime_ns), d.mtime_ns) AS at, d.path, d.folder_id
                FROM document d JOIN passage p ON p.folder_id = d.folder_id AND p.document_id = d.id
                JOIN entry e ON e.folder_id = p.folder_id AND e.document_id = p.document_id AND e.number = p.page
                WHERE d.entries > 0 {clause} ORDER BY p.document_id, e.number, p.ordinal
            ) AS held ORDER BY at DESC, path, folder_id, number LIMIT %s)
        ) AS found ORDER BY at DESC, path, folder_id, number LIMIT %s""",
        (*values, limit, *values, limit, limit),
    )


def documents_by_date(snapshot: Snapshot) -> list[int]:
    """Return all documents, newest first."""
    rows = snapshot.rows("SELECT id FROM document ORDER BY mtime_ns DESC, path, folder_id")
    return [each for (each,) in rows]


def passages_in(snapshot: Snapshot, documents: Sequence[int]) -> int:
    """Return how many passages these documents have."""
    return int(snapshot.value(f"SELECT count(*) {_of(DOCUMENT_BITS)}", (list(documents),)))


def holding_signs(
    snapshot: Snapshot, signs: Sequence[str], allowed: Allowed, documents: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return the first passages of these documents that hold all signs in text, title or path, in their order."""
    wanted = [(sign.rstrip(_PICTURE) or sign).replace("\0", "") for sign in signs]
    holds = " AND ".join(
        ["(strpos(p.text, %s) > 0 OR strpos(d.title, %s) > 0 OR strpos(d.path_text, %s) > 0)"] * len(wanted)
    )
    within = allowed_sql(snapshot, allowed) or Sql("SELECT p.id FROM passage p")
    return snapshot.rows(
        f"""SELECT id, document_id, number FROM (
            SELECT DISTINCT ON (w.place, e.number) p.id, p.document_id, coalesce(e.number, 0) AS number,
                w.place, e.own_date {_of(DOCUMENT_BITS)} {DOCUMENT} {ENTRY}
            WHERE {holds} AND p.id IN ({within.text}) ORDER BY w.place, e.number, p.ordinal
        ) AS found ORDER BY place, own_date DESC NULLS LAST""",
        (list(documents), *chain.from_iterable((each,) * 3 for each in wanted), *within.values),
    )


def _of(bits: int) -> str:
    return f"""FROM unnest(%s::bigint[]) WITH ORDINALITY AS w(id, place)
    JOIN passage p ON p.folder_id = (w.id >> {bits})::integer AND p.document_id = w.id"""
