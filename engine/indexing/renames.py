"""Which moved documents must be read again: most are found under their new name as they are."""

from __future__ import annotations

import apsw

from engine.indexing.moves import Move, reads_alike, title_of

SPACES = "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace())  # U+3000 is the last of them


def must_be_read(conn: apsw.Connection, move: Move) -> bool:
    """Whether a moved file says something else under its new name.

    It does where the name chooses another reader, and where a passage has no words: then the name is what is embedded.
    """
    known, path = move.vanished.known, move.work.path
    if not reads_alike(known.path, path):
        return True
    if known.title_written or title_of(path) == known.title:
        return False
    found = conn.execute(
        "SELECT 1 FROM passage WHERE document_id = ? AND trim(text, ?) = '' LIMIT 1", (known.id, SPACES)
    )
    return found.get is not None
