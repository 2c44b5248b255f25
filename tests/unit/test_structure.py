"""How the parts hang together: imports without circles, as read from the source and not from what happens to run."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


@cache
def modules_below(folder: str) -> dict[str, ast.Module]:
    """Return the syntax of every module below a folder by its dotted name; a package has the name of its folder."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    """Let go of the syntax of the whole program behind the last of these tests."""
    yield
    modules_below.cache_clear()


def imported(module: ast.Module) -> Iterator[str]:
    """Yield what a module imports anywhere: at its head, for types only, or inside a function; a name by its module."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(modules: Mapping[str, ast.Module]) -> dict[str, Set[str]]:
    """Return which of the modules each imports; a module of a package alone is no import of what the package holds."""
    graph: dict[str, Set[str]] = {}
    for name, tree in modules.items():
        homes = {each if each in modules else each.rpartition(".")[0] for each in imported(tree)}
        graph[name] = {home for home in homes if home in modules and home != name}
    return graph


def first_circle(graph: Mapping[str, Set[str]]) -> list[str]:
    """Return modules of which each is imported by the next, and the last by the first; [] where there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


@pytest.mark.parametrize("folder", ["app", "engine", "training"])
def test_no_modules_import_each_other_in_a_circle(folder):
    assert first_circle(import_graph(modules_below(folder))) == []


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
    there = {path.name for folder in ("app", "engine", "training", "tests") for path in (ROOT / folder).rglob("*.py")}
    assert [name for name in bare if name not in there] == []


def classes_of(modules: Mapping[str, ast.Module]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield every class with the module that it stands in and the plain names of its bases."""
    for module, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield node.name, module, [base.id for base in node.bases if isinstance(base, ast.Name)]


def names_used(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module uses outside the bases of its classes; an import alone is no use."""
    bases = {id(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in bases:
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value  # an annotation may be written as text


def split_classes(modules: Mapping[str, ast.Module]) -> list[str]:
    """Return the classes that nobody uses but the one class in another module that inherits from them."""
    classes = list(classes_of(modules))
    home = {name: module for name, module, _ in classes}
    heirs: dict[str, set[tuple[str, str]]] = {}
    for name, module, bases in classes:
        for base in bases:
            heirs.setdefault(base, set()).add((name, module))
    used = {name for tree in modules.values() for name in names_used(tree)}
    return sorted(
        f"{home[base]}.{base}"
        for base, found in heirs.items()
        if base in home
        and base not in used
        and {module for _, module in found} == {next(iter(found))[1]} != {home[base]}
    )


def test_no_class_is_cut_over_files_by_inheritance():
    modules = modules_below("app") | modules_below("engine") | modules_below("training")
    assert split_classes(modules) == []


def private_names(tree: ast.Module, *, defined: bool) -> set[str]:
    """Return the private attributes that a module defines in its classes and functions, or those that it uses."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) is defined:
            found.add(node.attr)
        elif defined and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif defined and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


def test_no_private_attribute_of_the_app_is_used_in_another_file():
    modules = modules_below("app")
    own = {name: private_names(tree, defined=True) for name, tree in modules.items()}
    ours = set().union(*own.values())
    used = {name: private_names(tree, defined=False) & ours for name, tree in modules.items()}
    assert {name: found - own[name] for name, found in used.items() if found - own[name]} == {}


def test_no_name_of_a_module_is_given_twice():
    """A constant that is written again further down would silently take the place of the first."""
    twice = []
    for folder in ("app", "engine", "training"):
        for module, tree in modules_below(folder).items():
            given = Counter(
                target.id
                for node in tree.body
                if isinstance(node, (ast.Assign, ast.AnnAssign))
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
                if isinstance(target, ast.Name)
            )
            twice += [f"{module}.{name}" for name, count in given.items() if count > 1]
    assert twice == []
