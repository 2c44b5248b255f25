"""A text that hangs the cutting costs its own file, and the indexer is never deaf: seen from a real indexer process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shelf import paragraph

from engine.embedding import catalogue
from engine.events import SyncFinished, from_line
from engine.indexing.passage_encoder import cutting, passages_of
from engine.sources.parser import Parser
from engine.store import documents, folders
from engine.store.connection import open_writer

pytestmark = pytest.mark.processes

TESTS = Path(__file__).resolve().parents[1]
DEADLINE_SECONDS = 300.0  # an indexer gives way to all others, and the suite keeps every core at work
LOOP = "while True:\n        pass"
LOCK = "re.fullmatch('(a+)+', 'a' * 200 + 'b')"

CHILD = """
import re, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from fake_encoder import FakeEncoder
from engine.chunking import cut
from engine.sources import parser_child

def hang(document, cutting):
    if "hangs" not in document.text:
        return cut(document, FakeEncoder().token_starts)
    Path({begun!r}).touch()
    {deed}

parser_child.cut_passages = hang
parser_child.main()
"""

INDEXER = """
import subprocess, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from fake_encoder import FakeEncoder
from rough_tiers import fit_roughly
from engine.indexer import worker
from engine.sources import parser
from engine.sources.parser import Limits, Parser

plain = subprocess.Popen

def start(arguments, **options):
    if arguments[-1] == "engine.sources.parser_child":
        arguments = [sys.executable, "-P", "-c", {child!r}]
    return plain(arguments, **options)

subprocess.Popen = start
parser.configured_parser = lambda: Parser(Limits(seconds={seconds}))
encoder = FakeEncoder()
encoder.folder = Path("the child has a tokenizer of its own")
fit_roughly()
worker.NICENESS = 0  # the suite keeps every core at work, and waits for this process
sys.exit(worker.main(encoder_of=lambda name: encoder))
"""


class Indexer:
    """An indexer process whose parser hangs where a text says so."""

    def __init__(self, base: Path, deed: str, seconds: int) -> None:
        self.begun = base / "begun"
        self.library = base / "home" / "data" / "library.carrel"
        self.events_file = base / "events.jsonl"
        self.conn = open_writer(self.library, create=True)
        notes = base / "notes"
        notes.mkdir()
        (notes / "a.md").write_text(paragraph("apple"))
        (notes / "b.md").write_text("this one hangs")
        (notes / "c.md").write_text(paragraph("cherry"))
        folders.add(self.conn, os.fsencode(notes))
        paths = [str(TESTS.parent), str(TESTS)]
        child = CHILD.format(paths=paths, begun=str(self.begun), deed=deed)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-c", INDEXER.format(paths=paths, child=child, seconds=seconds)),
                *("--library", str(self.library), "--events", str(self.events_file)),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], Indexer]]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    begun: list[Indexer] = []

    def started(deed: str, seconds: int) -> Indexer:
        begun.append(Indexer(tmp_path, deed, seconds))
        return begun[-1]

    yield started
    for each in begun:
        each.process.kill()
        each.process.communicate()
        each.conn.close()


@pytest.mark.parametrize("deed", [LOOP, LOCK])
def test_a_text_that_hangs_has_its_reason_and_the_rest_goes_on(start: Callable[[str, int], Indexer], deed: str) -> None:
    indexer = start(deed, 5)  # seconds: the other files are read in them on a busy machine, too
    assert indexer.process.wait(DEADLINE_SECONDS) == 0
    (report,) = [
        event
        for event in map(from_line, indexer.events_file.read_bytes().splitlines())
        if isinstance(event, SyncFinished)
    ]
    assert report.added == 2
    (failure,) = documents.failures(indexer.conn)
    assert failure.path.endswith(b"b.md")
    assert failure.reason == "took longer than 5 s"
    assert documents.counts(indexer.conn).passages == 2


@pytest.mark.parametrize("deed", [LOOP, LOCK])
def test_a_signal_ends_the_indexer_while_a_text_hangs(start: Callable[[str, int], Indexer], deed: str) -> None:
    indexer = start(deed, 600)
    indexer.until(indexer.begun.exists)
    indexer.process.send_signal(signal.SIGTERM)
    assert indexer.process.wait(DEADLINE_SECONDS) == 0


def test_the_reading_process_cuts_as_this_process_does(tmp_path: Path) -> None:
    encoder = catalogue.load(catalogue.EMBEDDED)
    path = tmp_path / "a.md"
    path.write_text("---\ntags: [a]\n---\n# Title\n\n" + "\n\n".join(paragraph(word) for word in ("ä", "b", "c")) * 5)
    with Parser() as parser:
        plain = parser.read(bytes(path))
        there = parser.read(bytes(path), None, cutting(encoder))
    assert plain.passages is None
    assert there.passages == tuple(passages_of(plain, encoder))
    assert len(there.passages or ()) > 1
