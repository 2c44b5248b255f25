"""Folders on the search path that bear the names of Carrel's packages do not stand in its way."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engine.paths import own_process

ROOT = Path(__file__).parents[3]
NAMES = ("app", "engine", "training")
FOREIGN = "raise RuntimeError('foreign code was run')\n"


def package(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(FOREIGN)


def namespace(folder: Path, name: str) -> None:
    (folder / name / "cli").mkdir(parents=True)


def module(folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text(FOREIGN)


def broken(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("def (\n")


Kind = Callable[[Path, str], None]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The `carrel` command as an installer writes it from the project's own entry point."""
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["carrel"]
    where, function = entry.split(":")
    script = tmp_path / "bin" / "carrel"
    script.parent.mkdir()
    script.write_text(f"import sys\nfrom {where} import {function}\nsys.exit({function}())\n")
    return [sys.executable, str(script)]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "hostile"
    folder.mkdir()
    return folder


def run(
    command: Sequence[str], tmp_path: Path, search_path: Path | str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CARREL_HOME": str(tmp_path / "home"), "PYTHONPATH": str(search_path)}
    return subprocess.run(command, env=environment, cwd=cwd or tmp_path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", [package, namespace, module, broken])
def test_carrel_runs_beside_foreign_packages_of_its_names(
    command: list[str], hostile: Path, tmp_path: Path, kind: Kind
) -> None:
    for name in NAMES:
        kind(hostile, name)

    ended = run([*command, "runs", "--json"], tmp_path, hostile)  # brings app, engine and training

    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["runs"] == []


@pytest.mark.parametrize("name", NAMES)
def test_carrel_runs_in_a_folder_that_holds_one_of_its_names(
    command: list[str], hostile: Path, tmp_path: Path, name: str
) -> None:
    package(hostile, name)

    ended = run([*command, "runs", "--json"], tmp_path, f"{os.pathsep}", cwd=hostile)  # an empty part: this folder

    assert (ended.returncode, ended.stderr) == (0, "")


def test_its_processes_run_beside_them_too(command: list[str], hostile: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "bread.html").write_text("<p>Feed the starter.</p>")
    for name in NAMES:
        package(hostile, name)

    ended = [run([*command, *each], tmp_path, hostile) for each in (("add", str(notes)), ("sync",))]
    found = run([*command, "search", "--json", "starter"], tmp_path, hostile)

    assert [each.returncode for each in ended] == [0, 0], ended[-1].stderr
    assert [hit["title"] for hit in json.loads(found.stdout)["results"]] == ["bread"]


@pytest.mark.parametrize("kind", [package, namespace, module, broken])
def test_a_module_is_started_as_a_process_from_its_own_folder(hostile: Path, tmp_path: Path, kind: Kind) -> None:
    for name in NAMES:
        kind(hostile, name)

    ended = run([*own_process("app.cli"), "--version"], tmp_path, hostile, cwd=hostile)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("carrel ")


def test_a_package_that_was_loaded_before_carrel_is_named_with_the_way_out(hostile: Path, tmp_path: Path) -> None:
    (hostile / "engine").mkdir()
    (hostile / "engine/__init__.py").write_text("")
    program = (
        "import sys; sys.argv[1:] = ['--version']; import engine, carrel_launcher; sys.exit(carrel_launcher.main())"
    )

    ended = run([sys.executable, "-c", program], tmp_path, hostile)

    assert ended.returncode == 2
    assert f"another package named `engine`, {hostile / 'engine/__init__.py'}" in ended.stderr
    assert "pipx install carrel" in ended.stderr and "Traceback" not in ended.stderr


def test_a_package_that_is_gone_is_named(hostile: Path, tmp_path: Path) -> None:
    package(hostile, "app")
    alone = tmp_path / "site" / "carrel_launcher.py"
    alone.parent.mkdir()
    alone.write_bytes((ROOT / "carrel_launcher.py").read_bytes())

    ended = run([sys.executable, "-P", str(alone), "-m", "app.cli"], tmp_path, hostile)

    assert ended.returncode == 2
    assert f"`app` is missing from {alone.parent}" in ended.stderr and "Traceback" not in ended.stderr


def test_the_launcher_itself_is_the_command(hostile: Path, tmp_path: Path) -> None:
    for name in NAMES:
        package(hostile, name)

    ended = run([sys.executable, "-m", "carrel_launcher", "--version"], tmp_path, hostile, cwd=hostile)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("carrel ")


def test_python_m_starts_a_checkout(hostile: Path, tmp_path: Path) -> None:
    for name in NAMES:
        package(hostile, name)

    ended = run([sys.executable, "-m", "app.cli", "--version"], tmp_path, hostile, cwd=ROOT)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_python_m_keeps_its_own_engine_where_it_found_its_own_app(hostile: Path, tmp_path: Path) -> None:
    for name in ("engine", "training"):
        package(hostile, name)

    command = [sys.executable, "-P", "-m", "app.cli", "runs", "--json"]
    ended = run(command, tmp_path, f"{hostile}{os.pathsep}{ROOT}")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_every_process_of_carrel_is_started_in_one_way() -> None:
    others = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in NAMES
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) == "sys.executable"
        and path not in (ROOT / "engine/paths.py", ROOT / "engine/installation.py")  # the second only names it
    ]
    assert others == []


def test_what_was_to_be_done_at_the_end_is_done_though_the_process_ends_at_once(hostile: Path, tmp_path: Path) -> None:
    program = (
        "import atexit, sys; sys.argv[1:] = ['--help']; atexit.register(print, 'at the end');"
        "import carrel_launcher; sys.exit(carrel_launcher.main())"
    )

    ended = run([sys.executable, "-c", program], tmp_path, hostile, cwd=ROOT)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Usage: carrel") and ended.stdout.endswith("at the end\n")
