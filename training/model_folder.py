"""Writes what every model folder has, whichever kind its model is: graph, manifest, licence, and all of it in place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.embedding import catalogue
from engine.embedding.manifest import MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, Manifest, Pooling, file_sha256
from engine.embedding.tokenization import passage_rules
from engine.errors import ModelError
from training import onnx_graph

if TYPE_CHECKING:
    import torch

    from training.late_source import LateSource
    from training.source_model import SourceModel

LICENSE_FILE = "LICENSE"


@dataclass(frozen=True, slots=True)
class Named:
    """What a model is called, where it comes from, and how it was trained, if it was here."""

    id: str
    source: str
    training: dict[str, Any] | None = None


def write_model_graph(
    model: torch.nn.Module,
    draft: Path,
    *,
    quantise: bool,
    head: Callable[[torch.Tensor], torch.Tensor] | None,
    by_token: bool = False,
) -> None:
    """Write the graph of a model as `onnx_graph.write_graph` does. Raises ModelError where its kind cannot be."""
    try:
        onnx_graph.write_graph(model, draft / MODEL_FILE, quantise=quantise, head=head, by_token=by_token)
    except OSError:
        raise
    except Exception as error:  # torch's and onnx's own, which share no base but Exception
        kind = getattr(model.config, "model_type", "unknown")
        raise ModelError(
            f"A model of the kind {kind} cannot be written as one file of ONNX.",
            cause=said_by(error),
            fix="Choose another: models of BERT's, RoBERTa's and MPNet's kind can be built.",
        ) from error


def manifest_of(
    draft: Path,
    source: SourceModel | LateSource,
    named: Named,
    *,
    dimension: int,
    pooling: Pooling,
    prefixes: tuple[str, str],
    window: int,
    quantised: bool,
    multi_vector: dict[str, Any] | None = None,
) -> Manifest:
    """Return the manifest of the graph and the tokenizer in a draft; its background cosine is not measured yet.

    `prefixes` stand before queries and before passages; `multi_vector` are the facts of a model that gives token
    vectors only.
    """
    return Manifest(
        id=named.id,
        revision=source.revision,
        dimension=dimension,
        pooling=pooling,
        normalised=True,
        query_prefix=prefixes[0],
        passage_prefix=prefixes[1],
        window=window,
        quantisation="int8" if quantised else "none",
        file_sha256=file_sha256(draft / MODEL_FILE),
        tokenizer_sha256=file_sha256(draft / TOKENIZER_FILE),
        passage_rules=passage_rules(draft, window),
        background_cosine=0.0,
        language=source.language,
        license=source.license,
        source=named.source,
        training=named.training,
        multi_vector=multi_vector,
    )


def write_license(draft: Path, license_name: str) -> None:
    """Put the licence text beside a model whose licence is the embedded one's; others name theirs in the manifest."""
    if license_name.lower() == "apache-2.0":
        shutil.copyfile(catalogue.EMBEDDED_FOLDER / LICENSE_FILE, draft / LICENSE_FILE)


def put_in_place(draft: Path, out: Path) -> None:
    """Move the files of a finished draft into `out`, the manifest last, since it vouches for the others."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(draft.iterdir(), key=lambda path: path.name == MANIFEST_FILE):
        path.replace(out / path.name)


def said_by(error: Exception) -> str:
    """Return the first line of what a library's error says, its kind where it says nothing."""
    return (f"{error}".splitlines() or [type(error).__name__])[0][:300]
