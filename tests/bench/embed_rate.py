"""How fast passages are embedded, beside fastembed with the same model file on the same texts.

    CARREL_DATA=… python tests/bench/embed_rate.py [--passages 600] [--full FOLDER] [--json]

Both use all cores, as they do by default. `--full` names a folder with the model in fp32: then the cosine between the
shipped vectors and those is told as well. fastembed's own vectors differ slightly: its batches share int8 scales.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import heading, machine
from real_text import passages

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder

ROUNDS = 3  # each in turn, so that what else the machine does meets both
WINDOW = 256


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=600)
    parser.add_argument("--full", type=Path, help="a folder with the same model in fp32")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    texts = passages(options.passages)
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(texts, Path(base), options.full)
    print(json.dumps(report, indent=1) if options.json else table(report))


def measured(texts: list[str], base: Path, full: Path | None) -> dict[str, Any]:
    """Encode the texts with both, in turn."""
    shipped = catalogue.load()
    ours = Encoder(shipped.folder, sessions=os.cpu_count() or 1)
    theirs = fastembed_with(shipped.folder, base)
    ours.encode_passages(texts[:4])
    list(theirs.embed(texts[:4]))
    rates: dict[str, list[float]] = {"carrel": [], "fastembed": []}
    for _ in range(ROUNDS):
        began = time.perf_counter()
        vectors = ours.encode_passages(texts)
        rates["carrel"].append(len(texts) / (time.perf_counter() - began))
        began = time.perf_counter()
        other = np.stack(list(theirs.embed(texts)))
        rates["fastembed"].append(len(texts) / (time.perf_counter() - began))
    best = {name: max(each) for name, each in rates.items()}
    report = {
        "machine": machine(),
        "passages": len(texts),
        "passages_a_second": best,
        "ratio": best["carrel"] / best["fastembed"],
        "cosine_to_fastembed": float((vectors * other).sum(axis=1).mean()),
    }
    if full is not None:
        cosine = (vectors * Encoder(full).encode_passages(texts)).sum(axis=1)
        report["cosine_to_fp32"] = {"mean": float(cosine.mean()), "least": float(cosine.min())}
    return report


def fastembed_with(folder: Path, base: Path) -> Any:
    """Return fastembed's own text embedding with the model file of `folder`."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    place = base / "model"
    place.mkdir()
    shutil.copyfile(folder / "model.onnx", place / "model.onnx")
    shutil.copyfile(folder / "tokenizer.json", place / "tokenizer.json")
    (place / "config.json").write_text(json.dumps({"pad_token_id": 0}))
    settings = {"model_max_length": WINDOW, "pad_token": "[PAD]"}
    (place / "tokenizer_config.json").write_text(json.dumps(settings))
    (place / "special_tokens_map.json").write_text(json.dumps({"pad_token": "[PAD]"}))
    name = "carrel-bench/shipped"
    TextEmbedding.add_custom_model(
        model=name,
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(url="file://"),
        dim=384,
        model_file="model.onnx",
    )
    return TextEmbedding(name, specific_model_path=str(place))


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    rates = report["passages_a_second"]
    lines = [
        heading(report["machine"]),
        f"{report['passages']:,} passages, the best of {ROUNDS} rounds",
        f"carrel     {rates['carrel']:7.1f} a second",
        f"fastembed  {rates['fastembed']:7.1f} a second",
        f"ratio      {report['ratio']:7.2f}",
    ]
    if "cosine_to_fp32" in report:
        found = report["cosine_to_fp32"]
        lines.append(f"cosine to fp32: mean {found['mean']:.4f}, least {found['least']:.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
