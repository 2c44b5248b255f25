"""Looks at the weights of a model before anything is loaded: whole, harmless, and small enough for one file."""

from __future__ import annotations

import hashlib
import json
from math import prod
from pathlib import Path
from typing import Any

from engine.embedding.manifest import file_sha256

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"  # of weights that lie in several files
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
LONGEST_HEADER = 100 * 2**20  # bytes, as the format's own library has it
LARGEST_GRAPH = 2**31 - 2**24  # bytes in 32 bits: a file of ONNX ends at 2 GiB, its graph included
POINTER = b"version https://git-lfs"


class UnfitWeights(Exception):
    """Why weights cannot be used, and what to do about it."""

    def __init__(self, cause: str, fix: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix


def weights_of(folder: Path) -> list[Path]:
    """Return the files that hold a module's weights. Raises UnfitWeights where they are missing, cut or pickled."""
    files = [folder / WEIGHTS_FILE]
    if not files[0].is_file() and (folder / INDEX_FILE).is_file():
        files = _parts(folder)
    if not files[0].is_file():
        if any((folder / name).exists() for name in PICKLES):
            raise UnfitWeights(
                f"Its weights in {folder} are a pickle, which can run code when it is read.",
                "Load it where you trust it, and save it again: sentence-transformers then writes model.safetensors.",
            )
        raise UnfitWeights(f"There is no {WEIGHTS_FILE} in {folder}.")
    for each in files:
        _header(each)
    return files


def octets_in_full(files: list[Path]) -> int:
    """Return how many bytes the weights take in 32 bits, whatever they are kept in. Raises UnfitWeights."""
    shapes = [one["shape"] for each in files for name, one in _header(each).items() if name != "__metadata__"]
    return 4 * sum(int(prod(shape)) for shape in shapes)


def revision_of(files: list[Path]) -> str:
    """Return what tells these weights from any others: the SHA-256 of the file, or of those of its parts."""
    digests = [file_sha256(each) for each in files]
    return "sha256:" + (digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest())


def _parts(folder: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnfitWeights(f"{INDEX_FILE} cannot be read: {error}.") from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
            raise UnfitWeights(f"A part of its weights is missing: {name}.", "Fetch the whole model again.")
    return [folder / name for name in names]


def _header(path: Path) -> dict[str, Any]:
    """Return the table at the beginning of a file of weights, once the file is as long as the table says."""
    with path.open("rb") as stream:
        begin = stream.read(len(POINTER))
        if begin == POINTER:
            raise UnfitWeights(f"{path.name} is only a pointer of Git LFS.", "Run `git lfs pull` in its folder.")
        length = int.from_bytes(begin[:8], "little")
        stream.seek(8)
        head = stream.read(length) if length <= LONGEST_HEADER else b""
    try:
        table: dict[str, Any] = json.loads(head)
        end = max(one["data_offsets"][1] for name, one in table.items() if name != "__metadata__")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise UnfitWeights(f"{path.name} is no file of weights, or was cut off.", "Fetch the model again.") from None
    if path.stat().st_size != 8 + length + end:
        raise UnfitWeights(f"{path.name} was cut off.", "Fetch the model again.")
    return table
