"""Measures the memory that a model takes, in a process of its own: what is loaded here would count else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PATIENCE_SECONDS = 60.0  # loading a model of 500 MB from a slow disk takes 10
# What a process holds (VmRSS, in KiB) before the model's files are read, and once it has encoded a question.
_PROGRAM = """
import re, sys
from pathlib import Path
import numpy, onnxruntime, tokenizers
from engine.embedding.encoder import Encoder

def held():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before = held()
Encoder(Path(sys.argv[1])).encode_query("how much memory does a model take that reads a question of a few words")
print((held() - before) * 1024)
"""


def measured_memory(folder: Path) -> int | None:
    """Return the bytes that encoding with the model of a folder takes; None where that cannot be told here."""
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(folder)],
            cwd=root,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return max(0, int(done.stdout))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
