"""What changes in a team's library where a document takes the place of the one at its path: worked out, then written.

All of it happens in one transaction that holds the row of the folder's state: changes of a folder follow one another,
and its `version` counts them in the order in which they are committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.errors import TeamRefused
from engine.lazy_dataclass import dataclass
from engine.records import is_held_back
from engine.store.passage_matching import match
from engine.team.document_rows import (
    DOCUMENT_COLUMNS,
    ENTRY_COLUMNS,
    PASSAGE_COLUMNS,
    document_row,
    entry_row,
    held,
    passage_row,
    wordings,
)
from engine.team.passage_postings import Words, merged, summed, words_of
from engine.team.published import PublishedDocument, PublishedPassage
from engine.team.team_schema import DOCUMENT_BITS, PASSAGE_BITS
from engine.team.vector_bytes import unit

if TYPE_CHECKING:
    import psycopg

CHANGES_KEPT = 10_000  # of a folder: who was away for longer reads all anew
POSTINGS_AT_ONCE = 20_000  # about a megabyte of parameters
_QUOTED = {"end": '"end"'}


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(_QUOTED.get(each, each) for each in columns)


_INSERT_DOCUMENT = (
    f"INSERT INTO document({_listed(DOCUMENT_COLUMNS)}, folder_id, id) VALUES({'%s, ' * len(DOCUMENT_COLUMNS)}%s, %s)"
)
_UPDATE_DOCUMENT = (
    f"UPDATE document SET ({_listed(DOCUMENT_COLUMNS)}) = ({', '.join(['%s'] * len(DOCUMENT_COLUMNS))})"
    " WHERE folder_id = %s AND id = %s"
)
_INSERT_ENTRY = (
    f"INSERT INTO entry(folder_id, document_id, {_listed(ENTRY_COLUMNS)}) VALUES(%s, %s{', %s' * len(ENTRY_COLUMNS)})"
)
_TYPES = ("integer", "text", "text", "bigint", "bigint", "bigint", "bigint", "bigint", "bytea", "integer")
_UNNESTED = ", ".join(f"%s::{each}[]" for each in _TYPES)
_INSERT_PASSAGES = f"""INSERT INTO passage(folder_id, document_id, id, {_listed(PASSAGE_COLUMNS)})
SELECT %s, %s, * FROM unnest(%s::bigint[], {_UNNESTED})"""
_UPDATE_PASSAGES = f"""UPDATE passage SET ({_listed(PASSAGE_COLUMNS)}) = ROW({
    ", ".join(f"w.c{at}" for at in range(len(PASSAGE_COLUMNS)))
}) FROM unnest(%s::bigint[], {_UNNESTED}) AS w(id, {", ".join(f"c{at}" for at in range(len(PASSAGE_COLUMNS)))})
WHERE passage.folder_id = %s AND passage.id = w.id"""
_INSERT_POSTINGS = """INSERT INTO posting(folder_id, passage_id, term, frequency, length, place, further)
SELECT %s, id, term, frequency, length, place, further::integer[]
FROM unnest(%s::bigint[], %s::text[], %s::real[], %s::integer[], %s::integer[], %s::text[])
    AS w(id, term, frequency, length, place, further)"""
_COUNT = """INSERT INTO term_count AS held(folder_id, term, passages)
SELECT %s, term, change FROM unnest(%s::text[], %s::integer[]) AS w(term, change)
ON CONFLICT(folder_id, term) DO UPDATE SET passages = held.passages + excluded.passages"""


@dataclass(frozen=True, slots=True)
class State:
    """A folder's state, locked for this transaction: the version that this one makes, and the next free numbers."""

    folder: int
    version: int
    next_document: int
    next_passage: int
    path: bytes


def begin(conn: psycopg.Connection, folder: int) -> State:
    """Lock the state of a folder and raise its version. Raises TeamRefused for a folder of somebody else."""
    row = conn.execute(
        """UPDATE folder_state SET version = version + 1, changed_at = clock_timestamp() WHERE folder_id = %s
        RETURNING version, next_document, next_passage, (SELECT path FROM folder WHERE id = folder_id)""",
        (folder,),
    ).fetchone()
    if row is None:
        raise TeamRefused(
            "This folder of the team's library is not yours.", fix="Only its owner brings documents into it."
        )
    return State(folder, *row)


def end(conn: psycopg.Connection, state: State, passages: Iterable[int]) -> None:
    """Write down which passages came or went, forget what is long past, and tell who listens once it is committed."""
    conn.execute(
        "INSERT INTO change SELECT %s, %s, unnest(%s::bigint[])",
        (state.folder, state.version, sorted(set(passages))),
    )
    if state.version % CHANGES_KEPT == 0:
        oldest = state.version - CHANGES_KEPT
        conn.execute("DELETE FROM change WHERE folder_id = %s AND version <= %s", (state.folder, oldest))
        conn.execute("UPDATE folder_state SET forgotten = %s WHERE folder_id = %s", (oldest, state.folder))
    conn.execute("SELECT pg_notify(current_schema() || '_change', '')")  # a listener need not be a member


