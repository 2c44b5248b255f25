"""`carrel mcp` as it is called: what its options let programs see."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import Call

from app.cli import factories
from app.mcp.library_tools import LibraryTools
from engine.records import Scope

Scopes = list[Scope]


@pytest.fixture
def scopes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scopes]:
    """Serve nobody; what programs would see is in the list."""
    seen: Scopes = []
    whole = LibraryTools.__init__

    def noted(tools: LibraryTools, opened: Any, scope: Scope) -> None:
        seen.append(scope)
        whole(tools, opened, scope)

    monkeypatch.setattr(LibraryTools, "__init__", noted)
    monkeypatch.setattr(factories, "serve_programs", lambda tools: None)
    yield seen


def test_mail_and_keys_are_left_out_unless_named(carrel: Call, scopes: Scopes) -> None:
    for arguments in ((), ("--include", "mail"), ("--include", "keys", "--include", "mail")):
        assert carrel("mcp", *arguments).code == 0
    assert [(bool(scope.not_kinds), bool(scope.not_names)) for scope in scopes] == [
        (True, True), (False, True), (False, False),
    ]  # fmt: skip
    assert carrel("mcp", "--include", "everything").code == 2


def test_folders_are_named_by_their_real_paths(carrel: Call, scopes: Scopes) -> None:
    Path("notes").mkdir()
    Path("link").symlink_to("notes")
    assert carrel("mcp", "--folder", "link", "--folder", "gone").code == 0
    assert [Path(each.decode()).name for each in scopes[0].folders] == ["notes", "gone"]


def test_who_calls_it_by_hand_is_told_what_it_is(carrel: Call, scopes: Scopes, monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert carrel("mcp").err == ""
    monkeypatch.setattr(sys, "stdin", Keyboard())
    ended = carrel("mcp")
    assert (ended.code, ended.out) == (0, "") and "A client starts this" in ended.err
