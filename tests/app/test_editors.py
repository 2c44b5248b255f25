"""How each editor is told the line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app.editors import PAGE_VIEWERS, Target, editor_command, editor_commands
from engine.errors import ConfigError, UsageError

PATH = b"/notes/na me\xff.md"


def arguments(editor: str, line: int = 26, **more: str) -> tuple[bytes, ...]:
    return editor_command(PATH, line, environment={"EDITOR": editor}, **more).arguments  # type: ignore[arg-type]


@pytest.mark.parametrize("editor", ["vim", "nvim", "vi", "nano", "emacs", "kak", "micro", "joe", "gedit"])
def test_most_editors_take_a_plus(editor: str) -> None:
    assert arguments(editor) == (editor.encode(), b"+26", PATH)


@pytest.mark.parametrize("editor", ["code", "codium", "cursor"])
def test_code_and_its_kin_take_goto(editor: str) -> None:
    assert arguments(editor) == (editor.encode(), b"--goto", PATH + b":26")


@pytest.mark.parametrize("editor", ["subl", "hx", "helix", "zed"])
def test_some_take_the_line_behind_the_name(editor: str) -> None:
    assert arguments(editor) == (editor.encode(), PATH + b":26")


def test_other_ways() -> None:
    assert arguments("less") == (b"less", b"+26g", PATH)
    assert arguments("mate") == (b"mate", b"--line", b"26", PATH)
    assert arguments("ed") == (b"ed", PATH)
    assert arguments("my-own-editor") == (b"my-own-editor", b"+26", PATH)


@pytest.mark.parametrize("editor", ["vim", "code", "hx", "less", "mate"])
def test_a_file_without_lines_is_opened_without_one(editor: str) -> None:
    assert editor_command(PATH, None, environment={"EDITOR": editor}).arguments == (editor.encode(), PATH)


def test_the_setting_is_split_like_a_shell_does_it() -> None:
    assert arguments("'/opt/my editors/nvim' -u NONE") == (b"/opt/my editors/nvim", b"-u", b"NONE", b"+26", PATH)
    with pytest.raises(ConfigError, match="cannot be read"):
        arguments("vim 'oops")
    with pytest.raises(ConfigError, match="empty"):
        arguments(" ")


def test_visual_wins_over_editor_and_a_setting_over_both() -> None:
    both = {"VISUAL": "nvim", "EDITOR": "nano"}
    assert editor_command(PATH, environment=both).name == "nvim"
    assert editor_command(PATH, environment=both, setting="hx").name == "hx"


def test_a_window_of_its_own_leaves_the_terminal_alone() -> None:
    assert not editor_command(PATH, environment={"EDITOR": "code --wait"}).in_terminal
    assert editor_command(PATH, environment={"EDITOR": "hx"}).in_terminal


def test_without_a_setting_the_first_common_editor_is_taken() -> None:
    assert editor_command(PATH, environment={}, which=lambda name: name if name == "vi" else None).name == "vi"
    with pytest.raises(UsageError, match="no editor"):
        editor_command(PATH, environment={}, which=lambda name: None)


def test_documents_open_in_the_program_made_for_them() -> None:
    def found(name: str) -> str:
        return name

    linux = editor_command(PATH, kind="pdf", environment={"EDITOR": "vim"}, which=found, platform="linux")
    assert linux.arguments == (b"xdg-open", PATH) and not linux.in_terminal
    assert editor_command(PATH, kind="epub", which=found, platform="darwin").name == "open"
    with pytest.raises(UsageError, match="xdg-open is not installed"):
        editor_command(PATH, kind="pdf", which=lambda name: None, platform="linux")


def test_a_setting_may_say_where_path_and_line_belong() -> None:
    command = editor_command(PATH, 7, environment={}, setting="'my editor' --at={line} {path} --wait")
    assert command.arguments == (b"my editor", b"--at=7", PATH, b"--wait")
    hostile = b"/notes/{line} $(rm -rf x); .md"
    assert editor_command(hostile, 3, environment={}, setting="ed +{line} {path}").arguments[-1] == hostile


@pytest.mark.parametrize(
    ("viewer", "words"),
    [
        ("evince", (b"--page-index", b"9", PATH)),
        ("okular", (b"-p", b"9", PATH)),
        ("zathura", (b"-P", b"9", PATH)),
        ("mupdf", (PATH, b"9")),
        ("qpdfview", (PATH + b"#9",)),
    ],
)
def test_a_pdf_opens_at_its_page_where_a_viewer_can(viewer: str, words: tuple[bytes, ...]) -> None:
    def only(name: str) -> str | None:
        return name if name in (viewer, "xdg-open") else None

    command = editor_command(PATH, kind="pdf", page=9, environment={}, which=only, platform="linux")
    assert command.arguments == (viewer.encode(), *words) and not command.in_terminal
    first = editor_command(PATH, kind="pdf", page=1, environment={}, which=only, platform="linux")
    assert first.name == "xdg-open"
    assert editor_command(PATH, kind="pdf", page=9, environment={}, which=lambda n: n, platform="darwin").name == "open"


def test_the_viewer_that_the_desktop_prefers_comes_first(tmp_path: Path) -> None:
    (tmp_path / "mimeapps.list").write_text("[Default Applications]\napplication/pdf=org.pwmt.zathura.desktop\n")
    preferred = {"XDG_CONFIG_HOME": str(tmp_path)}
    found = editor_command(PATH, kind="pdf", page=2, environment=preferred, which=lambda n: n, platform="linux")
    assert found.name == "zathura"
    others = editor_command(PATH, kind="pdf", page=2, environment={}, which=lambda n: n, platform="linux")
    assert others.name == next(iter(PAGE_VIEWERS))


def test_several_files_share_an_editor_that_takes_each_at_its_line() -> None:
    targets = [Target(b"/a.md", 3), Target(b"/b.md", 5)]

    def arguments(editor: str) -> list[tuple[bytes, ...]]:
        return [command.arguments for command in editor_commands(targets, environment={"EDITOR": editor})]

    assert arguments("nano") == [(b"nano", b"+3", b"/a.md", b"+5", b"/b.md")]
    assert arguments("code") == [(b"code", b"--goto", b"/a.md:3", b"--goto", b"/b.md:5")]
    assert arguments("hx") == [(b"hx", b"/a.md:3", b"/b.md:5")]
    assert arguments("vi") == [(b"vi", b"+3", b"/a.md"), (b"vi", b"+5", b"/b.md")]


@pytest.mark.parametrize(
    ("editor", "silent"), [("vim", ("-u", "NONE", "-N", "-es")), ("nvim", ("-u", "NONE", "--headless"))]
)
def test_several_files_are_the_quickfix_list_of_vim(tmp_path: Path, editor: str, silent: tuple[str, ...]) -> None:
    if shutil.which(editor) is None:
        pytest.skip(f"{editor} is not installed")
    odd = os.fsencode(tmp_path) + b"/a:7: 'q' \"d\" | b\\n\n%#\xff.md"
    other = os.fsencode(tmp_path / "b.md")
    for path in (odd, other):
        Path(os.fsdecode(path)).write_text("1\n2\n3\n4\n5\n")
    told = tmp_path / "told"
    (command,) = editor_commands([Target(odd, 3), Target(other, 5)], environment={"EDITOR": editor})
    program, *places = command.arguments
    here = f"+call writefile([expand('%:p'), line('.'), len(getqflist())], '{told}', 'a')"
    steps = (here, "+cnext", here, "+qall!")
    with subprocess.Popen([program, *silent, *places, *steps], stdin=subprocess.DEVNULL) as process:
        assert process.wait(120) == 0
    lines = told.read_bytes().split(b"\n")
    assert lines == [odd.replace(b"\n", b"\0"), b"3", b"2", other, b"5", b"2", b""]


def test_notes_and_documents_together_go_each_to_their_own_program() -> None:
    targets = [Target(b"/a.md", 3), Target(b"/p.pdf", kind="pdf")]
    found = editor_commands(targets, environment={"EDITOR": "nano"}, which=lambda n: n, platform="linux")
    assert [command.name for command in found] == ["nano", "xdg-open"]