@dataclass(frozen=True, slots=True)
class Stored:
    """What the library holds at a document's place: its number, and its passages with their rows, in order."""

    id: int
    passages: Mapping[int, tuple[Any, ...]]


def stored(conn: psycopg.Connection, folder: int, path: bytes) -> Stored | None:
    """Return the document at a path of a folder, None where there is none."""
    row = conn.execute("SELECT id FROM document WHERE folder_id = %s AND path = %s", (folder, path)).fetchone()
    if row is None:
        return None
    rows = conn.execute(
        f"SELECT id, {_listed(PASSAGE_COLUMNS)} FROM passage"
        " WHERE folder_id = %s AND document_id = %s ORDER BY ordinal",
        (folder, row[0]),
    )
    return Stored(row[0], {each[0]: each[1:] for each in rows})


HASH = PASSAGE_COLUMNS.index("hash")


def put(conn: psycopg.Connection, folder: int, document: PublishedDocument, model_id: int | None) -> None:
    """Write a document in the place of the one at its path; inside a transaction.

    Passages whose hash stays keep their number and their vector. All words of the document are written anew, since its
    title, its path and its tags are words of each passage, but postings that stay as they are are left alone.
    """
    state = begin(conn, folder)
    before = stored(conn, folder, document.path)
    old = before.passages if before is not None else {}
    matching = match([(each, row[HASH]) for each, row in old.items()], document.passages)
    fresh = {state.next_passage + at: each for at, each in enumerate(matching.fresh)}
    placed = {(folder << PASSAGE_BITS) + number: each for number, each in fresh.items()}
    number = before.id if before is not None else (folder << DOCUMENT_BITS) + state.next_document
    now = {**dict(matching.kept), **placed}
    worded = dict(zip(now, map(words_of, wordings(document, [*now.values()])), strict=True))
    _write_document(conn, state, before, number, document)
    differing = _reworded(conn, folder, worded, [each for each, _ in matching.kept])
    with conn.pipeline():
        counts = merged(
            forget_words(conn, folder, [*matching.gone, *differing]),
            summed([posting.term for posting in worded[each].postings] for each in (*differing, *placed)),
        )
        _remove_rows(conn, folder, matching.gone)
        _place(conn, folder, number, {each: passage_row(p, worded[each].length) for each, p in placed.items()})
        kept = {each: passage_row(p, worded[each].length) for each, p in matching.kept}
        _update(conn, folder, {each: row for each, row in kept.items() if row != old[each]})
        write_words(conn, folder, {each: worded[each] for each in (*differing, *placed)}, counts)
        write_vectors(conn, folder, model_id, now)
        conn.execute(
            """UPDATE folder_state SET documents = documents + %s, passages = passages + %s, tokens = tokens + %s,
            next_document = next_document + %s, next_passage = next_passage + %s WHERE folder_id = %s""",
            (
                int(before is None),
                len(placed) - len(matching.gone),
                sum(each.length for each in worded.values()) - sum(row[-1] for row in old.values()),
                int(before is None),
                len(placed),
                folder,
            ),
        )
        end(conn, state, [*placed, *matching.gone, *differing])


def _write_document(
    conn: psycopg.Connection, state: State, before: Stored | None, number: int, document: PublishedDocument
) -> None:
    values = document_row(document, state.path)
    conn.execute(_INSERT_DOCUMENT if before is None else _UPDATE_DOCUMENT, (*values, state.folder, number))
    if before is not None:
        conn.execute("DELETE FROM entry WHERE folder_id = %s AND document_id = %s", (state.folder, number))
    for entry in document.entries:
        conn.execute(_INSERT_ENTRY, (state.folder, number, *entry_row(entry, document)))


def _reworded(conn: psycopg.Connection, folder: int, worded: Mapping[int, Words], kept: Sequence[int]) -> list[int]:
    """Return the passages that stay of which the word index holds something else than their words are now."""
    if not kept:
        return []
    rows = conn.execute(
        """SELECT passage_id, array_agg(term ORDER BY term), array_agg(place ORDER BY term),
            array_agg(further::text ORDER BY term), max(length)
        FROM posting WHERE folder_id = %s AND passage_id = ANY(%s) GROUP BY passage_id""",
        (folder, list(kept)),
    )
    held_now = {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}
    return [each for each in kept if _as_held(worded[each]) != held_now.get(each, ([], [], [], None))]


def _as_held(words: Words) -> tuple[list[str], list[int], list[str | None], int | None]:
    found = sorted(words.postings, key=lambda each: each.term.encode())  # the order of collation "C"
    return (
        [each.term for each in found],
        [each.place for each in found],
        [_array(each.further) for each in found],
        words.length if found else None,
    )


def _array(numbers: Sequence[int] | None) -> str | None:
    return None if numbers is None else "{" + ",".join(map(str, numbers)) + "}"


def forget_words(conn: psycopg.Connection, folder: int, passages: Sequence[int]) -> dict[str, int]:
    """Take passages out of the word index and return by how much their going changes the counts."""
    if not passages:
        return {}
    rows = conn.execute(
        "DELETE FROM posting WHERE folder_id = %s AND passage_id = ANY(%s) RETURNING passage_id, term",
        (folder, list(passages)),
    )
    gone: dict[int, list[str]] = {}
    for passage, term in rows:
        gone.setdefault(passage, []).append(term)
    return summed(gone.values(), -1)


