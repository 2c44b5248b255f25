"""How long a model would take to embed a library on this machine: a rate measured here, scaled by the model's size.

What a passage costs goes with the weights of the layers, not with those of the vocabulary, of which one row a token is
read: a multilingual model's vocabulary is three quarters of its file. It is an estimate; a busy machine, long passages
and the kind of the graph move it by half.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from engine.embedding.encoder import Encoder
from engine.embedding.manifest import Manifest
from engine.embedding.out_of_domain import background_passages
from engine.figures import MEGABYTE
from engine.lazy_dataclass import dataclass

TIMED_SECONDS = 0.3  # some 30 passages on two cores, a few where other programs are at work
COST_OF_FULL_WEIGHTS = 2.1  # of a weight in 16 or 32 bits against one in 8: all-MiniLM-L6-v2, measured on AVX-512
WORDS, WORDS_OF_MANY_LANGUAGES = 30_522, 250_002  # in the vocabularies of BERT and of XLM-R
LEAST_SHARE = 0.15  # of a model's weights that its layers are, where the reckoning gives less


@dataclass(frozen=True, slots=True)
class ModelSize:
    """What a model's speed is reckoned from: megabytes of its file, bits a weight, length of vectors, languages."""

    megabytes: float
    bits: int
    dimension: int
    multilingual: bool

    @property
    def cost(self) -> float:
        """What a passage costs, in millions of weights in 8 bits."""
        weights = self.megabytes * 8 / self.bits
        vocabulary = (WORDS_OF_MANY_LANGUAGES if self.multilingual else WORDS) * self.dimension / MEGABYTE
        layers = max(weights - vocabulary, LEAST_SHARE * weights)
        return layers * (1.0 if self.bits == 8 else COST_OF_FULL_WEIGHTS)


def size_of(manifest: Manifest, megabytes: float) -> ModelSize:
    """Return the size of a model that is here."""
    bits = 8 if manifest.quantisation == "int8" else 32
    return ModelSize(megabytes, bits, manifest.dimension, manifest.language.startswith("multilingual"))


def measured_rate(folder: Path) -> float:
    """Return how many passages a second the model of a folder embeds here, now, on all cores; takes half a second."""
    cores = os.cpu_count() or 1
    texts = background_passages()
    encoder = Encoder(folder, sessions=cores)
    encoder.encode_passages(texts[:1])
    done, began, took = 0, time.perf_counter(), 0.0
    while took < TIMED_SECONDS and done + cores < len(texts):
        encoder.encode_passages(texts[done + 1 : done + 1 + cores])
        done += cores
        took = time.perf_counter() - began
    return done / max(took, 1e-6)
