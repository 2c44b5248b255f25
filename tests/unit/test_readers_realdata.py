"""Real files of many formats, some broken on purpose: every one is a document or a plain reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.sources.discovery import FoundFile, discover
from engine.sources.reading import Parser

DATA = Path(os.environ.get("CARREL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
EXPECTED = {"encrypted", "scanned: no text layer", "truncated or damaged PDF", "empty"}

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not (DATA / "documents").is_dir(), reason="CARREL_DATA holds no documents"),
]


def test_every_real_document_is_read_or_says_why() -> None:
    root = os.fsencode(DATA / "documents")
    reasons, kinds = set(), set()
    with Parser() as parser:
        for item in discover(root):
            if not isinstance(item, FoundFile):
                continue
            try:
                document = parser.read(os.path.join(root, item.path))
            except SourceError as error:
                reasons.add(error.reason)
                continue
            kinds.add(document.kind)
            reached = 0
            for block in document.blocks:
                assert not document.text[reached : block.start].strip(), item.path
                reached = block.end
            assert not document.text[reached:].strip(), item.path
    assert reasons <= EXPECTED
    assert kinds >= {"pdf", "docx", "epub", "html", "email", "notebook", "markdown", "org", "rst", "text"}
