"""Exports a sentence-transformers model as a model folder of Carrel: ONNX file, tokenizer, manifest, foreign vectors.

`python -m training.export` builds the embedded model anew; `python -m training.export DIR` any local one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder, pooled, unit
from engine.embedding.manifest import TOKENIZER_FILE, Manifest
from engine.embedding.out_of_domain import background_passages, foreign_queries, measure
from engine.embedding.tokenization import Tokens
from engine.errors import CarrelError, ModelError
from engine.figures import decimal
from engine.scratch_folders import scratch_folder
from training import onnx_graph
from training.late_export import export_late
from training.late_source import is_late
from training.model_folder import Named, manifest_of, put_in_place, write_license, write_model_graph
from training.source_model import EMBEDDED_ORIGIN, SourceModel, embedded_source, read_source
from training.source_tokenizer import TOLD_APART_BY, write_tokenizer
from training.vector_head import vector_head

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

LEAST_PARITY = {"int8": 0.985, "none": 0.9999}  # mean cosine to the model in torch, below which nothing is written
LEAST_OF_FOREIGN = 0.99  # of a model in 8 bits that nobody here has tuned for it
PARITY_TEXTS = 48


def export(
    source: Path | None,
    out: Path,
    *,
    quantise: bool = True,
    name: str | None = None,
    training: dict[str, Any] | None = None,
    dimensions: int | None = None,
) -> Manifest:
    """Build the model folder `out` from the sentence-transformers directory `source` and return its manifest.

    `source` None takes the packaged default model. `name` is what the model is called, by default its directory's
    name; `training` is recorded as it is; of each vector the first `dimensions` numbers are kept. The vectors of the
    new file are held against the original's first, and `out` changes only when all is done. A foreign model that
    8 bits change too much is written in 32. A directory of a model for late interaction (MultiVectorEncoder) becomes
    one that gives token vectors only. Raises ModelError where the source is unusable or the vectors differ.
    """
    folder = embedded_source() if source is None else source.resolve()
    called = name or (catalogue.EMBEDDED if source is None else folder.name)
    if source is not None and training is None and is_late(folder):
        if dimensions is not None:
            raise ModelError(
                f"{folder} is a model for late interaction; the numbers of its token vectors are all kept."
            )
        return export_late(folder, out, called, quantise=quantise)
    origin = EMBEDDED_ORIGIN if source is None else str(folder)
    description = read_source(folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out.parent, "export") as draft:
        model = onnx_graph.load_transformer(description.transformer)
        write_tokenizer(description, draft / TOKENIZER_FILE)
        facts = Named(called, origin, training)
        if source is None or training is not None:
            _write_model(draft, description, model, facts, quantise=quantise)
            require_parity(draft, reference_vectors(draft, model, parity_texts()))
        else:
            _write_foreign(draft, folder, description, model, facts, quantise=quantise, dimensions=dimensions)
        complete = measure(draft)
        write_license(draft, complete.license)
        put_in_place(draft, out)
    return complete


def _write_foreign(
    draft: Path,
    folder: Path,
    description: SourceModel,
    model: torch.nn.Module,
    facts: Named,
    *,
    quantise: bool,
    dimensions: int | None,
) -> None:
    """Write a model that was made elsewhere, in 8 bits where its vectors stay what the library that made it gives."""
    width = _width(description, model)
    if dimensions is not None and not 1 <= dimensions <= width:
        raise ModelError(f"{folder} gives vectors of {width} numbers; {dimensions} of them cannot be kept.")
    head = vector_head(description, dimensions)
    texts = [*parity_texts(), *TOLD_APART_BY]
    theirs = original_vectors(folder, description, texts, dimensions)
    for in_8_bits in (True, False) if quantise else (False,):
        dimension = dimensions or width
        _write_model(draft, description, model, facts, quantise=in_8_bits, head=head, dimension=dimension)
        try:
            require_parity(draft, theirs, texts, least=LEAST_OF_FOREIGN if in_8_bits else None)
        except ModelError:
            if not in_8_bits:
                raise
        else:
            return


def _write_model(
    draft: Path,
    description: SourceModel,
    model: torch.nn.Module,
    facts: Named,
    *,
    quantise: bool,
    head: Callable[[torch.Tensor], torch.Tensor] | None = None,
    dimension: int | None = None,
) -> None:
    write_model_graph(model, draft, quantise=quantise, head=head)
    manifest_of(
        draft,
        description,
        facts,
        dimension=dimension or _width(description, model),
        pooling=description.pooling,
        prefixes=(description.query_prefix, description.passage_prefix),
        window=description.window,
        quantised=quantise,
    ).write(draft)


def _width(description: SourceModel, model: torch.nn.Module) -> int:
    """Return how many numbers a model's vectors have: as many as its last layer gives."""
    if description.dense:
        config = json.loads((description.dense[-1] / "config.json").read_text(encoding="utf-8"))
        return int(config["out_features"])
    return int(model.config.hidden_size)


