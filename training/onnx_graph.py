"""Writes a transformer in torch as one ONNX file: traced, its BERT parts fused, its weights in 7 of 8 bits."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

OPSET = 17  # the newest that torch's tracing exporter writes and that the fusions recognise

# The widest products of the first two layers meet activations with rare huge values, and one scale must serve them all.
# Leaving these 2 of MiniLM's 24 products in 32 bits costs 3.5 MB and lifts the least cosine of real passages from .964
# to .987, more than any other pair tried.
KEPT_IN_FULL = re.compile(r"layer\.[01]/output/dense/MatMul$")

_EXAMPLE_TOKENS = 16  # any length: the axis is dynamic


def load_transformer(folder: Path) -> torch.nn.Module:
    """Load a transformer for inference on the processor, with the plain attention that the fusions recognise."""
    from transformers import AutoModel
    from transformers.utils import logging as transformers_logging

    with quiet():
        transformers_logging.disable_progress_bar()
        model: torch.nn.Module = AutoModel.from_pretrained(
            folder, local_files_only=True, attn_implementation="eager", dtype="float32"
        )
    return model.eval()


def input_names(model: torch.nn.Module) -> tuple[str, ...]:
    """Return the inputs that the model takes, in the order of its graph."""
    segments = int(getattr(model.config, "type_vocab_size", 0) or 0)
    return ("input_ids", "attention_mask", "token_type_ids") if segments > 1 else ("input_ids", "attention_mask")


def write_graph(
    model: torch.nn.Module,
    target: Path,
    *,
    quantise: bool,
    head: Callable[[torch.Tensor], torch.Tensor] | None = None,
    by_token: bool = False,
) -> None:
    """Write the model as `target`: its last hidden states from token numbers, fused, and in int8 if asked.

    `head` makes the vector of each text from its states, all of which are of tokens of the text: the graph gives that.
    With `by_token` it makes a vector of each token.
    """
    traced, fused = target.with_suffix(".traced"), target.with_suffix(".fused")
    with quiet():
        _trace(model, traced, head, by_token=by_token)
        _fuse(model, traced, target if not quantise else fused)
        if quantise:
            _quantise(fused, target)
    traced.unlink()
    fused.unlink(missing_ok=True)


def _trace(
    model: torch.nn.Module, target: Path, head: Callable[[torch.Tensor], torch.Tensor] | None, *, by_token: bool
) -> None:
    import torch

    names = input_names(model)
    by_token = by_token or head is None
    result = "last_hidden_state" if by_token else "sentence_embedding"

    class LastHiddenState(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """The model with plain tensors in and one out, as the exporter wants it."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.head = head

        def forward(self, *given: torch.Tensor) -> torch.Tensor:
            states: torch.Tensor = self.model(**dict(zip(names, given, strict=True))).last_hidden_state
            return states if head is None else head(states)

    ids = torch.ones((2, _EXAMPLE_TOKENS), dtype=torch.int64)
    example = {"input_ids": ids, "attention_mask": ids, "token_type_ids": torch.zeros_like(ids)}
    axes = {0: "batch", 1: "tokens"}
    given = axes if by_token else {0: "batch"}
    with torch.no_grad():
        torch.onnx.export(
            LastHiddenState().eval(),  # the exporter gives the model back in the mode of its wrapper
            tuple(example[name] for name in names),
            str(target),
            input_names=list(names),
            output_names=[result],
            dynamic_axes={**dict.fromkeys(names, axes), result: given},
            opset_version=OPSET,
            dynamo=False,
        )


def _fuse(model: torch.nn.Module, source: Path, target: Path) -> None:
    from onnxruntime.transformers import optimizer

    config: Any = model.config
    fused = optimizer.optimize_model(
        str(source),
        model_type="bert",
        num_heads=int(config.num_attention_heads),
        hidden_size=int(config.hidden_size),
        opt_level=0,  # no processor-specific rewriting: the file ships to everybody
    )
    fused.save_model_to_file(str(target))


def _quantise(source: Path, target: Path) -> None:
    """Take the weights to 7 of 8 bits, a scale for each column.

    With all 8, the products saturate on x86 processors without VNNI instructions, and vectors differ between machines.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    names = [node.name for node in onnx.load(str(source)).graph.node]
    quantize_dynamic(
        str(source),
        str(target),
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        nodes_to_exclude=[name for name in names if KEPT_IN_FULL.search(name)],
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # fused operators carry no types to infer from
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what the libraries say on the way: tracer warnings, progress bars, advice."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
