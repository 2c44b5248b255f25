"""What a command loads: each module that it does without is time that a person does not wait."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.library import Library

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("roughly_fitted")]

ROOT = Path(__file__).parents[2]
RUN = """
import dataclasses, json, sys
from app.cli import main
code = main(sys.argv[1:])
loaded = sorted(sys.modules)
heavy = [
    f"{name}.{each.__name__}"
    for name in loaded
    if name.partition(".")[0] in ("app", "engine", "training")
    for each in vars(sys.modules[name]).values()
    if isinstance(each, type) and each.__module__ == name and dataclasses.is_dataclass(each)
    if each.__dataclass_params__.frozen and "__slots__" in vars(each) and not hasattr(each, "_carrel_plan")
]
print(json.dumps({"code": code, "loaded": loaded, "heavy": heavy}), file=sys.stderr)
"""
NEVER = {"textual", "rich", "torch", "fastembed", "training", "watchdog", "lxml", "chardet", "numpy.ma"}
WRITERS = {  # what indexes, repairs, or reads files
    "engine.chunking.chunker",
    "engine.indexing.sync",
    "engine.maintenance.doctor",
    "engine.sources.readers.source_file",
    "engine.watching.observer",
}
MODEL = {"onnxruntime", "tokenizers"}
SEARCHES = {"numpy", "engine.retrieval.search_pipeline", "engine.store.tokenizer"}
HEAVY_OF_PYTHON = {"asyncio", "email", "logging", "tomllib", "importlib.metadata", "multiprocessing", "unittest"}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "bread.md").write_text("# Bread\n\nFeed the starter with flour and water — twice a day.\n")
    path = tmp_path / "library.carrel"
    with Library.open(path, create=True) as opened:
        opened.add(notes)
        opened.sync()
    return path


def loaded_by(library: Path, *arguments: str) -> set[str]:
    """Run a command in a process of its own and return what it loaded; fails where a record was made the slow way."""
    environment = {"PATH": "", "CARREL_HOME": str(library.parent / "home"), "CARREL_LIBRARY": str(library)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["code"] == 0, done.stderr
    assert told["heavy"] == [], "import `dataclass` from engine.lazy_dataclass there: a start waits for it"
    return set(told["loaded"])


def test_the_version_loads_next_to_nothing(library):
    loaded = loaded_by(library, "--version")
    assert not loaded & (NEVER | WRITERS | MODEL | SEARCHES | HEAVY_OF_PYTHON | {"click", "apsw", "engine.library"})


def test_the_status_loads_nothing_that_searches_or_reads_files(library):
    loaded = loaded_by(library, "status")
    assert "engine.library" in loaded
    assert not loaded & (NEVER | WRITERS | MODEL | SEARCHES | HEAVY_OF_PYTHON)


def test_what_binds_the_picker_is_printed_without_the_engine(library):
    loaded = loaded_by(library, "init", "zsh")  # at each start of a shell
    assert not loaded & (NEVER | WRITERS | MODEL | SEARCHES | HEAVY_OF_PYTHON | {"apsw", "engine.library"})


def test_a_pick_without_a_screen_loads_what_a_search_loads(library):
    loaded = loaded_by(library, "pick", "--filter", "starter")
    assert loaded >= SEARCHES | MODEL
    assert not loaded & (NEVER | WRITERS | {"importlib.metadata"})


def test_a_search_by_words_loads_no_model(library):
    loaded = loaded_by(library, "search", "--fusion", "keyword", "starter")
    assert loaded >= SEARCHES
    assert not loaded & (NEVER | WRITERS | MODEL | {"asyncio", "engine.embedding.encoder", "importlib.metadata"})


def test_a_search_loads_what_searches_and_nothing_that_indexes(library):
    loaded = loaded_by(library, "search", "starter")
    assert loaded >= SEARCHES | MODEL
    assert not loaded & (NEVER | WRITERS | {"importlib.metadata"})


def test_threads_that_multiplied_rest_at_once(tmp_path):
    (tmp_path / "product.py").write_text(
        "import time, numpy\n"
        "matrix = numpy.ones((20_000, 384), numpy.float32)\n"
        "matrix @ matrix[0]\n"
        "began = time.process_time()\n"
        "time.sleep(0.2)\n"
        "print(time.process_time() - began)\n"
    )
    command = [sys.executable, str(ROOT / "carrel_launcher.py"), "-m", "product"]
    environment = {"PATH": "", "PYTHONPATH": str(tmp_path)}  # all cores
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert float(done.stdout) < 0.01, done.stderr  # seconds of processor time while nothing is to be done
