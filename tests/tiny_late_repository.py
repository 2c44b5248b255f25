"""The files of a small late interaction model as a hub has them: token vectors, chance weights, a mask that counts."""

from __future__ import annotations

import json
from functools import cache

import numpy as np

from engine.embedding.out_of_domain import background_passages

VOCABULARY, DIMENSION = 2_000, 96


@cache
def files(seed: int = 5, dimension: int = DIMENSION) -> dict[str, bytes]:
    """Return the files of a model that gives token vectors of so many numbers, by name."""
    from tokenizers import BertWordPieceTokenizer

    learnt = BertWordPieceTokenizer()
    learnt.train_from_iterator(background_passages(), vocab_size=VOCABULARY, show_progress=False)
    pieces = BertWordPieceTokenizer(learnt.get_vocab())
    return {
        "vespa_colbert.onnx": _graph(seed, pieces.get_vocab_size(), dimension),
        "tokenizer.json": pieces.to_str().encode(),
        "tokenizer_config.json": json.dumps({"model_max_length": 512, "pad_token": "[PAD]"}).encode(),
        "config.json": b'{"pad_token_id": 0}',
    }


def _graph(seed: int, words: int, dimension: int) -> bytes:
    """Return a graph whose state of each token is its own vector, and the sum of those that the mask lets be seen."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(seed).standard_normal((words, dimension)).astype(np.float32)
    given = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    states = helper.make_tensor_value_info("contextual", TensorProto.FLOAT, ["batch", "tokens", dimension])
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["own"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["own", "column"], ["seen"]),
        helper.make_node("ReduceMean", ["seen"], ["around"], axes=[1]),
        helper.make_node("Add", ["own", "around"], ["contextual"]),
    ]
    held = [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array([2]), "last")]
    graph = helper.make_graph(nodes, "small", given, [states], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())
