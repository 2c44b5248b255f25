"""Has a model built by the training room, in a process of its own: torch never enters this one."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import ModelError
from engine.installation import command_for
from engine.paths import own_process, places, private_folder

if TYPE_CHECKING:
    from engine.embedding.manifest import Manifest

EXPORTER = "training.export"
NEEDED = ("torch", "transformers", "onnx")


def build(directory: Path, name: str | None, dimensions: int | None = None) -> Manifest:
    """Build the sentence-transformers model in `directory` and return its manifest.

    Of each vector the first `dimensions` numbers are kept, None keeps all. Raises ModelError.
    """
    from engine.embedding import catalogue
    from engine.embedding.manifest import Manifest

    called = name or directory.name
    if called.lower() == catalogue.EMBEDDED.lower():
        raise ModelError(f"{called} is the embedded model's name.", fix="Choose another with --name.")
    _require_training()
    click.echo(f"Building {called}; this takes a few minutes.", err=True)
    place = catalogue.place_of(called)
    arguments = [str(directory), "--name", called, "--out", str(place)]
    arguments += ["--dimensions", str(dimensions)] if dimensions is not None else []
    ended = subprocess.run(
        [*own_process(EXPORTER), *arguments],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},  # all of it lies here: no hub is asked for what is missing
        cwd=private_folder(places().state),  # a folder with a json.py in it must not be run as code
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode:
        raise ModelError(f"No model was made of {directory}.", cause=_last_line(ended.stderr))
    return Manifest.read(place)


def described(manifest: Manifest) -> str:
    """Return what a person may want to check of a built model, as a sentence."""
    before = [f"{what} begin with {text!r}" for what, text in _prefixes(manifest) if text]
    bits = {"int8": "8", "none": "32"}[manifest.quantisation]
    late = ["a vector for each token"] if manifest.multi_vector else []
    facts = [
        f"{manifest.window} tokens at most",
        *late,
        f"weights in {bits} bits",
        f"licence {manifest.license}",
        *before,
    ]
    return f"It reads {', '.join(facts)}."


def _prefixes(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    return ("queries", manifest.query_prefix), ("passages", manifest.passage_prefix)


def _require_training() -> None:
    """Raise ModelError where the training extra is not installed."""
    if all(importlib.util.find_spec(module) for module in NEEDED):
        return
    raise ModelError(
        "Building a model needs the training extra, which is not installed.",
        fix=f"Run: {command_for('training')}",
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "The process that builds it ended without a word."
