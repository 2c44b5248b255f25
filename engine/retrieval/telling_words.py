"""Words that would find a document: those that stand in it often, and in the library seldom."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.search_pipeline import Search
from engine.store.bm25 import idf
from engine.store.tokenizer import of_stem, tokens

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

SUGGESTED_WORDS = 3
TITLE_WEIGHT = 4  # how often a word of the title or a heading counts
READ_FOR_WORDS = 20_000  # code points of a passage that are looked through for telling words


def telling_words(connection: StoreConnection, search: Search, own: NDArray[np.int64]) -> tuple[str, ...]:
    """Return telling words that a query lacks, of the best of the passages at these positions of its candidates."""
    if not len(own):
        return ()
    candidates = search.gathered.candidates
    best = int(candidates.ids[own[int(np.argmax(np.nan_to_num(candidates.cosine[own], nan=-2.0)))]])
    row = connection.rows_for([best]).get(best)
    if row is None:
        return ()
    title = f"{row.title} {' '.join(row.headings)} "
    text = title + row.text[:READ_FOR_WORDS]
    words: dict[str, str] = {}
    weight: Counter[str] = Counter()
    for token in tokens(text):
        word = text[token.start : token.end]
        if len(word) > 3 and word.isalpha():
            words.setdefault(token.stem, word.lower())
            weight[token.stem] += TITLE_WEIGHT if token.end < len(title) else 1
    for token in tokens(search.query.meaning):
        weight.pop(token.stem, None)
    known = {stem: of_stem(stem) for stem in weight}
    counts = connection.document_frequencies([term for terms in known.values() for term in terms])
    frequencies = {stem: sum(counts[term] for term in terms) for stem, terms in known.items()}
    rows = search.fts_query.rows
    telling = sorted(weight, key=lambda stem: -math.log1p(weight[stem]) * idf(frequencies[stem], rows))
    return tuple(words[stem] for stem in telling[:SUGGESTED_WORDS])
