"""What a model does behind its transformer, in torch: pooling, dense layers, and the first numbers of a vector only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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

    layers = dense_layers(source.dense)

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


def dense_layers(folders: Sequence[Path]) -> torch.nn.Module:
    """Return the dense layers of a model, one behind the other; their directories were looked at before."""
    import torch

    return torch.nn.Sequential(*map(_layer, folders)).eval()


def _layer(folder: Path) -> torch.nn.Module:
    """Return a linear layer with its activation, and what it hands on beside it where it is residual."""
    import torch
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = {name: value.float() for file in weights_of(folder) for name, value in load_file(file).items()}
    named = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rsplit(".", 1)[-1]
    main = torch.nn.Sequential(_linear(weights, "linear."), getattr(torch.nn, named)())
    if not config.get("use_residual"):
        return main
    beside = _linear(weights, "residual.") if "residual.weight" in weights else torch.nn.Identity()

    class Residual(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """Adds what it was given to what the layer makes of it."""

        def __init__(self) -> None:
            super().__init__()
            self.main, self.beside = main, beside

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return self.main(given) + self.beside(given)

    return Residual()


def _linear(weights: Mapping[str, torch.Tensor], prefix: str) -> torch.nn.Module:
    """Return the linear layer whose weights begin with a prefix; older files have none before those of the layer."""
    import torch

    own = {name: weights[f"{prefix}{name}"] for name in ("weight", "bias") if f"{prefix}{name}" in weights}
    own = own or {name: weights[name] for name in ("weight", "bias") if name in weights}
    width, height = own["weight"].shape
    linear = torch.nn.Linear(height, width, bias="bias" in own)
    linear.load_state_dict(own)
    return linear
