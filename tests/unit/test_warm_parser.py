"""A file that takes long to read holds up nobody, and is read once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.indexer.warm_parser import WarmParser
from engine.records import Document
from engine.sources.parser import ParserClosed

pytestmark = pytest.mark.processes

DEADLINE_SECONDS = 120.0


class SlowParser:
    """Reads `slow` files only once it is released; counts what it read."""

    release = threading.Event()
    reads: list[bytes] = []
    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self._closed = threading.Event()

    def read(self, path: bytes, root: bytes | None = None) -> Document:
        self.reads.append(os.path.basename(path))
        if path.endswith(b"bad"):
            raise SourceError("not text")
        while path.endswith(b"slow") and not self.release.is_set():
            if self._closed.wait(0.005):
                raise ParserClosed("The parser was closed.")
        return Document(os.path.basename(path).decode(), "", False, "text", ())

    def close(self) -> None:
        self._closed.set()


class Waiting:
    """Waits for a file in a thread of its own, as a sync does."""

    def __init__(self, parser: WarmParser, path: bytes) -> None:
        self.outcome: Document | BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(parser, path), daemon=True)
        self._thread.start()

    def _run(self, parser: WarmParser, path: bytes) -> None:
        try:
            self.outcome = parser.read(path)
        except BaseException as error:
            self.outcome = error

    def end(self) -> Document | BaseException | None:
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()
        return self.outcome


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    for name in ("slow", "quick", "bad", "other.slow"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(1_700_000_000_123_456_789,) * 2)
    return {path.name: os.fsencode(path) for path in tmp_path.iterdir()}


@pytest.fixture
def parser() -> Iterator[WarmParser]:
    SlowParser.release, SlowParser.reads, SlowParser.made = threading.Event(), [], 0
    parser = WarmParser(SlowParser)
    yield parser
    parser.end()


def begun(parser: WarmParser, path: bytes) -> Waiting:
    waiting = Waiting(parser, path)
    while os.path.basename(path) not in SlowParser.reads:
        threading.Event().wait(0.002)
    return waiting


def test_one_parser_reads_file_after_file(parser: WarmParser, files: dict[str, bytes]) -> None:
    assert parser.read(files["quick"]).text == "quick"
    with pytest.raises(SourceError):
        parser.read(files["bad"])
    parser.close()
    assert parser.read(files["quick"]).text == "quick"
    assert SlowParser.made == 1


def test_a_long_file_is_left_reading_while_another_is_read(parser: WarmParser, files: dict[str, bytes]) -> None:
    waiting = begun(parser, files["slow"])
    parser.close()
    assert isinstance(waiting.end(), ParserClosed)
    assert parser.read(files["quick"]).text == "quick"
    SlowParser.release.set()
    assert parser.read(files["slow"]).text == "slow"
    assert SlowParser.reads.count(b"slow") == 1


def test_a_long_file_that_changed_meanwhile_is_read_again(parser: WarmParser, files: dict[str, bytes]) -> None:
    waiting = begun(parser, files["slow"])
    parser.close()
    waiting.end()
    with open(files["slow"], "a") as file:
        file.write("more")
    SlowParser.release.set()
    assert parser.read(files["slow"]).text == "slow"
    assert SlowParser.reads.count(b"slow") == 2


def test_of_two_long_files_the_first_is_kept(parser: WarmParser, files: dict[str, bytes]) -> None:
    for name in ("slow", "other.slow"):
        waiting = begun(parser, files[name])
        parser.close()
        assert isinstance(waiting.end(), ParserClosed)
    SlowParser.release.set()
    assert parser.read(files["slow"]).text == "slow"
    assert parser.read(files["other.slow"]).text == "other.slow"
    assert SlowParser.reads.count(b"slow") == 1 and SlowParser.reads.count(b"other.slow") == 2


def test_the_end_ends_what_is_read_and_what_was_left(parser: WarmParser, files: dict[str, bytes]) -> None:
    first = begun(parser, files["slow"])
    parser.close()
    second = begun(parser, files["other.slow"])
    parser.end()
    assert isinstance(first.end(), ParserClosed) and isinstance(second.end(), ParserClosed)


def test_one_who_waits_in_the_same_thread_gives_way_too(parser: WarmParser, files: dict[str, bytes]) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(ParserClosed):
        parser.lent(stop)().read(files["slow"])
    SlowParser.release.set()
    assert parser.lent(stop)().read(files["slow"]).text == "slow"
    assert SlowParser.reads.count(b"slow") == 1
