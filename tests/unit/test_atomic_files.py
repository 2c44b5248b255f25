"""Files that several change: nothing that one of them writes is lost, and nobody reads half of one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.tui.query_history import History
from app.tui.settings_file import SettingsFile
from engine import config
from engine.atomic_files import exclusive, replace_file


def all_at_once(*tasks: Callable[[], object]) -> None:
    begin = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        begin.wait()
        task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        for done in [pool.submit(run, task) for task in tasks]:
            done.result()


def test_threads_that_replace_one_file_leave_one_whole_text_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "file"
    texts = [letter * 20_000 for letter in "abcd"]

    def write(text: str) -> None:
        for _ in range(30):
            replace_file(path, text)
            assert path.read_text() in texts

    all_at_once(*(lambda text=text: write(text) for text in texts))  # type: ignore[misc]
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_replaced_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        replace_file(tmp_path / "file", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_missing_hinders_nobody(tmp_path: Path) -> None:
    with exclusive(tmp_path / "missing"):
        pass


def test_two_browsers_that_change_different_settings_keep_both(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    one, other = SettingsFile(path), SettingsFile(path)
    for number in range(20):
        all_at_once(
            lambda: one.change({"editor": f"vi {number}"}),  # noqa: B023
            lambda: other.change({"ocr": "eng" if number % 2 else "deu"}),  # noqa: B023
        )
        found = config.load(path)
        assert (found.editor, found.ocr) == (f"vi {number}", "eng" if number % 2 else "deu")


def test_two_browsers_that_keep_and_drop_searches_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    SettingsFile(path).change({"saved": {"old": "old words", "both": "words"}})
    one, other = SettingsFile(path), SettingsFile(path)
    one.change({"saved": {**one.config.saved, "mine": "my words"}})
    other.change({"saved": {"both": "other words", "theirs": "their words"}})  # dropped, changed, kept
    one.change({"saved": {**one.config.saved, "more": "more words"}})
    assert config.load(path).saved == {
        "both": "other words", "mine": "my words", "theirs": "their words", "more": "more words",
    }  # fmt: skip


def test_a_search_is_remembered_while_another_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "history"
    one, other = History(path), History(path)

    def remember() -> None:
        for number in range(100):
            one.remember(f"kept {number}")

    def forget() -> None:
        for number in range(100):
            other.remember(f"dropped {number}")
            other.forget(f"dropped {number}")

    all_at_once(remember, forget)
    assert set(one.entries()) == {f"kept {number}" for number in range(100)}
