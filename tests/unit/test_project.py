"""The project as a whole: style, types, floors, what is shipped, and what importing costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from app.integrations import FILES

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "engine", "training")
HEAVY = {"numpy", "onnxruntime", "tokenizers", "textual", "torch", "apsw", "fastembed"}


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(result.stdout)}


def test_the_code_keeps_its_style():
    result = run("ruff", "check", ".")
    assert result.returncode == 0, result.stdout


def test_the_code_is_formatted():
    result = run("ruff", "format", "--check", ".")
    assert result.returncode == 0, result.stdout


def test_the_types_hold():
    result = run("mypy")
    assert result.returncode == 0, result.stdout


def test_no_import_runs_upward():
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_the_wheel_holds_the_weights_and_their_licence(tmp_path):
    result = run("build", "--wheel", "--no-isolation", "--outdir", str(tmp_path))
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        sizes = {entry.filename: entry.file_size for entry in wheel.infolist()}
        commands = wheel.read(next(name for name in sizes if name.endswith("entry_points.txt"))).decode()
    weights = "engine/embedding/weights"
    assert sizes[f"{weights}/model.onnx"] > 20_000_000
    assert {f"{weights}/tokenizer.json", f"{weights}/manifest.json", f"{weights}/LICENSE"} <= sizes.keys()
    assert {"engine/embedding/foreign_queries.txt", "engine/embedding/background_passages.txt"} <= sizes.keys()
    assert {f"app/integrations/{file}" for file in FILES.values()} <= sizes.keys()
    assert {"app/tui/screens/search/search.tcss", *(f"{package}/py.typed" for package in PACKAGES)} <= sizes.keys()
    assert "carrel_launcher.py" in sizes and "carrel = carrel_launcher:main" in commands
    assert not [name for name in sizes if name.startswith("tests/") or "fake" in name]


def test_importing_the_engine_loads_nothing_heavy():
    assert not loaded_by("import engine") & HEAVY


def test_importing_the_command_line_loads_nothing_heavy():
    assert not loaded_by("import app.cli") & HEAVY


def test_importing_any_room_but_training_loads_no_torch():
    assert "torch" not in loaded_by("import engine.library, engine.indexer.worker, app.tui.app, training.export")


def test_every_dependency_has_its_reason():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if re.match(r'    "[A-Za-z][\w-]*(\[.*\])?([<>=!~]=?[^"]*)?",', line)]
    pinned = [line for line in wanted if re.search(r"[<>=]", line) or "types-" in line or "stubs" in line]
    assert pinned and all("#" in line for line in pinned), [line for line in pinned if "#" not in line]


def test_the_runtime_does_not_ask_for_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = " ".join(project["dependencies"])
    assert not re.search(r"torch|transformers|gt-all", named)


def test_continuous_integration_runs_the_command_that_the_readme_gives():
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()


def test_the_readme_names_every_command():
    from app.cli.commands import COMMANDS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"carrel {name}" not in readme] == []
