"""What stems the library knows, asked while a word is still being typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import apsw


def folded(connection: apsw.Connection, word: str) -> str:
    """Return a word as the index folds it before stemming: lower case, without diacritics."""
    import apsw

    tokeniser = connection.fts5_tokenizer("unicode61", ["remove_diacritics", "2"])
    found = tokeniser(
        word.encode("utf-8", "replace"),
        apsw.FTS5_TOKENIZE_DOCUMENT,
        None,
        include_offsets=False,
        include_colocated=False,
    )
    return "".join(str(token) for token in found)


def vocabulary_has(connection: apsw.Connection, prefix: str) -> bool:
    """Tell whether any stem of the library begins so."""
    last = prefix + chr(0x10FFFF)
    found = connection.execute("SELECT 1 FROM passage_vocab WHERE term >= ? AND term < ? LIMIT 1", (prefix, last))
    return found.fetchone() is not None
