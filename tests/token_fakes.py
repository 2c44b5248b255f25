"""Encoders without a model that give token vectors, or say that they have none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from fake_encoder import FakeEncoder
from numpy.typing import NDArray

from engine.embedding.token_vectors import TokenVectors
from engine.store.tokenizer import tokens


class OneVector(FakeEncoder):
    """A model that gives one vector for a whole text."""

    def encode_query_tokens(self, text: str) -> TokenVectors | None:
        return None

    encode_passage_tokens = encode_query_tokens


class TokenFake(FakeEncoder):
    """A model whose tokens are words; those of one first letter lie near each other."""

    def encode_query_tokens(self, text: str) -> TokenVectors | None:
        places = [(token.start, token.end) for token in tokens(text)]
        spans = np.array(places, np.int64).reshape(-1, 2)
        return TokenVectors(spans, self._of_words([text[start:end] for start, end in places]))

    encode_passage_tokens = encode_query_tokens

    def _of_words(self, words: Sequence[str]) -> NDArray[np.float32]:
        vectors = self.encode_queries(words) + 2.0 * self.encode_queries([word[0] for word in words])
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9) if len(words) else vectors
