"""The files of a small model as a hub has them: BERT's inputs and output, chance weights, no library but onnx."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.embedding.out_of_domain import background_passages

VOCABULARY = 2_000


@cache
def files(seed: int = 5, dimension: int = 384) -> dict[str, bytes]:
    """Return the files of a model that gives vectors of so many numbers, by name; another seed, other weights."""
    from tokenizers import BertWordPieceTokenizer

    pieces = BertWordPieceTokenizer()
    pieces.train_from_iterator(background_passages(), vocab_size=VOCABULARY, show_progress=False)
    return {
        "model_optimized.onnx": _graph(seed, pieces.get_vocab_size(), dimension),
        "tokenizer.json": pieces.to_str().encode(),
        "config.json": b"{}",
    }


def _graph(seed: int, words: int, dimension: int) -> bytes:
    """Return a graph whose state of each token is the token's own vector, and the mean of all tokens'."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(seed).standard_normal((words, dimension)).astype(np.float32)
    given = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    states = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", dimension])
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["own"]),
        helper.make_node("ReduceMean", ["own"], ["mean"], axes=[1]),
        helper.make_node("Add", ["own", "mean"], ["last_hidden_state"]),
    ]
    graph = helper.make_graph(nodes, "small", given, [states], [numpy_helper.from_array(weights, "weights")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())
