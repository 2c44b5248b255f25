"""What is found out about a model once its files are in place: its scale, its foreign vectors, its passage rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from engine.embedding.encoder import Encoder
from engine.embedding.manifest import DEFAULT_PASSAGE_RULES, TOKENIZER_FILE, Manifest
from engine.embedding.out_of_domain import background_cosine, store_foreign_vectors
from engine.embedding.tokenization import plain_tokenizer


def measure(folder: Path, *, sessions: int = 1) -> Manifest:
    """Encode the shipped texts with the model in `folder`, write what they tell into it, and return the manifest."""
    encoder = Encoder(folder, sessions=sessions)
    queries = store_foreign_vectors(encoder, folder)
    cosine = round(background_cosine(encoder, queries), 6)
    encoder.close()
    manifest = dataclasses.replace(encoder.manifest, background_cosine=cosine)
    manifest.write(folder)
    return manifest


def passage_rules(folder: Path, window: int) -> dict[str, int]:
    """Return the default passage rules, fitted to a model's window and to its tokenizer's special tokens."""
    special = plain_tokenizer(folder / TOKENIZER_FILE).num_special_tokens_to_add(False)
    rules = dict(DEFAULT_PASSAGE_RULES)
    return rules | {"window": min(window, rules["window"]), "special": special}
