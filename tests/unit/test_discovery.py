"""Which files of a folder are found, and with which reason the others are left out."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from engine.sources.discovery import FoundFile, LeftOut, Rules, decide, discover, discover_each, watched_folders
from engine.sources.path_rules import DEFAULT_RULES


def write(root: Path, *paths: str, content: str = "words\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


def found(root: Path, rules: Rules = DEFAULT_RULES, **options: object) -> list[str]:
    return [
        os.fsdecode(item.path) for item in discover(os.fsencode(root), rules, **options) if isinstance(item, FoundFile)
    ]  # type: ignore[arg-type]


def reasons(root: Path, rules: Rules = DEFAULT_RULES, own_files: tuple[bytes, ...] = ()) -> dict[str, str]:
    left = (item for item in discover(os.fsencode(root), rules, own_files) if isinstance(item, LeftOut))
    return {os.fsdecode(item.path): item.reason for item in left}


def test_files_come_in_order_of_names_with_what_the_system_says_of_them(tmp_path: Path) -> None:
    write(tmp_path, "b.md", "a/z.md", "a/c.md", "c.md")
    items = list(discover(os.fsencode(tmp_path)))
    assert [item.path for item in items] == [b"a/c.md", b"a/z.md", b"b.md", b"c.md"]
    status = (tmp_path / "b.md").stat()
    assert items[2] == FoundFile(
        b"b.md", status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, status.st_ctime_ns
    )


def test_a_gitignore_holds_below_its_folder_and_a_deeper_one_wins(tmp_path: Path) -> None:
    write(tmp_path, "a.log.md", "x/a.log.md", "x/y/a.log.md", "keep.md")
    (tmp_path / ".gitignore").write_text("*.log.md\n")
    (tmp_path / "x/y/.gitignore").write_text("!a.log.md\n")
    assert found(tmp_path) == ["keep.md", "x/y/a.log.md"]
    assert reasons(tmp_path)["a.log.md"] == ".gitignore"


def test_a_file_in_an_ignored_folder_cannot_be_taken_back_by_itself(tmp_path: Path) -> None:
    write(tmp_path, "build/a.md", "build/keep.md")
    (tmp_path / ".gitignore").write_text("build/\n!build/keep.md\n")
    assert found(tmp_path) == []
    assert [item for item in discover(os.fsencode(tmp_path)) if item.path == b"build"] == [
        LeftOut(b"build", ".gitignore", True, 2)
    ]


def test_a_gitignore_can_be_switched_off(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    (tmp_path / ".gitignore").write_text("*.md\n")
    assert found(tmp_path, Rules(use_gitignore=False)) == ["a.md"]


def test_a_carrelignore_wins_over_gitignore_hidden_names_and_built_in_rules(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b.md", ".notes/c.md", "node_modules/d.md", ".git/e.md")
    (tmp_path / ".gitignore").write_text("a.md\n")
    (tmp_path / ".carrelignore").write_text("!a.md\nb.md\n!.notes/\n!node_modules/\n")
    assert found(tmp_path) == [".notes/c.md", "a.md", "node_modules/d.md"]
    assert reasons(tmp_path)["b.md"] == ".carrelignore"
    assert reasons(tmp_path)[".git"] == "inside .git (built-in rule)"


def test_patterns_of_the_settings_leave_out_too(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "private/b.md")
    assert found(tmp_path, Rules(extra_patterns=("private/",))) == ["a.md"]
    assert reasons(tmp_path, Rules(extra_patterns=("private/",)))["private"] == "pattern in the settings"


def test_a_folder_that_is_left_out_stands_for_the_files_inside_it(tmp_path: Path) -> None:
    write(tmp_path, "node_modules/a.js", "node_modules/b/c.js", "note.md")
    (item,) = (item for item in discover(os.fsencode(tmp_path)) if isinstance(item, LeftOut))
    assert item == LeftOut(b"node_modules", "inside node_modules (built-in rule)", True, 2)


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("pyvenv.cfg", "inside a virtual environment (built-in rule)"),
        ("CACHEDIR.TAG", "inside a cache folder (built-in rule)"),
    ],
)
def test_environments_and_caches_are_told_by_what_they_hold(tmp_path: Path, mark: str, reason: str) -> None:
    write(tmp_path, f"env/{mark}", "env/readme.md")
    assert reasons(tmp_path) == {"env": reason}


def test_hidden_files_and_folders_are_left_out_unless_they_are_the_root(tmp_path: Path) -> None:
    write(tmp_path, ".vault/.hidden.md", ".vault/seen.md", ".vault/.config/x.md")
    assert found(tmp_path) == []
    assert found(tmp_path / ".vault") == ["seen.md"]
    assert reasons(tmp_path / ".vault") == {".hidden.md": "hidden", ".config": "hidden"}


def test_links_are_counted_and_never_followed(tmp_path: Path) -> None:
    write(tmp_path, "real/a.md")
    (tmp_path / "real/loop").symlink_to(tmp_path)
    (tmp_path / "b.md").symlink_to(tmp_path / "real/a.md")
    (tmp_path / "broken.md").symlink_to(tmp_path / "nowhere.md")
    assert found(tmp_path) == ["real/a.md"]
    assert Counter(reasons(tmp_path).values()) == {"symbolic link": 3}


def test_a_root_that_is_itself_a_link_is_walked(tmp_path: Path) -> None:
    write(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert found(tmp_path / "link") == ["a.md"]


def test_the_suffix_and_the_content_decide_whether_there_is_a_reader(tmp_path: Path) -> None:
    write(tmp_path, "song.mp3", "map.geojson", "old.doc", "odd.xyz", "README", "script.py")
    (tmp_path / "blob").write_bytes(bytes(range(256)))
    (tmp_path / "blob.xyz").write_bytes(b"\x7fELF\x00\x00")
    assert found(tmp_path) == ["README", "odd.xyz", "script.py"]
    assert reasons(tmp_path) == {
        "song.mp3": "no reader for .mp3",
        "map.geojson": "no reader for .geojson",
        "old.doc": "old binary format: save as .docx",
        "blob": "not text",
        "blob.xyz": "not text",
    }


def test_a_file_above_the_size_limit_says_so(tmp_path: Path) -> None:
    write(tmp_path, "big.md", content="x" * 2_100_000)
    assert reasons(tmp_path, Rules(max_bytes=2_000_000)) == {"big.md": "larger than 2.0 MB"}


def test_the_librarys_own_files_are_never_found(tmp_path: Path) -> None:
    write(tmp_path, "library.txt", "home/log.txt", "a.md")
    own = (os.fsencode(tmp_path / "library.txt"), os.fsencode(tmp_path / "home"))
    assert reasons(tmp_path, own_files=own) == {"library.txt": "Carrel's own file", "home": "Carrel's own file"}


def test_names_that_are_not_utf_8_are_found_and_matched(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    for name in (b"caf\xe9.md", b"t\xe9l\xe9.md"):
        try:
            with open(os.path.join(root, name), "wb") as file:
                file.write(b"x")
        except OSError:
            pytest.skip("this file system takes only UTF-8 names")
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9*\n")
    assert [item.path for item in discover(root) if isinstance(item, FoundFile)] == [b"t\xe9l\xe9.md"]


def test_a_pipe_is_neither_opened_nor_found(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert reasons(tmp_path) == {"pipe.md": "not a file or folder"}


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_folder_is_reported_and_the_rest_is_found(tmp_path: Path) -> None:
    write(tmp_path, "locked/a.md", "b.md")
    (tmp_path / "locked").chmod(0)
    try:
        assert found(tmp_path) == ["b.md"]
        assert reasons(tmp_path) == {"locked": "not readable"}
    finally:
        (tmp_path / "locked").chmod(0o700)


def test_a_missing_root_is_reported(tmp_path: Path) -> None:
    assert list(discover(os.fsencode(tmp_path / "gone"))) == [LeftOut(b"", "not readable", True)]


def test_part_of_a_folder_is_walked_under_the_rules_of_the_whole(tmp_path: Path) -> None:
    write(tmp_path, "a/b/x.md", "a/b/y.md", "a/z.md")
    (tmp_path / ".gitignore").write_text("x.md\n")
    items = list(discover_each(os.fsencode(tmp_path), [b"a/b"]))
    assert [(item.path, type(item)) for item in items] == [(b"a/b/x.md", LeftOut), (b"a/b/y.md", FoundFile)]
    assert [item.path for item in discover_each(os.fsencode(tmp_path), [b"a/z.md"])] == [b"a/z.md"]
    (tmp_path / ".gitignore").write_text("a/b\n")
    assert list(discover_each(os.fsencode(tmp_path), [b"a/b"])) == [LeftOut(b"a/b", ".gitignore", True, 2)]
    (tmp_path / ".gitignore").write_text("a/\n")
    assert list(discover_each(os.fsencode(tmp_path), [b"a/b"])) == [LeftOut(b"a", ".gitignore", True, 3)]


def test_deciding_on_one_path_agrees_with_the_walk(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "x/keep.md", "x/drop.md", "node_modules/m/i.md", "song.mp3", ".h/a.md", "env/pyvenv.cfg")
    write(tmp_path, "env/lib/a.md")
    (tmp_path / "x/.gitignore").write_text("drop.md\n")
    root = os.fsencode(tmp_path)
    for item in discover(root):
        assert decide(root, item.path) == (item if isinstance(item, LeftOut) else None)
    inside = decide(root, b"node_modules/m/i.md")
    assert inside is not None and inside.path == b"node_modules" and inside.is_folder
    environment = decide(root, b"env/lib/a.md")
    assert environment is not None and environment.reason == "inside a virtual environment (built-in rule)"
    gone = decide(root, b"x/gone.md")
    assert gone is not None and gone.reason == "not there"
    assert decide(root, b"") is None


def test_only_folders_that_are_walked_need_watching(tmp_path: Path) -> None:
    write(tmp_path, "a/b/x.md", "node_modules/c/y.md", ".git/z", "d/e.md")
    assert list(watched_folders(os.fsencode(tmp_path))) == [b"", b"a", b"a/b", b"d"]
