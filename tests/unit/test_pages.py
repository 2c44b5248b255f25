"""What the pages for those who change Carrel promise: every variable, every command, every benchmark is named."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def targets() -> list[str]:
    return re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)


def test_the_page_names_every_variable_that_tests_read() -> None:
    variables = {
        name
        for file in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"\"(CARREL_[A-Z_]+)\"", file.read_text(encoding="utf-8"))
    }
    assert {"CARREL_DATA", "CARREL_SLOW", "CARREL_KILLS", "CARREL_EXAMPLES"} <= variables
    assert [name for name in sorted(variables) if f"`{name}" not in CONTRIBUTING] == []


def test_the_page_names_every_command_of_the_makefile() -> None:
    assert {"fast", "check", "test", "snapshots", "bench"} <= set(targets())
    assert [name for name in targets() if f"make {name}" not in CONTRIBUTING] == []


def test_every_command_of_the_makefile_is_explained_and_is_no_file() -> None:
    explained = re.findall(r"^([a-z]+):.*  ## \S", MAKEFILE, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony and explained == targets() == phony[1].split()


def test_every_benchmark_with_a_command_line_is_named_and_no_other() -> None:
    page = (ROOT / "tests" / "bench" / "README.md").read_text(encoding="utf-8")
    files = (ROOT / "tests" / "bench").glob("*.py")
    commands = {file.name for file in files if '__name__ == "__main__"' in file.read_text(encoding="utf-8")}
    assert set(re.findall(r"^\| `(\w+\.py)", page, re.MULTILINE)) == commands


def test_the_hooks_fetch_nothing() -> None:
    written = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in written["repos"]} == {"local"}
    hooks = [hook for repository in written["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["entry"].removeprefix("make ") for hook in hooks} <= set(targets())


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "tests" / "bench" / "README.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == []
