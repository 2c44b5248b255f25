"""The models that fastembed offers by name and the encoder can run: what each must be given, and its download.

fastembed adds no prefix to queries; the authors' own, by family, are kept here and become part of the manifest.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.embedding.manifest import LONGEST_WINDOW, TOKENIZER_FILE, Pooling
from engine.embedding.multi_vector import only_late
from engine.errors import ModelError
from engine.lazy_dataclass import dataclass
from engine.paths import places, private_folder

_ENGLISH_SEARCH = "Represent this sentence for searching relevant passages: "

# (pattern of the name, query prefix, passage prefix), from the model cards; the first that matches counts.
_PREFIXES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"bge-\w+-zh", re.IGNORECASE), "为这个句子生成表示以用于检索相关文章：", ""),
    (re.compile(r"bge-\w+-en|arctic-embed|mxbai-embed", re.IGNORECASE), _ENGLISH_SEARCH, ""),
    (re.compile(r"\be5-", re.IGNORECASE), "query: ", "passage: "),
    (re.compile(r"nomic-embed", re.IGNORECASE), "search_query: ", "search_document: "),
)

# Classes of fastembed and the pooling that each applies. The others need images, tasks, or no ONNX file at all.
_POOLING: dict[str, Pooling] = {
    "OnnxTextEmbedding": "cls",
    "PooledNormalizedEmbedding": "mean",
    "PooledEmbedding": "mean",
    "CustomTextEmbedding": "mean",  # only what is added here is of it
}

# Classes of fastembed for late interaction: whether the model looks at the tokens that fill a question up, and whether
# punctuation has vectors in a passage. Neither can be asked of a class before its model is there.
_LATE: dict[str, tuple[bool, bool]] = {
    "Colbert": (False, False),
    "JinaColbert": (True, False),
    "LateOn": (False, False),
    "MLateOn": (False, True),
}

_STATED_WINDOW = re.compile(r"(?<!\d)(\d++) input tokens")
_MANY_LANGUAGES = re.compile(r"multilingual \(~?(\d++) languages?\)", re.IGNORECASE)
_NAMED_LANGUAGES = re.compile(r"multilingual \(([\w, ]++)\)|mixed (\w++-\w++)", re.IGNORECASE)
_BETWEEN_LANGUAGES = re.compile(r", |-")
_CODES = {"english": "en", "chinese": "zh", "german": "de", "spanish": "es"}
_FOR_PARAPHRASES = re.compile(r"paraphrase", re.IGNORECASE)
FOR_LATE = "for late interaction only, by `carrel late on NAME`"
# One side of a pair of models, or half of a model for images: alone they do not search.
_ONE_SIDED = re.compile(r"clip|constella|stella-en", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FastembedLate:
    """What `MultiVector` is made of once the tokenizer is there; markers are numbers of tokens, the mask is its text.

    `query_length` counts tokens, the marker left out; 0 where a question is not filled up.
    """

    query_marker: int
    passage_marker: int
    query_length: int
    mask: str
    attends_mask: bool
    keeps_punctuation: bool


@dataclass(frozen=True, slots=True)
class FastembedModel:
    """A model that can be installed by name. `files` lie beside `model_file` and belong to it.

    `bits` is how many its weights have, as far as its files' names tell; `remark` says what it was not made for.
    """

    name: str
    dimension: int
    pooling: Pooling
    window: int
    model_file: str
    language: str
    license: str
    source: str
    megabytes: int = 0
    bits: int = 32
    remark: str = ""
    query_prefix: str = ""
    passage_prefix: str = ""
    files: tuple[str, ...] = ()
    late: FastembedLate | None = None  # of a model for late interaction, which gives token vectors only


def available() -> list[FastembedModel]:
    """Return the models that fastembed can fetch and the encoder can run, by name; needs no network."""
    return sorted((_described_model(kind, model) for kind, model in _described()), key=lambda model: model.name.lower())


def available_late() -> list[FastembedModel]:
    """Return the models for late interaction that fastembed can fetch, by name; needs no network."""
    found = [
        _described_late(kind, model)
        for kind in _fastembed().LateInteractionTextEmbedding.EMBEDDINGS_REGISTRY
        if kind.__name__ in _LATE
        for model in kind._list_supported_models()
        if model.sources.hf
    ]
    return sorted(found, key=lambda model: model.name.lower())


def fastembed_model(name: str, *, late: bool = False) -> FastembedModel:
    """Return the offered model of that name, in any case, of those for late interaction where `late` says so.

    Raises ModelError where there is none, or where it is for late interaction only.
    """
    for model in available_late() if late else available():
        if model.name.lower() == name.lower():
            return model
    if not late and (found := [each.name for each in available_late() if each.name.lower() == name.lower()]):
        raise only_late(found[0])
    raise ModelError(
        f"There is no model called {name}.",
        fix="`carrel models list` shows those that can be used; a local directory is built with `carrel models build`.",
    )


def prefixes(name: str) -> tuple[str, str]:
    """Return the query and passage prefix of a model's family; both are empty where the family takes none."""
    for pattern, query, passage in _PREFIXES:
        if pattern.search(name):
            return query, passage
    return "", ""


def remark(name: str) -> str:
    """Return what is to be known of a model before it is chosen, "" where nothing is."""
    return "made to find paraphrases, not answers to questions" if _FOR_PARAPHRASES.search(name) else ""


def _described() -> Iterator[tuple[type[Any], Any]]:
    """Yield fastembed's own descriptions with the class that runs each."""
    for kind in _fastembed().TextEmbedding.EMBEDDINGS_REGISTRY:
        if kind.__name__ in _POOLING:
            for model in kind._list_supported_models():
                if model.sources.hf and not _ONE_SIDED.search(model.model):
                    yield kind, model


def _fastembed() -> Any:
    """Import fastembed, in 0.3 to 0.9 s, and keep urllib3 beneath it from binding a socket to ask for IPv6.

    Where a model is fetched, addresses of both kinds are tried all the same.
    """
    known = socket.has_ipv6
    socket.has_ipv6 = False
    try:
        import fastembed
        from urllib3.util import connection
    finally:
        socket.has_ipv6 = known
    connection.HAS_IPV6 = known
    _add_models(fastembed)
    return fastembed


def _add_models(fastembed: Any) -> None:
    """Tell fastembed of a small model of many languages that was made to find answers, which it does not know."""
    from fastembed.common.model_description import ModelSource, PoolingType

    with contextlib.suppress(ValueError):  # it is told already, or knows it by now
        fastembed.TextEmbedding.add_custom_model(
            model="intfloat/multilingual-e5-small",
            pooling=PoolingType.MEAN,
            normalization=True,
            sources=ModelSource(hf="intfloat/multilingual-e5-small"),
            dim=384,
            model_file="onnx/model.onnx",
            description="Multilingual (~94 languages), 512 input tokens, from its model card",
            license="mit",
            size_in_gb=0.487,
        )


def _described_model(kind: type[Any], model: Any) -> FastembedModel:
    query, passage = prefixes(model.model)
    known = _facts(model, _POOLING[kind.__name__], remark(model.model))
    return replace(known, query_prefix=query, passage_prefix=passage)


def _described_late(kind: type[Any], model: Any) -> FastembedModel:
    attends, keeps = _LATE[kind.__name__]
    late = FastembedLate(
        query_marker=kind.QUERY_MARKER_TOKEN_ID,
        passage_marker=kind.DOCUMENT_MARKER_TOKEN_ID,
        query_length=kind.MIN_QUERY_LENGTH or 0,
        mask=kind.MASK_TOKEN,
        attends_mask=attends,
        keeps_punctuation=keeps,
    )
    facts = _facts(model, "mean", FOR_LATE)  # pooled by nothing: it gives no vector of a text
    return replace(facts, late=late)


def _facts(model: Any, pooling: Pooling, said: str) -> FastembedModel:
    """Return what fastembed says of a model of either kind."""
    return FastembedModel(
        name=model.model,
        dimension=model.dim,
        pooling=pooling,
        window=_window(model.description),
        model_file=model.model_file,
        language=_language(model.description),
        license=model.license,
        source=model.sources.hf,
        megabytes=round(model.size_in_GB * 1000),
        bits=_bits(model),
        remark=said,
        files=tuple(model.additional_files),
    )


def _window(description: str) -> int:
    """Read the window from the words of the description; it stands nowhere else."""
    stated = _STATED_WINDOW.search(description)
    return min(int(stated[1]), LONGEST_WINDOW) if stated else LONGEST_WINDOW


def _language(description: str) -> str:
    """Read the languages: `en`, `de, en`, or `multilingual (100)`."""
    if many := _MANY_LANGUAGES.search(description):
        return f"multilingual ({many[1]})"
    if named := _NAMED_LANGUAGES.search(description):
        words = _BETWEEN_LANGUAGES.split(named[1] or named[2])
        return ", ".join(sorted({_CODES.get(word.lower(), "code") for word in words}))
    if "multilingual" in description.lower():
        return "multilingual"
    return "zh" if "Chinese" in description else "en"


def _bits(model: Any) -> int:
    """Read from the names how many bits a weight has; what is not told is 32."""
    if "quantized" in model.model_file:
        return 8
    return 16 if model.sources.hf.endswith("-Q") else 32


def fetch(model: FastembedModel, on_progress: Callable[[str], None]) -> Path:
    """Return a folder with the model's files, downloaded if no cache holds them.

    `on_progress` is told in words how far the download is. Raises ModelError where the files cannot be had.
    """
    wanted = [model.model_file, *model.files, TOKENIZER_FILE]
    if (cached := _cached(model, wanted)) is not None:
        return cached
    from engine.embedding.model_download import download
    from engine.embedding.model_hub import refuse_offline

    refuse_offline(model.name)
    folder = private_folder(fetched(model))
    download(model.name, model.source, wanted, folder, on_progress)
    return folder


def fetched(model: FastembedModel) -> Path:
    """Return the folder into which a model's files are fetched, and from which they go once it is installed."""
    return places().cache / "models" / "fetched" / model.source.replace("/", "--")


def _cached(model: FastembedModel, wanted: Sequence[str]) -> Path | None:
    """Return the folder of fastembed's own cache with the wanted files, where it holds them all."""
    cache = str(private_folder(places().cache / "models"))
    with _quiet(), contextlib.suppress(Exception):  # any of requests', httpx's, the hub's and fastembed's own
        from loguru import logger

        logger.disable("fastembed")
        found = _fastembed().TextEmbedding.download_files_from_huggingface(model.source, cache, wanted, True)
        if all((Path(found) / name).is_file() for name in wanted):
            return Path(found)
    return None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars and advice off the screen."""
    for name in ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "1")  # read once, when the hub's library is imported
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
