"""An encoder without a model, for tests: hashed bags of words, so that texts that share words lie near each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.embedding.manifest import Manifest

_TOKEN = re.compile(r"\w+|\S")


class FakeEncoder:
    """Has the interface of `engine.embedding.encoder.Encoder`; a text's vector is the signed count of its words."""

    def __init__(self, dimension: int = 64) -> None:
        self.manifest = Manifest(
            id="fake",
            revision="1",
            dimension=dimension,
            pooling="mean",
            normalised=True,
            query_prefix="",
            passage_prefix="",
            window=256,
            quantisation="none",
            file_sha256="",
            background_cosine=0.0,
            language="en",
            license="MIT",
            source="made for tests",
        )

    def load_ahead(self) -> None:
        """Have nothing to load."""

    def reads(self, text: str) -> bool:
        """Read every writing."""
        return True

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, shape (dimension,), of unit length."""
        vector = np.zeros(self.manifest.dimension, dtype=np.float32)
        for token in _TOKEN.findall(text.lower()):
            digest = hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            number = int.from_bytes(digest, "little")
            vector[(number >> 1) % self.manifest.dimension] += 1.0 if number & 1 else -1.0
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            vector[0] = length = 1.0
        unit: NDArray[np.float32] = vector / np.float32(length)
        return unit

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of queries, shape (n, dimension), in order."""
        if not texts:
            return np.empty((0, self.manifest.dimension), dtype=np.float32)
        return np.stack([self.encode_query(text) for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, shape (n, dimension), in order."""
        return self.encode_queries(texts)

    def token_starts(self, text: str) -> list[int]:
        """Return where each word or sign starts, in code points."""
        return [match.start() for match in _TOKEN.finditer(text)]

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
