"""Exports a sentence-transformers model as a model folder of Carrel: ONNX file, tokenizer, manifest, foreign vectors.

`python -m training.export` builds the embedded model anew; `python -m training.export DIR` any local one.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder, pooled, unit
from engine.embedding.manifest import MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, Manifest, file_sha256
from engine.embedding.out_of_domain import background_passages, foreign_queries, measure
from engine.embedding.tokenization import Tokens, passage_rules, plain_tokenizer
from engine.errors import CarrelError, ModelError
from engine.scratch_folders import scratch_folder
from training import onnx_graph
from training.source_model import EMBEDDED_ORIGIN, SourceModel, embedded_source, read_source

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

LICENSE_FILE = "LICENSE"
LEAST_PARITY = {"int8": 0.985, "none": 0.9999}  # mean cosine to the model in torch, below which nothing is written
PARITY_TEXTS = 48


def export(
    source: Path | None,
    out: Path,
    *,
    quantise: bool = True,
    name: str | None = None,
    training: dict[str, Any] | None = None,
) -> Manifest:
    """Build the model folder `out` from the sentence-transformers directory `source` and return its manifest.

    `source` None takes the packaged default model. `name` is what the model is called, by default its directory's
    name; `training` is recorded as it is. The vectors of the new file are held against the original's first, and
    `out` changes only when all is done. Raises ModelError where the source is unusable or the vectors differ.
    """
    folder = embedded_source() if source is None else source.resolve()
    called = name or (catalogue.EMBEDDED if source is None else folder.name)
    origin = EMBEDDED_ORIGIN if source is None else str(folder)
    description = read_source(folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out.parent, "export") as draft:
        model = onnx_graph.load_transformer(description.transformer)
        onnx_graph.write_graph(model, draft / MODEL_FILE, quantise=quantise)
        plain_tokenizer(description.transformer / TOKENIZER_FILE).save(str(draft / TOKENIZER_FILE), pretty=False)
        known = _manifest(draft, description, model, quantise=quantise)
        dataclasses.replace(known, id=called, source=origin, training=training).write(draft)
        require_parity(draft, model)
        complete = measure(draft)
        _write_license(draft, complete.license)
        _put_in_place(draft, out)
    return complete


def require_parity(folder: Path, model: torch.nn.Module) -> float:
    """Return the mean cosine between a model folder's vectors and torch's, over shipped texts.

    Raises ModelError where it is below what the quantisation allows.
    """
    import numpy as np

    texts = [*background_passages()[: PARITY_TEXTS // 2], *foreign_queries()[: PARITY_TEXTS // 2]]
    encoder = Encoder(folder)
    found = encoder.encode_passages(texts)
    parity = float(np.mean(np.sum(found * reference_vectors(folder, model, texts), axis=1)))
    least = LEAST_PARITY[encoder.manifest.quantisation]
    if not parity >= least:
        raise ModelError(
            "The exported model is too far from the original.",
            cause=f"The mean cosine between their vectors is {parity:.4f}, at least {least} is required.",
            fix="Export it with --fp32, without quantisation.",
        )
    return parity


def reference_vectors(folder: Path, model: torch.nn.Module, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of texts as the model in torch gives them, shape (n, dimension), of unit length."""
    import numpy as np
    import torch

    manifest = Manifest.read(folder)
    tokens = Tokens(folder, manifest.window)
    rows = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokens.ids(text)])
            states = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
            rows.append(unit(pooled(states.numpy(), manifest.pooling)))
    return np.stack(rows)


def _manifest(draft: Path, source: SourceModel, model: torch.nn.Module, *, quantise: bool) -> Manifest:
    config: Any = model.config
    return Manifest(
        id="unnamed",
        revision=source.revision,
        dimension=int(config.hidden_size),
        pooling=source.pooling,
        normalised=True,
        query_prefix=source.query_prefix,
        passage_prefix=source.passage_prefix,
        window=source.window,
        quantisation="int8" if quantise else "none",
        file_sha256=file_sha256(draft / MODEL_FILE),
        tokenizer_sha256=file_sha256(draft / TOKENIZER_FILE),
        passage_rules=passage_rules(draft, source.window),
        background_cosine=0.0,
        language=source.language,
        license=source.license,
        source="",
    )


def _write_license(draft: Path, license_name: str) -> None:
    """Put the licence text beside a model whose licence is the embedded one's; others name theirs in the manifest."""
    if license_name.lower() == "apache-2.0":
        shutil.copyfile(catalogue.EMBEDDED_FOLDER / LICENSE_FILE, draft / LICENSE_FILE)


def _put_in_place(draft: Path, out: Path) -> None:
    """Move the files of a finished draft into `out`, the manifest last, since it vouches for the others."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(draft.iterdir(), key=lambda path: path.name == MANIFEST_FILE):
        path.replace(out / path.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, help="a sentence-transformers model; default: the embedded")
    parser.add_argument("--out", type=Path, help="the model folder to write; default: where Carrel looks for it")
    parser.add_argument("--name", help="what the model is called; default: the name of its directory")
    parser.add_argument("--fp32", action="store_true", help="leave the weights in 32 bits")
    chosen = parser.parse_args(arguments)
    try:
        manifest = export(chosen.directory, _target(chosen), quantise=not chosen.fp32, name=chosen.name)
    except CarrelError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{manifest.id}: {manifest.dimension} dimensions, background cosine {manifest.background_cosine:.4f}")
    return 0


def _target(chosen: argparse.Namespace) -> Path:
    if chosen.out is not None:
        return Path(chosen.out)
    if chosen.directory is None:
        return catalogue.EMBEDDED_FOLDER
    return catalogue.place_of(chosen.name or chosen.directory.resolve().name)


if __name__ == "__main__":
    sys.exit(main())
