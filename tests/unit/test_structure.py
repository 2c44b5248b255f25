"""How the parts hang together: imports without circles, as read from the source and not from what happens to run."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


def modules_below(folder: str) -> dict[str, ast.Module]:
    """Return the syntax of every module below a folder by its dotted name; a package has the name of its folder."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(module: ast.Module) -> Iterator[str]:
    """Yield the names that a module imports anywhere: at its head, for types only, or inside a function."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(modules: Mapping[str, ast.Module]) -> dict[str, Set[str]]:
    """Return which of the modules each imports."""
    return {
        name: {each for each in imported(tree) if each in modules and each != name} for name, tree in modules.items()
    }


def first_circle(graph: Mapping[str, Set[str]]) -> list[str]:
    """Return modules of which each is imported by the next, and the last by the first; [] where there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_modules_of_the_browser_import_each_other_in_a_circle():
    assert first_circle(import_graph(modules_below("app/tui"))) == []


def test_a_module_name_stands_for_two_things_at_most():
    """A fuzzy opener that is given a name must not answer with three rooms."""
    paths = [path for folder in ("app", "engine", "training") for path in modules_below(folder)]
    counts = Counter(path.rpartition(".")[2] for path in paths)
    assert {name for name, count in counts.items() if count > 2} <= {"screen", "actions"}


def test_within_one_package_a_module_name_stands_for_one_thing():
    """Only a screen and its actions are called so in every folder of screens; the path tells which."""
    for folder in ("app", "engine", "training"):
        counts = Counter(path.stem for path in (ROOT / folder).rglob("*.py") if path.stem != "__init__")
        assert {name for name, count in counts.items() if count > 1} <= {"screen", "actions"}


def test_architecture_names_only_what_is_there():
    """Every file and folder that the page names exists, the ones that stand behind a folder's name too."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"\b(?:app|engine|training|tests)/[\w/*.]*\w", page)
    assert len(named) > 60
    assert [name for name in named if not list(ROOT.glob(name)) and not list(ROOT.glob(f"{name}.py"))] == []
    bare = re.findall(r"(?<![\w/])[a-z_]+\.py\b", page)
    assert [name for name in bare if not list(ROOT.glob(f"engine/**/{name}")) + list(ROOT.glob(f"*/**/{name}"))] == []
