"""Keeps the writings of a file that holds several, as a mailbox does: each is found by its own title, names and date.

Their passages are those of the document on the page of their number; the document itself stays one, as its file is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

from engine.records import Document, Entry
from engine.store import stored_values
from engine.store.own_words import own_date, own_words
from engine.store.row_mapping import Row, storable, tag_text

if TYPE_CHECKING:
    import apsw

COLUMNS = ("title", "tags", "own_words", "own_date", "metadata")
SINCE = 5  # the version of the schema that first knew them
NONE_YET = f"CREATE TEMP TABLE IF NOT EXISTS entry(document_id, number, {', '.join(COLUMNS)})"
"""Stands in for them where an older library can be read and not written, so that it is searched as it is."""
MOST_ENTRIES = 2**53  # far above any mailbox, and held exactly by SQLite and by JSON
WORDS = 3  # of the columns: those that the word index holds with every passage
Rows: TypeAlias = "Mapping[int, Row]"

_WRITTEN = "iif(json_valid(metadata), json(metadata), json('{}'))"
AS_JSON = f"""(SELECT json_group_array(
    json_object('number', number, 'title', title, 'metadata', {_WRITTEN}, 'tags', tags) ORDER BY number)
    FROM entry WHERE document_id = document.id)"""  # of a row of `document`: what `from_json` reads


def rows_of(document: Document) -> Rows:
    """Return the values of COLUMNS for each writing of a document, by number."""
    return {each.number: _row(each) for each in document.entries}


def _row(entry: Entry) -> Row:
    title = storable(entry.title)
    said = storable(own_words(entry.metadata, entry.title))
    return (title, tag_text(entry.tags), said, own_date(entry.metadata), json.dumps(dict(entry.metadata)))


def stored(conn: apsw.Connection, document_id: int) -> Rows:
    """Return the values of COLUMNS for each writing that the library has of a document, by number."""
    found = conn.execute(f"SELECT number, {', '.join(COLUMNS)} FROM entry WHERE document_id = ?", (document_id,))
    return {cast(int, row[0]): row[1:] for row in found}


def write(conn: apsw.Connection, document_id: int, before: Rows, now: Rows) -> None:
    """Write down the writings of a document, those that differ from what was stored `before`."""
    gone = [(document_id, number) for number in before if number not in now]
    conn.executemany("DELETE FROM entry WHERE document_id = ? AND number = ?", gone)
    conn.executemany(
        f"INSERT OR REPLACE INTO entry(document_id, number, {', '.join(COLUMNS)}) VALUES(?, ?{', ?' * len(COLUMNS)})",
        [(document_id, number, *row) for number, row in now.items() if before.get(number) != row],
    )


def words(rows: Rows, page: object) -> Row:
    """Return what the word index holds of the writing on a page, with each passage of it."""
    row = rows.get(page) if isinstance(page, int) else None
    return row[:WORDS] if row is not None else ()


def from_json(written: object) -> tuple[Entry, ...]:
    """Read what `AS_JSON` gives; raises ValueError for what it never does."""
    found = json.loads(written) if isinstance(written, str) else None
    if not isinstance(found, list):
        raise ValueError("writings that are no list")
    return tuple(entry_of(each) for each in found)


def entry_of(record: object) -> Entry:
    """Read one writing, of which `tags` is one text. Raises ValueError for what is none."""
    if not isinstance(record, dict):
        raise ValueError("a writing that is no object")
    number, title, tags = record.get("number"), record.get("title"), record.get("tags")
    said = stored_values.metadata(json.dumps(record.get("metadata")))
    if (
        type(number) is not int
        or not 1 <= number <= MOST_ENTRIES
        or not isinstance(title, str)
        or not isinstance(tags, str)
        or said is None
    ):
        raise ValueError("a writing that cannot be read")
    return Entry(number, title, said, tuple(tags.split()))
