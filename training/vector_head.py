"""What a model does behind its transformer, in torch: pooling, dense layers, and the first numbers of a vector only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.embedding.manifest import Pooling
from training.model_weights import weights_of
from training.source_model import SourceModel

if TYPE_CHECKING:
    import torch


def vector_head(source: SourceModel, dimensions: int | None) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """Return what makes vectors of the states of texts, shape (texts, tokens, width); None where pooling is all.

    `dimensions` keeps so many numbers of each vector, for models that were trained to be cut (Matryoshka). The states
    must be of tokens of the text alone: no padding is looked for.
    """
    if not source.dense and dimensions is None:
        return None
    import torch

    layers = torch.nn.Sequential(*(_layer(folder) for folder in source.dense))

    class Head(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """Pools, maps, cuts."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return self.layers(_pooled(states, source.pooling))[:, :dimensions]

    head: Callable[[torch.Tensor], torch.Tensor] = Head().eval()
    return head


def _pooled(states: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    if pooling == "mean":
        return states.mean(1)
    return states[:, 0] if pooling == "cls" else states[:, -1]


def _layer(folder: Path) -> torch.nn.Module:
    """Return a linear layer with its activation; `read_source` has seen that it is a plain one."""
    import torch
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = {
        name.removeprefix("linear."): value.float()
        for file in weights_of(folder)
        for name, value in load_file(file).items()
    }
    width, height = weights["weight"].shape
    linear = torch.nn.Linear(height, width, bias="bias" in weights)
    linear.load_state_dict(weights)
    named = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rsplit(".", 1)[-1]
    return torch.nn.Sequential(linear, getattr(torch.nn, named)())
