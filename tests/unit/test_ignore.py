"""The patterns of ignore files, held against what git says of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties import examples

from engine.sources import ignore_files
from engine.sources.discovery import FoundFile, LeftOut, discover
from engine.sources.ignore_files import IgnoreFile


@pytest.mark.parametrize(
    ("pattern", "path", "is_folder", "expected"),
    [
        ("*.log", "deep/down/a.log", False, True),
        ("*.log", "a.logs", False, None),
        ("/a.txt", "a.txt", False, True),
        ("/a.txt", "b/a.txt", False, None),
        ("build/", "build", True, True),
        ("build/", "build", False, None),
        ("doc/*.txt", "doc/a.txt", False, True),
        ("doc/*.txt", "doc/b/a.txt", False, None),
        ("**/logs", "a/b/logs", True, True),
        ("logs/**", "logs", True, None),
        ("logs/**", "logs/a/b", False, True),
        ("a/**/b", "a/b", False, True),
        ("a/**/b", "a/x/y/b", False, True),
        ("d**/a", "d/f/a", False, True),
        ("d**/a", "da", False, True),
        ("d**/a", "dxa", False, None),
        ("?**/a", "d/f/a", False, None),
        ("x/d**", "x/d/f/a", False, True),
        ("***/a", "d/f/a", False, True),
        ("e/***/a", "e/f/g/a", False, True),
        ("[a-c]?.md", "b1.md", False, True),
        ("[!a-c]?.md", "b1.md", False, None),
        ("[[:digit:]]*", "1st", False, True),
        (r"\#hash", "#hash", False, True),
        (r"\!bang", "!bang", False, True),
        ("# comment", "# comment", False, None),
        ("trailing   ", "trailing", False, True),
        (r"space\ ", "space ", False, True),
        ("[unclosed", "[unclosed", False, None),
        ("caf\udce9", "caf\udce9", False, True),
        ("*.tar.gz", "x.tar.gz", False, True),
    ],
)
def test_a_pattern_means_what_git_says(pattern: str, path: str, is_folder: bool, expected: bool | None) -> None:
    assert IgnoreFile([pattern]).verdict(path, path.rsplit("/")[-1], is_folder) is expected


def test_the_last_matching_line_decides() -> None:
    rules = IgnoreFile(["*.md", "!keep.md", "drafts/keep.md"])
    assert rules.verdict("a.md", "a.md", False) is True
    assert rules.verdict("keep.md", "keep.md", False) is False
    assert rules.verdict("drafts/keep.md", "keep.md", False) is True


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 30 + "*b", "a" * 250),
        ("[!x]*" * 30 + "b", "a" * 250),
        ("**/a/" * 30 + "**/b", "a/" * 1000 + "a"),
        ("**/*a*a*/" * 9 + "**/b", "aaa/" * 300 + "a"),
    ],
)
def test_a_pattern_of_many_stars_is_soon_answered(pattern: str, path: str) -> None:
    """Tried one after another, the places for its stars would take longer than the world has been there."""
    assert IgnoreFile([pattern]).verdict(path, path.rsplit("/")[-1], False) is None
    assert IgnoreFile([pattern]).verdict(path[:-1] + "b", path[:-1].rsplit("/")[-1] + "b", False) is True


NAMES = ("a", "b", "ab", "a.md", "b.md", ".x")
PATHS = [f"{top}/{name}" for top in ("d", "e", "d/f") for name in NAMES] + list(NAMES)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    try:
        subprocess.run(["git", "init", "-q", str(root)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git is not installed")
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def verdict_down_the_tree(rules: IgnoreFile, path: str) -> bool:
    """Ask as a walk does: about each folder first, and no further once one is left out."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        if rules.verdict("/".join(parts[:depth]), parts[depth - 1], depth < len(parts)):
            return True
    return False


PIECES = st.sampled_from(["a", "b", "d", "e", "f", "*", "?", "**", "/", "/", ".md", "[ab]", "[!a]", ".x", "\\a"])
PATTERNS = st.lists(
    st.builds(
        lambda bang, body: bang + "".join(body),
        st.sampled_from(["", "", "!"]),
        st.lists(PIECES, min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=PATTERNS)
def test_any_ignore_file_agrees_with_git(repository: Path, lines: list[str]) -> None:
    (repository / ".gitignore").write_text("\n".join(lines))
    asked = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "--stdin"],
        cwd=repository,
        input="\n".join(PATHS),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode in (0, 1), asked.stderr
    ignored_by_git = set(asked.stdout.splitlines())
    rules = IgnoreFile(lines)
    assert {path for path in PATHS if verdict_down_the_tree(rules, path)} == ignored_by_git


def test_an_ignore_file_is_compiled_once_for_all_folders_that_have_it(tmp_path, monkeypatch):
    counted = []
    plain = ignore_files.to_regex
    monkeypatch.setattr(ignore_files, "to_regex", lambda *glob: counted.append(glob) or plain(*glob))
    for number in range(50):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / ".gitignore").write_text("once*upon\n/a*b/c\nplain\n*.suffix\n")
        (folder / "note.md").write_text("a")
        (folder / "once and upon").write_text("a")
    for _ in range(3):
        found = [item for item in discover(bytes(tmp_path)) if isinstance(item, FoundFile)]
        assert len(found) == 50
    assert 0 < len(counted) < 10


def test_an_ignore_file_of_a_megabyte_is_bounded_and_says_so(tmp_path):
    lines = [f"*{number}*?x" for number in range(100_000)]
    (tmp_path / ".gitignore").write_text("\n".join(["*7*?x", "first.md", *lines, "last.md"]))
    for name in ("first.md", "last.md", "a17bx", *(f"{number}.md" for number in range(500))):
        (tmp_path / name).write_text("a")
    items = list(discover(bytes(tmp_path)))
    assert sum(isinstance(item, FoundFile) for item in items) == 500
    reasons = {item.path: item.reason for item in items if isinstance(item, LeftOut)}
    assert reasons == {
        b".gitignore": "an ignore file with too many patterns: the last of them are not used",
        b"first.md": ".gitignore",
        b"last.md": ".gitignore",
        b"a17bx": ".gitignore",
    }


@pytest.mark.parametrize("piece", ["?", "[", "*", "**/", "\\", "*a"])
def test_a_pattern_of_one_long_line_holds_no_walk(tmp_path, piece):
    (tmp_path / ".gitignore").write_text(piece * (2**19 // len(piece)))
    (tmp_path / "note.md").write_text("a")
    assert [item.path for item in discover(bytes(tmp_path)) if isinstance(item, FoundFile)] == [b"note.md"]
