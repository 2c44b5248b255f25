"""Finds the passages that the encoder cannot read: their cosine has no say, and the words that they hold speak instead.

A passage that holds all words of the query counts as near as the nearest that the encoder reads; one that holds none
counts as far. So a row that holds the word is never below one that does not, whatever a vector of noise would say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

Reads: TypeAlias = Callable[[str], bool]
"""Whether an encoder reads a text."""

# Letters that are not Latin take two to four bytes. Half of a text's letters in such a writing, among blanks and
# digits, make it longer than this in bytes a code point; only such texts are looked at.
SUSPICIOUS_LENGTH = 1.25


def everything(_text: str) -> bool:
    """Read every text: what an encoder does that says nothing of itself."""
    return True


def unread(connection: StoreConnection, ids: NDArray[np.int64], reads: Reads) -> NDArray[np.bool_]:
    """Return which of these passages (n,) the encoder cannot read, a mask of shape (n,)."""
    if reads is everything or not len(ids):
        return np.zeros(len(ids), np.bool_)
    rows = connection.texts_of_many_bytes(ids.tolist(), SUSPICIOUS_LENGTH)
    return np.isin(ids, [passage for passage, text in rows if not reads(text)])
