"""`carrel watch` as a process of its own, under which the settings break and the library file goes."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Terminal

from engine.store.connection import open_reader

PROGRAM = Path(sys.executable).with_name("carrel")
PATIENCE_SECONDS = 300.0  # an indexer gives way to all others, and the suite keeps every core at work
KNOWN, LATER = "a cormorant dives", "a heron stands"

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not PROGRAM.exists(), reason="the program carrel is not installed beside this Python"),
]


class Watch:
    """A home with one note, and `carrel watch` on it."""

    def __init__(self, base: Path) -> None:
        self.notes, self.home = base / "notes", base / "home"
        self.notes.mkdir()
        self.environment = {**os.environ, "CARREL_HOME": os.fspath(self.home)}
        (self.notes / "a.md").write_text(f"# A\n\n{KNOWN}\n")
        self.call("add", os.fspath(self.notes))
        self.process = subprocess.Popen(
            [PROGRAM, "watch"], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.until("added")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    @property
    def library(self) -> Path:
        return self.home / "data/library.carrel"

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments], env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def until(self, text: str) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in (line := self.lines.get(timeout=max(0.1, deadline - time.monotonic()))):
            pass
        return line

    def ended(self) -> tuple[int, str]:
        code = self.process.wait(PATIENCE_SECONDS)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    running = Watch(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.wait()


def test_once_the_last_reader_of_an_old_state_is_gone_the_log_is_emptied_of_what_was_forgotten(watch: Watch) -> None:
    log = watch.library.with_name("library.carrel-wal")
    reader = open_reader(watch.library)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM passage").get == 1
    (watch.notes / "a.md").unlink()
    watch.until("1 removed")
    assert log.stat().st_size, "what the reader still sees is kept"
    reader.close()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while log.stat().st_size:
        assert time.monotonic() < deadline, "an indexer at rest empties its log"
        time.sleep(0.1)
    beside = [file for file in watch.library.parent.glob("library.carrel*") if file.is_file()]
    assert [file.name for file in beside if b"cormorant" in file.read_bytes()] == []


def test_broken_settings_are_told_once_and_the_work_goes_on(watch: Watch) -> None:
    settings = watch.home / "config/config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("hold_back = [1979-05-27]\n")
    said = watch.until("hold_back")
    assert f"in {settings} cannot be used. It must be true or false." in said
    assert "the settings from before hold" in said
    (watch.notes / "b.md").write_text(f"# B\n\n{LATER}\n")
    watch.until("1 added")
    watch.process.send_signal(signal.SIGTERM)
    code, errors = watch.ended()
    assert (code, errors) == (0, "")
    rest = [watch.lines.get() for _ in range(watch.lines.qsize())]
    assert not [line for line in rest if "hold_back" in line]


def test_a_library_deleted_under_it_ends_it_with_the_truth(watch: Watch) -> None:
    for file in watch.home.glob("data/library.carrel*"):
        if file.is_file():
            file.unlink()
    (watch.notes / "b.md").write_text(f"# B\n\n{LATER}\n")
    code, errors = watch.ended()
    assert code == 2
    assert f"The library {watch.library} was deleted or replaced while it was in use." in errors
    assert "carrel restore FILE" in errors
    assert not watch.library.exists(), "an empty one in its place would pass for a library without notes"


def test_a_browser_tells_of_a_library_that_is_gone_and_makes_none_in_its_place(watch: Watch) -> None:
    browser = Terminal([os.fspath(PROGRAM)], {**watch.environment, "TERM": "xterm-256color"})
    try:
        assert browser.wait(lambda screen: "cormorant" in screen.text, PATIENCE_SECONDS), browser.screen.text
        for file in watch.home.glob("data/library.carrel*"):
            if file.is_file():
                file.unlink()
        assert browser.wait(lambda screen: "library file is gone" in screen.text, PATIENCE_SECONDS), browser.screen.text
        (watch.notes / "b.md").write_text(f"# B\n\n{LATER}\n")
        assert watch.ended()[0] == 2
        assert browser.wait(lambda screen: "library file is gone" in screen.text, PATIENCE_SECONDS)
    finally:
        assert browser.leave("\x11", 120) is not None, "ctrl+q leaves it"
    assert not watch.library.exists()


def test_a_library_replaced_under_it_is_not_written_to(watch: Watch) -> None:
    copy = watch.home / "copy"
    assert watch.call("backup", os.fspath(copy)).returncode == 0
    before = copy.read_bytes()
    aside = watch.home / "aside"
    watch.library.rename(aside)
    shutil.move(copy, watch.library)
    (watch.notes / "b.md").write_text(f"# B\n\n{LATER}\n")
    code, errors = watch.ended()
    assert (code, "deleted or replaced" in errors) == (2, True)
    assert watch.library.read_bytes() == before
    assert LATER.encode() not in aside.read_bytes()
