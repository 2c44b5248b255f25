"""Measures the memory that a model takes, in a process of its own: what is loaded here would count else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.paths import own_process

PATIENCE_SECONDS = 60.0  # loading a model of 500 MB from a slow disk takes 10


def measured_memory(folder: Path) -> int | None:
    """Return the bytes that encoding with the model of a folder takes; None where that cannot be told here."""
    try:
        done = subprocess.run(
            [*own_process("engine.embedding.model_memory"), str(folder)],
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return max(0, int(done.stdout))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _held_bytes() -> int:
    """Return what this process holds in memory, as Linux tells it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) * 1024


def _measure(folder: Path) -> int:
    """Return what this process comes to hold with a model; what all models need is loaded before."""
    import numpy  # noqa: F401
    import onnxruntime  # noqa: F401
    import tokenizers  # noqa: F401

    from engine.embedding.encoder import Encoder

    before = _held_bytes()
    Encoder(folder).encode_query("how much memory does a model take that reads a question of a few words")
    return _held_bytes() - before


if __name__ == "__main__":
    print(_measure(Path(sys.argv[1])))
