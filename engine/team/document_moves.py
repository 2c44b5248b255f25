"""Gives documents of a team's library other paths, and their words anew from what the library itself holds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.paths import display
from engine.store.folding import fold
from engine.store.fulltext import made_by
from engine.team.document_changes import begin, end, forget_words, remove, write_words
from engine.team.document_rows import held
from engine.team.passage_postings import Wording, merged, summed, words_of

if TYPE_CHECKING:
    import psycopg

_LEAVING = b"\0"  # behind a path that a document leaves: no file has such a name
_WORDING = """SELECT p.id,
    coalesce(nullif(e.title, ''), CASE d.aliases WHEN '' THEN d.title ELSE d.title || chr(10) || d.aliases END),
    coalesce(p.headings, ''), p.text, d.kind, d.path_text,
    CASE coalesce(e.own_words, d.own_words) WHEN '' THEN coalesce(e.tags, d.tags)
        ELSE coalesce(e.tags, d.tags) || chr(10) || coalesce(e.own_words, d.own_words) END
FROM passage p JOIN document d ON d.folder_id = p.folder_id AND d.id = p.document_id
LEFT JOIN entry e ON e.folder_id = p.folder_id AND e.document_id = p.document_id AND e.number = p.page
WHERE p.folder_id = %s AND p.document_id = ANY(%s)"""
_AT_ONCE = 200  # documents whose words are made anew together


def move(conn: psycopg.Connection, folder: int, moved: Mapping[bytes, bytes]) -> None:
    """Give documents their new paths, by the old ones; numbers and vectors stay; inside a transaction.

    Paths may change hands. What stood at a new path and does not move itself is forgotten. The revision of what moved
    is forgotten, so that it is brought anew where more than its path is another.
    """
    there = conn.execute(
        "SELECT path, id FROM document WHERE folder_id = %s AND path = ANY(%s)", (folder, [*moved])
    ).fetchall()
    ids: dict[bytes, int] = dict(there)
    taken = [moved[path] for path in ids if moved[path] not in ids]
    remove(conn, folder, taken)
    state = begin(conn, folder)
    conn.execute(
        "UPDATE document SET path = path || %s::bytea WHERE folder_id = %s AND id = ANY(%s)",
        (_LEAVING, folder, [*ids.values()]),
    )
    root = state.path.decode("utf-8", "replace")
    for old, number in ids.items():
        shown = held(display(moved[old]))
        conn.execute(
            """UPDATE document SET path = %s, path_text = %s, place_folded = %s, path_lower = %s, revision = ''
            WHERE folder_id = %s AND id = %s""",
            (moved[old], shown, held(fold(f"{root}/{shown}")), shown.encode().lower().decode(), folder, number),
        )
    end(conn, state, _reword(conn, folder, [*ids.values()]))


def renew_words(conn: psycopg.Connection, folder: int) -> bool:
    """Make the words of a whole folder anew where other rules made them; inside a transaction. Returns whether it did.

    Rules change with Carrel and with the letters that its Python knows.
    """
    row = conn.execute("SELECT words_made_by FROM folder_state WHERE folder_id = %s", (folder,)).fetchone()
    if row is None or row[0] == made_by():
        return False
    state = begin(conn, folder)
    documents = [each for (each,) in conn.execute("SELECT id FROM document WHERE folder_id = %s", (folder,))]
    renewed: list[int] = []
    for start in range(0, len(documents), _AT_ONCE):
        renewed += _reword(conn, folder, documents[start : start + _AT_ONCE])
    conn.execute("UPDATE folder_state SET words_made_by = %s WHERE folder_id = %s", (made_by(), folder))
    end(conn, state, renewed)
    return True


def _reword(conn: psycopg.Connection, folder: int, documents: Sequence[int]) -> list[int]:
    """Write the words of documents anew from their rows, and return their passages."""
    rows = conn.execute(_WORDING, (folder, list(documents))).fetchall()
    worded = {each: words_of(Wording(*columns)) for each, *columns in rows}
    lengths: dict[int, int] = dict(
        conn.execute("SELECT id, length FROM passage WHERE folder_id = %s AND id = ANY(%s)", (folder, [*worded]))
    )
    counts = merged(
        forget_words(conn, folder, [*worded]),
        summed([posting.term for posting in words.postings] for words in worded.values()),
    )
    write_words(conn, folder, worded, counts)
    conn.execute(
        """UPDATE passage SET length = w.length FROM unnest(%s::bigint[], %s::integer[]) AS w(id, length)
        WHERE passage.folder_id = %s AND passage.id = w.id""",
        ([*worded], [each.length for each in worded.values()], folder),
    )
    grown = sum(words.length - lengths[each] for each, words in worded.items())
    conn.execute("UPDATE folder_state SET tokens = tokens + %s WHERE folder_id = %s", (grown, folder))
    return [*worded]
