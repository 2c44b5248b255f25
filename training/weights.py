"""The learner: a transformer in torch with tokenizer and pooling, read from and saved as sentence-transformers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.embedding import catalogue
from engine.embedding.manifest import TOKENIZER_FILE, Manifest
from engine.embedding.tokenization import plain_tokenizer
from engine.errors import ModelError
from training.onnx_graph import load_transformer, quiet
from training.source_model import SourceModel, embedded_source, plain_width, read_source

if TYPE_CHECKING:
    import torch

SOURCE_FOLDER = "sentence-transformers"  # in the folder of a model that Carrel trained
ENCODED_AT_ONCE = 32  # texts of like length, in one forward pass


def source_of(manifest: Manifest) -> Path:
    """Return the sentence-transformers directory that a model was built from. Raises ModelError where it is gone."""
    if manifest.id == catalogue.EMBEDDED:
        return embedded_source()
    kept = catalogue.folder_of(manifest.id) / SOURCE_FOLDER
    for folder in (kept, Path(manifest.source)):
        if (folder / "modules.json").is_file():
            _require_plain(manifest, folder)
            return folder
    raise ModelError(
        f"{manifest.id} cannot be trained further here.",
        cause="Its weights are there in the form that searches, not in the one that learns.",
        fix=f"Change to {catalogue.EMBEDDED}, or to a model made with `carrel models build DIR`.",
    )


def _require_plain(manifest: Manifest, folder: Path) -> None:
    """Raise ModelError where something stands behind a model's pooling, which the training here does not teach."""
    if plain_width(folder) != manifest.dimension:
        raise ModelError(
            f"{manifest.id} cannot be trained further here.",
            cause="Its vectors are mapped or cut behind the pooling, and only what lies before it is trained.",
            fix=f"Change to {catalogue.EMBEDDED}, or train an adapter: `carrel retrain --recipe adapter`.",
        )


def device_of() -> str:
    """Return where to train: "cuda", "mps" or "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


class Learner:
    """A transformer with its tokenizer. Dropout is off: the rates are small, and the same rows give the same steps."""

    def __init__(self, folder: Path, length: int, frozen: int = 0, device: str | None = None) -> None:

        self.folder = folder
        self.source: SourceModel = read_source(folder)
        self.length = min(length, self.source.window)
        self.device = device or device_of()
        with quiet():
            self.model: torch.nn.Module = load_transformer(self.source.transformer).to(self.device)
        self._tokenizer = plain_tokenizer(self.source.transformer / TOKENIZER_FILE)
        self._tokenizer.enable_truncation(self.length)
        self._pad = int(getattr(self.model.config, "pad_token_id", 0) or 0)
        self._freeze(frozen)

    def _freeze(self, layers: int) -> None:
        """Leave the word embeddings and the lowest layers as they are, where the model has more than those."""
        if not layers:
            return
        found = list(getattr(getattr(self.model, "encoder", None), "layer", ()))
        if len(found) <= layers:
            return
        for part in (getattr(self.model, "embeddings", None), *found[:layers]):
            for weight in part.parameters() if part is not None else ():
                weight.requires_grad = False

    def learning(self) -> list[torch.nn.Parameter]:
        """Return the weights that learn."""
        return [weight for weight in self.model.parameters() if weight.requires_grad]

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of texts, cut to the length."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def vectors(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return the unit vectors of texts, shape (n, dimension), with their gradients where those are asked for."""
        import torch

        states, mask = self._states(tokens)
        return torch.nn.functional.normalize(self._pooled(states, mask), dim=-1)

    def token_vectors(self, tokens: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Return for each text the unit vectors of its tokens (m, dimension), without the first and last, special ones.

        With their gradients, where those are asked for.
        """
        import torch

        states, _ = self._states(tokens)
        unit = torch.nn.functional.normalize(states, dim=-1)
        return [row[1 : max(len(each) - 1, 2)] for row, each in zip(unit, tokens, strict=True)]

    def encode_tokens(self, texts: Sequence[str], check: Callable[[], None]) -> list[NDArray[np.float32]]:
        """Return the same of texts without gradients; `check` is called meanwhile, and may raise to end it."""
        import torch

        tokens = self.tokens(texts)
        found: dict[int, NDArray[np.float32]] = {}
        with torch.no_grad():
            for chosen in by_length(tokens, ENCODED_AT_ONCE)[1]:
                check()
                vectors = self.token_vectors([tokens[each] for each in chosen])
                found |= {at: each.cpu().numpy() for at, each in zip(chosen, vectors, strict=True)}
        return [found[at] for at in range(len(texts))]

    def _states(self, tokens: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the states of all tokens (n, longest, dimension), and which of them are of a text."""
        import torch

        longest = max(map(len, tokens))
        ids = torch.full((len(tokens), longest), self._pad, dtype=torch.int64)
        mask = torch.zeros((len(tokens), longest), dtype=torch.int64)
        for row, each in enumerate(tokens):
            ids[row, : len(each)] = torch.tensor(each)
            mask[row, : len(each)] = 1
        ids, mask = ids.to(self.device), mask.to(self.device)
        with half_precision(self.device):
            states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return states.float(), mask

    def _pooled(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        import torch

        if self.source.pooling == "cls":
            return states[:, 0]
        if self.source.pooling == "last":
            return states[torch.arange(len(states)), mask.sum(1) - 1]
        weights = mask.unsqueeze(-1).float()
        return (states * weights).sum(1) / weights.sum(1)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts, shape (n, dimension), without gradients; like lengths are taken together."""
        import torch

        tokens = self.tokens(texts)
        dimension = int(self.model.config.hidden_size)
        found = np.empty((len(texts), dimension), np.float32)
        with torch.no_grad():
            for chosen in by_length(tokens, ENCODED_AT_ONCE)[1]:
                found[chosen] = self.vectors([tokens[each] for each in chosen]).cpu().numpy()
        return found

    def state(self) -> dict[str, torch.Tensor]:
        """Return a copy of the weights that learn, on the processor."""
        return {
            name: weight.detach().to("cpu", copy=True)
            for name, weight in self.model.named_parameters()
            if weight.requires_grad
        }

    def take(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put weights in place."""
        import torch

        own = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, weight in state.items():
                own[name].copy_(weight)

    def save(self, out: Path) -> None:
        """Write the model as a sentence-transformers directory: the base's, with these weights."""
        shutil.copytree(self.folder, out, dirs_exist_ok=True)
        transformer = out / self.source.transformer.relative_to(self.folder)
        with quiet():
            self.model.to("cpu").save_pretrained(transformer)
            self.model.to(self.device)
        _same_class(self.source.transformer / "config.json", transformer / "config.json")
        self._keep_prefixes(out / "config_sentence_transformers.json")

    def _keep_prefixes(self, path: Path) -> None:
        """Write down the prefixes, which the base may owe to its name."""
        prefixes = {"query": self.source.query_prefix, "passage": self.source.passage_prefix}
        if any(prefixes.values()):
            known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
            path.write_text(json.dumps({**known, "prompts": {**(known.get("prompts") or {}), **prefixes}}, indent=2))


def by_length(tokens: Sequence[Sequence[int]], at_once: int) -> tuple[list[int], list[list[int]]]:
    """Return the places of texts by their length, and the same in pieces that are encoded at once."""
    order = sorted(range(len(tokens)), key=lambda each: len(tokens[each]))
    return order, [order[start : start + at_once] for start in range(0, len(order), at_once)]


def mixed(base: Mapping[str, torch.Tensor], tuned: Mapping[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """Return the weights between base and tuned, `share` of the way (WiSE-FT, Wortsman et al., 2022)."""
    return {name: base[name] + share * (tuned[name] - base[name]) for name in base}


def half_precision(device: str) -> AbstractContextManager[Any]:
    """Compute in bf16 where the processor or the graphics card multiplies it in hardware, else in 32 bits."""
    import torch

    if device == "cuda" and torch.cuda.is_bf16_supported():
        return cast("AbstractContextManager[Any]", torch.autocast("cuda", torch.bfloat16))
    if device == "cpu" and _has_bf16():
        return cast("AbstractContextManager[Any]", torch.autocast("cpu", torch.bfloat16))
    return nullcontext()


def _has_bf16() -> bool:
    import torch

    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in checks)


def _same_class(before: Path, after: Path) -> None:
    """Keep what the base's configuration says beside what saving writes."""
    try:
        written = {
            **json.loads(before.read_text(encoding="utf-8")),
            **json.loads(after.read_text(encoding="utf-8")),
        }
    except (OSError, ValueError):
        return
    after.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
