"""A small world for tests of training: a model of two layers with chance weights, and a collection to learn.

Every document has words of its own and shares two with its neighbours; its query names both, so that words find it
among hard negatives and a model with chance weights does not.
"""

from __future__ import annotations

import importlib.util
import json
import random
from pathlib import Path

import numpy as np
import pytest

from engine.embedding import catalogue
from training.hard_negatives import Row

TINY = "tiny"
TEXTS = [f"{first} {second} water" for first in ("bread", "stone", "violin", "comet") for second in ("north", "south")]
QUERIES = ["bread in the north", "violin of the south"]
ROWS = [Row(0, (0, 2, 3), (0.9, 0.4, 0.3), "agreed"), Row(1, (5, 1, 7), (0.9, 0.4, 0.3), "agreed")]
OWN = 8  # words of each document that no other has


def where_training_is_installed(*needed: str) -> list[pytest.MarkDecorator]:
    """Return the marks of tests that train: where one of these packages is missing they are skipped."""
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    reason = f"the training extra is not installed: {', '.join(missing)}"
    return [pytest.mark.training, pytest.mark.skipif(bool(missing), reason=reason)]


def no_other_answer(_query: int, rows: object) -> np.ndarray:
    """Say of no passage that it answers a query beside its own."""
    return np.zeros(len(rows), np.bool_)  # type: ignore[arg-type]


def make_model(folder: Path) -> Path:
    """Write a sentence-transformers directory with chance weights and the embedded model's tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.02,
    )
    model = BertModel(config, add_pooling_layer=False)
    with (
        torch.no_grad()
    ):  # so that a vector is about the sum of those of its words, and texts without a common one lie apart
        model.embeddings.word_embeddings.weight.normal_()
        model.embeddings.word_embeddings.weight[:1000] = 0.0  # the special ones and single letters
        model.embeddings.position_embeddings.weight.zero_()
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((catalogue.EMBEDDED_FOLDER / "tokenizer.json").read_bytes())
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "modules.json").write_text(
        json.dumps(
            [
                {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            ]
        )
    )
    return folder


def install_model(source: Path) -> None:
    """Build the model in `source` and install it under the name `tiny`."""
    from training.export import export

    export(source, catalogue.place_of(TINY), quantise=False, name=TINY)


def make_collection(folder: Path, documents: int = 90) -> Path:
    """Write a collection whose only judgements are those of its train split."""
    chance = random.Random(3)
    words = _words(chance)
    common = words[:12]
    (folder / "qrels").mkdir(parents=True)
    corpus, queries, judged = [], [], ["query-id\tcorpus-id\tscore"]
    for number in range(documents):
        own = words[12 + OWN * number : 12 + OWN * (number + 1)]
        others = chance.sample(common, 2)
        corpus.append({"_id": f"d{number}", "title": own[0], "text": " ".join([*own[1:], *others])})
        queries.append({"_id": f"q{number}", "text": " ".join([own[1], *others])})
        judged.append(f"q{number}\td{number}\t1")
    (folder / "corpus.jsonl").write_text("".join(json.dumps(each) + "\n" for each in corpus))
    (folder / "queries.jsonl").write_text("".join(json.dumps(each) + "\n" for each in queries))
    (folder / "qrels" / "train.tsv").write_text("\n".join(judged) + "\n")
    return folder


def _words(chance: random.Random) -> list[str]:
    """Return English words, each one token, in an order by chance."""
    vocabulary = json.loads((catalogue.EMBEDDED_FOLDER / "tokenizer.json").read_bytes())["model"]["vocab"]
    words = sorted(word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 4)
    chance.shuffle(words)
    return words


def unit_rows(count: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    """Return chance vectors of unit length."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