def parity_texts() -> list[str]:
    """Return shipped texts, short and long, on which two forms of a model are compared."""
    return [*background_passages()[: PARITY_TEXTS // 2], *foreign_queries()[: PARITY_TEXTS // 2]]


def require_parity(
    folder: Path, theirs: NDArray[np.float32], texts: Sequence[str] | None = None, least: float | None = None
) -> float:
    """Return the mean cosine between a model folder's vectors of texts and the original's.

    Raises ModelError where it is below `least`, by default what the quantisation allows.
    """
    import numpy as np

    encoder = Encoder(folder)
    found = encoder.encode_passages(texts or parity_texts())
    parity = float(np.mean(np.sum(found * theirs, axis=1)))
    least = least or LEAST_PARITY[encoder.manifest.quantisation]
    if not parity >= least:
        raise ModelError(
            "The exported model is too far from the original.",
            cause=f"The mean cosine between their vectors is {decimal(parity, 4)}, at least {least} is required.",
            fix="" if encoder.manifest.quantisation == "none" else "Export it with --fp32, without quantisation.",
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


def original_vectors(
    folder: Path, description: SourceModel, texts: Sequence[str], dimensions: int | None = None
) -> NDArray[np.float32]:
    """Return the vectors of texts as sentence-transformers gives them with the directory, of unit length."""
    import numpy as np

    with onnx_graph.quiet():
        from sentence_transformers import SentenceTransformer  # 5 s

        model = SentenceTransformer(
            str(folder), device="cpu", local_files_only=True, trust_remote_code=False, truncate_dim=dimensions
        ).float()
        model.max_seq_length = description.window
        given = model.encode(list(texts), prompt="", batch_size=8, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(given, dtype=np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, help="a sentence-transformers model; default: the embedded")
    parser.add_argument("--out", type=Path, help="the model folder to write; default: where Carrel looks for it")
    parser.add_argument("--name", help="what the model is called; default: the name of its directory")
    parser.add_argument("--dimensions", type=int, help="numbers of each vector to keep, for models made to be cut")
    parser.add_argument("--fp32", action="store_true", help="leave the weights in 32 bits")
    chosen = parser.parse_args(arguments)
    try:
        manifest = export(
            chosen.directory,
            _target(chosen),
            quantise=not chosen.fp32,
            name=chosen.name,
            dimensions=chosen.dimensions,
        )
    except CarrelError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{manifest.id}: {manifest.dimension} dimensions, background cosine {decimal(manifest.background_cosine, 4)}")
    return 0


def _target(chosen: argparse.Namespace) -> Path:
    if chosen.out is not None:
        return Path(chosen.out)
    if chosen.directory is None:
        return catalogue.EMBEDDED_FOLDER
    return catalogue.place_of(chosen.name or chosen.directory.resolve().name)


if __name__ == "__main__":
    sys.exit(main())