def write_words(
    conn: psycopg.Connection, folder: int, worded: Mapping[int, Words], counts: Sequence[tuple[str, int]]
) -> None:
    """Put passages into the word index, and bring the counts up to date."""
    rows = [
        (each, p.term, p.frequency, words.length, p.place, _array(p.further))
        for each, words in worded.items()
        for p in words.postings
    ]
    for start in range(0, len(rows), POSTINGS_AT_ONCE):
        some = rows[start : start + POSTINGS_AT_ONCE]
        conn.execute(_INSERT_POSTINGS, (folder, *map(list, zip(*some, strict=True))))
    if counts:
        conn.execute(_COUNT, (folder, *map(list, zip(*counts, strict=True))))
        spent = [term for term, change in counts if change < 0]
        conn.execute(
            "DELETE FROM term_count WHERE folder_id = %s AND term = ANY(%s) AND passages <= 0", (folder, spent)
        )


def _place(conn: psycopg.Connection, folder: int, document: int, rows: Mapping[int, tuple[object, ...]]) -> None:
    if rows:
        columns = map(list, zip(*rows.values(), strict=True))
        conn.execute(_INSERT_PASSAGES, (folder, document, [*rows], *columns))


def _update(conn: psycopg.Connection, folder: int, rows: Mapping[int, tuple[object, ...]]) -> None:
    if rows:
        columns = map(list, zip(*rows.values(), strict=True))
        conn.execute(_UPDATE_PASSAGES, ([*rows], *columns, folder))


def _remove_rows(conn: psycopg.Connection, folder: int, passages: Sequence[int]) -> None:
    """Remove passages and what every model has of them; what waited of their texts goes where nobody else has it."""
    if not passages:
        return
    ids = list(passages)
    for (model,) in conn.execute("SELECT id FROM model").fetchall():
        conn.execute(f"DELETE FROM vector_{int(model)} WHERE folder_id = %s AND passage_id = ANY(%s)", (folder, ids))
    hashes = conn.execute(
        "DELETE FROM passage WHERE folder_id = %s AND id = ANY(%s) RETURNING hash", (folder, ids)
    ).fetchall()
    conn.execute(
        """DELETE FROM pending WHERE folder_id = %s AND hash = ANY(%s) AND NOT EXISTS (
            SELECT FROM passage WHERE passage.folder_id = pending.folder_id AND passage.hash = pending.hash)""",
        (folder, [each for (each,) in hashes]),
    )


def write_vectors(
    conn: psycopg.Connection, folder: int, model_id: int | None, passages: Mapping[int, PublishedPassage]
) -> None:
    """Write the vectors that come with passages and that the model lacks, and let the other texts wait."""
    if model_id is None:
        return
    known = {each: p for each, p in passages.items() if p.vector is not None and not is_held_back(p.hash)}
    if known:
        vectors = unit(each.vector for each in known.values() if each.vector is not None)
        conn.execute(
            f"""INSERT INTO vector_{int(model_id)}(folder_id, passage_id, embedding)
            SELECT %s, * FROM unnest(%s::bigint[], %b) ON CONFLICT DO NOTHING""",
            (folder, [*known], vectors),
        )
    waiting = {p.hash: held(p.waiting) for p in passages.values() if p.vector is None and p.waiting is not None}
    conn.execute(
        "DELETE FROM pending WHERE folder_id = %s AND model_id = %s AND hash = ANY(%s)",
        (folder, model_id, [p.hash for p in known.values()]),
    )
    if waiting:
        conn.execute(
            """INSERT INTO pending(folder_id, model_id, hash, text, priority)
            SELECT %s, %s, hash, text, extract(epoch FROM now()) FROM unnest(%s::bytea[], %s::text[]) AS w(hash, text)
            ON CONFLICT DO NOTHING""",
            (folder, model_id, [*waiting], [*waiting.values()]),
        )


def remove(conn: psycopg.Connection, folder: int, paths: Sequence[bytes]) -> None:
    """Forget the documents at these paths; inside a transaction."""
    state = begin(conn, folder)
    documents = [
        each
        for (each,) in conn.execute(
            "SELECT id FROM document WHERE folder_id = %s AND path = ANY(%s)", (folder, list(paths))
        )
    ]
    rows = conn.execute(
        "SELECT id, length FROM passage WHERE folder_id = %s AND document_id = ANY(%s)", (folder, documents)
    ).fetchall()
    ids = [each for each, _ in rows]
    write_words(conn, folder, {}, merged(forget_words(conn, folder, ids)))
    _remove_rows(conn, folder, ids)
    conn.execute("DELETE FROM document WHERE folder_id = %s AND id = ANY(%s)", (folder, documents))
    conn.execute(
        "UPDATE folder_state SET documents = documents - %s, passages = passages - %s, tokens = tokens - %s"
        " WHERE folder_id = %s",
        (len(documents), len(ids), sum(length for _, length in rows), folder),
    )
    end(conn, state, ids)
