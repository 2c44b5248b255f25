"""What lies outside a watched folder and still says what in it is left out, and by which name a folder goes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from notes import library_of, write

from engine.errors import PathError
from engine.library import Library
from engine.sources.discovery import FoundFile, decide, discover

pytestmark = pytest.mark.usefixtures("unfitted")


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "home").mkdir()
    root = tmp_path / "repository"
    root.mkdir()
    try:
        git("init", "-q", cwd=root)
    except OSError:
        pytest.skip("git is not installed")
    return root


def found(root: Path) -> set[str]:
    """Return the files that a walk of a folder finds."""
    return {os.fsdecode(each.path) for each in discover(os.fsencode(root)) if isinstance(each, FoundFile)}


def tracked(root: Path) -> set[str]:
    """Return the files that git would track in a folder."""
    return set(git("ls-files", "--others", "--exclude-standard", cwd=root).splitlines())


NOTES = ("docs/private/x.md", "docs/y.md", "docs/deep/z.md", "docs/deep/keep.md", "docs/draft.txt", "other/y.md")


@pytest.mark.parametrize("watched", ["docs", "docs/deep", "."])
@pytest.mark.parametrize(
    ("above", "exclude", "account"),
    [
        ("private/\n", "", ""),
        ("/docs/deep/z.md\n", "", ""),
        ("*.txt\n!draft.txt\n", "", ""),
        ("docs/**/z.md\nother\n", "", ""),
        ("", "y.md\n", ""),
        ("!y.md\n", "y.md\nz.md\n", ""),
        ("", "", "z.md\n"),
        ("*.md\n!keep.md\n", "", ""),
    ],
)
def test_rules_from_above_a_folder_count_as_git_has_them(
    repository: Path, watched: str, above: str, exclude: str, account: str
) -> None:
    write(repository, dict.fromkeys(NOTES, "# X\n"))
    (repository / ".gitignore").write_text(above)
    (repository / ".git/info/exclude").write_text(exclude)
    write(repository.parent / "home", {".config/git/ignore": account})
    assert found(repository / watched) == tracked(repository / watched) - {".gitignore"}


def test_the_reason_says_which_file_outside_the_folder_it_was(repository: Path) -> None:
    write(repository, {"docs/private/x.md": "x", "docs/y.md": "x", "docs/z.md": "x", ".gitignore": "private/\n"})
    (repository / ".git/info/exclude").write_text("y.md\n")
    write(repository.parent / "home", {".gitconfig": "[core]\n\texcludesFile = ~/mine\n", "mine": "z.md\n"})
    docs = os.fsencode(repository / "docs")
    assert [getattr(decide(docs, path), "reason", None) for path in (b"private", b"y.md", b"z.md")] == [
        ".gitignore above the folder",
        ".git/info/exclude",
        "git's excludes of your account",
    ]


def test_a_folder_that_the_rules_above_name_is_watched_all_the_same(repository: Path) -> None:
    write(repository, {"docs/x.md": "x", ".gitignore": "*\n"})
    assert found(repository / "docs") == {"x.md"}
    write(repository, {".gitignore": "docs/\n"})
    assert found(repository / "docs") == {"x.md"}


def test_a_work_tree_has_the_excludes_of_its_repository(repository: Path) -> None:
    git("-c", "user.name=a", "-c", "user.email=a@x", "commit", "-q", "--allow-empty", "-m", "x", cwd=repository)
    git("worktree", "add", "-q", str(repository.parent / "tree"), cwd=repository)
    (repository / ".git/info/exclude").write_text("y.md\n")
    write(repository.parent / "tree", {"x.md": "x", "y.md": "x"})
    assert found(repository.parent / "tree") == {"x.md"}


def test_a_repository_inside_the_folder_has_its_own_excludes(repository: Path) -> None:
    (repository / ".git/info/exclude").write_text("y.md\n")
    write(repository, {"y.md": "x", "x.md": "x"})
    write(repository.parent, {"y.md": "x"})
    assert {"y.md", "repository/x.md"} <= found(repository.parent)
    assert "repository/y.md" not in found(repository.parent)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("logseq/bak/pages/Gardening/2024-01-01.md", "Logseq's backups (built-in rule)"),
        ("logseq/.recycle/a.md", "Logseq's trash (built-in rule)"),
        ("deep/.trash/a.md", "Obsidian's trash (built-in rule)"),
        (".stversions/a~20240101.md", "Syncthing's old versions (built-in rule)"),
        ("_gsdata_/a.md", "GoodSync's records (built-in rule)"),
        (".Trash-1000/files/a.md", "the trash of a disk (built-in rule)"),
    ],
)
def test_backups_of_other_programs_are_left_out_and_say_whose_they_are(tmp_path: Path, path: str, reason: str) -> None:
    write(tmp_path, {path: "x", "pages/Gardening.md": "x", "bak/a.md": "x"})
    left_out = decide(os.fsencode(tmp_path), os.fsencode(path))
    assert left_out is not None
    assert left_out.reason == reason
    assert found(tmp_path) == {"pages/Gardening.md", "bak/a.md"}


def test_a_backup_is_taken_back_by_name(tmp_path: Path) -> None:
    write(tmp_path, {"logseq/bak/a.md": "x", ".carrelignore": "!logseq/bak\n"})
    assert found(tmp_path) == {"logseq/bak/a.md"}


# --- one folder, many names -----------------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    library = library_of(tmp_path, {"a.md": "# Alpha\n\nThe whimbrel calls.\n", "in/b.md": "# B\n"}, fitted=False)
    (tmp_path / "link").symlink_to(tmp_path / "notes")
    return library


def test_a_folder_added_through_a_link_is_the_same_folder(library: Library, tmp_path: Path) -> None:
    assert library.add(tmp_path / "link").path == os.fsencode(tmp_path / "notes")
    assert len(library.folders()) == 1
    for inside in (tmp_path / "link/in", tmp_path / "link/../notes/in"):
        with pytest.raises(PathError, match="lies in the watched folder"):
            library.add(inside)


def test_a_folder_goes_where_its_link_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    library = library_of(tmp_path, {"other.md": "# Other\n"}, fitted=False)
    write(tmp_path, {"2024/a.md": "# Alpha\n\nThe whimbrel calls.\n", "2024/in/b.md": "# B\n"})
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "2024")
    watched = library.add(link)
    assert (library.sync().added, len(library.folders())) == (2, 2)
    (tmp_path / "2024").rename(tmp_path / "2025")
    report = library.sync()  # the link leads nowhere
    assert (report.removed, [each.state for each in library.folders()]) == (0, ["watching", "missing"])
    link.unlink()
    link.symlink_to(tmp_path / "2025")
    report = library.sync()
    assert (report.added, report.removed, report.unchanged) == (0, 0, 3)
    assert library.add(link).id == watched.id
    assert [each.path for each in library.folders()] == [os.fsencode(tmp_path / name) for name in ("notes", "2025")]
    assert os.fsdecode(library.search("whimbrel").hits[0].path) == str(tmp_path / "2025/a.md")
    link.unlink()
    link.symlink_to(tmp_path / "notes/in")  # which is watched with the folder around it
    (tmp_path / "notes/in").mkdir()
    assert library.sync().removed == 0
    assert library.folders()[1].path == os.fsencode(tmp_path / "2025")


def test_a_folder_is_synced_and_removed_by_the_name_of_a_link(library: Library, tmp_path: Path) -> None:
    (tmp_path / "notes/in/c.md").write_text("# C\n")
    assert library.sync([tmp_path / "link/in"]).added == 1
    assert library.remove(tmp_path / "link") == 3
    assert library.folders() == ()
