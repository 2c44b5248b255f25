"""Reads what the directory of a model for late interaction says, and refuses what Carrel cannot run as it is.

Such a model (sentence-transformers' MultiVectorEncoder, and what PyLate saved before it) gives a vector for each token
and none for a text. What is looked at here is looked at before anything of the model is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from training.model_card import card_facts
from training.source_model import (
    checked_dense,
    checked_weights,
    modules_of,
    read_json,
    read_table,
    refused,
    require_encoder,
)

MASK = "MultiVectorMask"  # the module that says which tokens' vectors count
_RUN = frozenset({"Transformer", "Dense", "Dropout", "Normalize", MASK})
_TYPES = frozenset({"MultiVectorEncoder", "ColBERT"})  # the second is PyLate's
_RUN_AS_ITS_OWN = frozenset({"pylate.models.Dense.Dense"})  # by sentence-transformers
_POOLS_TOKENS = "TokenPooling"
_FIX = "Give the directory that MultiVectorEncoder.save_pretrained() writes."


@dataclass(frozen=True, slots=True)
class LateSource:
    """One directory, looked at. `transformer` is the folder of the weights, `dense` are those of the layers behind."""

    folder: Path
    transformer: Path
    dense: tuple[Path, ...]
    revision: str
    language: str
    license: str


def is_late(folder: Path) -> bool:
    """Return whether a directory says that its model gives a vector for each token. Raises ModelError."""
    stated = read_table(folder / "config_sentence_transformers.json")
    modules = read_json(folder / "modules.json")
    if not isinstance(modules, list):
        return False
    named = any(isinstance(each, dict) and str(each.get("type", "")).endswith(f".{MASK}") for each in modules)
    return named or stated.get("model_type") in _TYPES


def read_late_source(folder: Path) -> LateSource:
    """Look at the directory of a model for late interaction. Raises ModelError where Carrel cannot run it."""
    parts = modules_of(folder, _RUN_AS_ITS_OWN)
    _require_known(folder, [kind for kind, _ in parts])
    transformer = parts[0][1]
    require_encoder(folder, transformer)
    for kind, path in parts:
        if kind == MASK and read_table(path / "config.json").get("keep_only_token_ids"):
            raise refused(folder, "It gives vectors of images only, by its list of tokens that are kept.", _FIX)
    language, license_name = card_facts(folder)
    return LateSource(
        folder=folder,
        transformer=transformer,
        dense=tuple(checked_dense(folder, path, "token_embeddings") for kind, path in parts if kind == "Dense"),
        revision=checked_weights(folder, transformer),
        language=language,
        license=license_name,
    )


def _require_known(folder: Path, kinds: list[str]) -> None:
    """Raise ModelError where a model has a module that Carrel does not run, or has them in another order."""
    if any(kind.endswith(_POOLS_TOKENS) for kind in kinds):
        raise refused(folder, "It pools its token vectors itself, and Carrel pools them by `--factor`.", _FIX)
    if unknown := sorted(set(kinds) - _RUN):
        raise refused(
            folder,
            f"For late interaction Carrel runs no {', '.join(unknown)}, but {', '.join(sorted(_RUN))}.",
            _FIX,
        )
    mapped = [kind for kind in kinds if kind in ("Dense", "Normalize")]
    if kinds[0] != "Transformer" or kinds.count("Transformer") > 1 or mapped != sorted(mapped):
        raise refused(folder, f"Its modules stand in another order than Carrel runs them: {', '.join(kinds)}.", _FIX)


def not_opened(folder: Path, cause: str) -> ModelError:
    """Return the error of a directory that sentence-transformers itself cannot open."""
    return refused(folder, f"sentence-transformers cannot open it: {cause}", _FIX)
