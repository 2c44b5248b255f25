"""Finds where in one passage a question is answered: its nearest sentence, and the words nearest to those asked.

Both are computed for the passage on the screen, by the model in use; nothing of it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.records import NearestWord

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.retrieval.search_pipeline import Model
    from engine.retrieval.searched_store import SearchedStore
    from engine.store.store_connection import StoreConnection


class NearestInPassage:
    """Looks into passages, from any thread. `model` gives the library's model, None where there is none to use."""

    def __init__(self, store: SearchedStore, model: Callable[[StoreConnection], Model | None]) -> None:
        self._store = store
        self._model = model

    def nearest_sentence(self, query: str, text: str) -> tuple[int, int] | None:
        """Return the span of the sentence of a text that is nearest in meaning to a query; None without a model."""
        from engine.retrieval.snippet import nearest_sentence

        with self._store.searching() as connection:
            model, meaning = self._asked(connection, query)
        return nearest_sentence(model.encode, meaning, text) if model is not None else None

    def nearest_words(self, query: str, text: str, kind: str = "") -> tuple[NearestWord, ...]:
        """Return for each word of a query the word of a passage that is nearest to it in meaning, at most five others.

        `kind` is that of the passage's document, for its markup. Empty without a model, where the model gives one
        vector for a whole text, where its cuts are not fitted yet, and where the query has only stop words.
        """
        from engine.retrieval.word_link_calibration import cuts_of
        from engine.retrieval.word_links import TokenEncoder, nearest_words

        with self._store.searching() as connection:
            model, meaning = self._asked(connection, query)
            cuts = cuts_of(connection, model.id, model.name) if model is not None else None
        if model is None or cuts is None or not isinstance(model.encoder, TokenEncoder):
            return ()
        return nearest_words(model.encoder, meaning, text, cuts, kind)

    def _asked(self, connection: StoreConnection, query: str) -> tuple[Model | None, str]:
        """Return the model, None where it cannot answer, and what of a query it sees."""
        from engine.retrieval.query import parse

        meaning = parse(query, typing=True).meaning
        model = self._model(connection) if meaning.strip() else None
        return (model if model is not None and model.reads(meaning) else None), meaning
