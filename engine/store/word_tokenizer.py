"""Gives a connection to FTS5's tokeniser. The rules come with the first text that is split: their patterns take 20 ms.

Opening a library and looking at it splits no text, so that what only looks loads no rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import cast

import apsw

from engine.store.folding import fold_name
from engine.store.phrase import EITHER

NAME = "words"  # by which a library's schema asks for this tokeniser
_SHORT_BYTES = 256


def register(conn: apsw.Connection) -> None:
    """Let a connection read and write the word index of a library, and fold names as it does: `folded(TEXT)`."""
    conn.register_fts5_tokenizer(NAME, _factory)
    conn.create_scalar_function("folded", fold_name, 1, deterministic=True)


def _factory(_conn: apsw.Connection, _args: list[str]) -> apsw.FTS5Tokenizer:
    return cast("apsw.FTS5Tokenizer", _tokenize)


def _tokenize(utf8: bytes, flags: int, _locale: str | None) -> Iterable[tuple[str, ...]]:
    """Tokenise for FTS5: text that is indexed by the rules, and a phrase (`engine.store.phrase`) into its terms."""
    if flags & apsw.FTS5_TOKENIZE_QUERY:
        return [tuple(place.split(EITHER)) for place in utf8.decode("utf-8", "replace").split()]
    return _lately_split(utf8) if len(utf8) <= _SHORT_BYTES else _split(utf8)


def _split(utf8: bytes) -> list[tuple[str, ...]]:
    from engine.store.tokenizer import of_kind, terms

    return terms(*of_kind(utf8.decode("utf-8", "replace")))


_lately_split = lru_cache(256)(_split)  # the title, the path and the tags of a document come with each of its passages
