"""How each editor is told the line."""

from __future__ import annotations

import pytest

from app.editors import editor_command
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
