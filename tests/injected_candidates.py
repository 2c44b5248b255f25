"""Candidates of a known kind, made from the token states of the embedded model: one is harmless, four are ruined.

What each does to a model is what happens in practice: tokens counted or not, a window too short, dimensions cut off, a
bad quantisation, the wrong pooling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.embedding.encoder import Encoder, unit

Floats = NDArray[np.float32]
FIRST_TOKENS = 40
NOISE = 0.05  # of a component, beside components of some .05 each
SEED = 11

Pooling = Callable[[Floats], Floats]


def _half(states: Floats) -> Floats:
    mean: Floats = states.mean(axis=0)
    return mean[: len(mean) // 2]


POOLINGS: dict[str, Pooling] = {
    "embedded": lambda states: states.mean(axis=0),
    "harmless": lambda states: states[1:-1].mean(axis=0) if len(states) > 2 else states.mean(axis=0),
    "first 40 tokens": lambda states: states.mean(axis=0),  # of a text that was cut before
    "half of the dimensions": _half,
    "noise": lambda states: unit(states.mean(axis=0)),  # which is added to what comes out
    "[CLS] for the mean": lambda states: states[0],
}
INJECTED = tuple(POOLINGS)[1:]


class TokenStates:
    """The states of each text's tokens under an encoder, (tokens, dimension), each text run once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, int | None], Floats] = {}

    def of(self, text: str, tokens: int | None = None) -> Floats:
        """Return the states of a text, or of its first tokens."""
        key = text, tokens
        if key not in self._known:
            self._known[key] = self._run(text, tokens)
        return self._known[key]

    def _run(self, text: str, tokens: int | None) -> Floats:
        ids = self._encoder._tokenizer().ids(text)
        ids = ids if tokens is None or len(ids) <= tokens else [*ids[: tokens - 1], ids[-1]]
        row = np.array([ids], np.int64)
        given = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        session = self._encoder._model()
        found: Floats = session.run(None, {name: given[name] for name in self._encoder._inputs})[0][0]
        return found


def vectors(states: TokenStates, texts: Sequence[str], candidate: str) -> Floats:
    """Return the unit vectors of texts under a candidate, (texts, dimension); the same noise each time."""
    tokens = FIRST_TOKENS if candidate == "first 40 tokens" else None
    found = [POOLINGS[candidate](states.of(text, tokens)) for text in texts]
    if candidate == "noise":
        noise = [_noise(text, len(vector)) for text, vector in zip(texts, found, strict=True)]
        found = [vector + each for vector, each in zip(found, noise, strict=True)]
    return np.stack([unit(vector.astype(np.float32)) for vector in found])


def _noise(text: str, dimension: int) -> Floats:
    generator = np.random.default_rng([SEED, *text.encode()[:64]])
    return generator.normal(0, NOISE, dimension).astype(np.float32)
