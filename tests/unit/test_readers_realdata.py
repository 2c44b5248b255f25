"""Real files of many formats, some broken on purpose: every one is a document or a plain reason."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.records import Document
from engine.sources.discovery import LeftOut, discover
from engine.sources.parser import Parser

DATA = Path(os.environ.get("CARREL_DATA", os.devnull))
EXPECTED = {"encrypted", "scanned: no text layer", "truncated or damaged PDF", "empty", "no text inside"}
LEFT_OUT_STARTS = ("no reader for .", "old binary format: save as .", "not text", "hidden", "symbolic link")
_KINDS_WRITTEN = "pdf docx epub html email notebook markdown org rst text pptx xlsx odt rtf csv latex msg json"
KINDS = frozenset(_KINDS_WRITTEN.split())

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not (DATA / "documents").is_dir(), reason="CARREL_DATA holds no documents"),
]


def check_tiling(document: Document, path: bytes) -> None:
    reached = 0
    for block in document.blocks:
        assert not document.text[reached : block.start].strip(), path
        reached = block.end
    assert not document.text[reached:].strip(), path


def test_every_real_document_is_read_or_says_why() -> None:
    root = os.fsencode(DATA / "documents")
    reasons, kinds = Counter[str](), Counter[str]()
    found = left_out = 0
    with Parser() as parser:
        for item in discover(root):
            if isinstance(item, LeftOut):
                left_out += item.count
                assert item.reason.startswith(LEFT_OUT_STARTS), item
                continue
            found += 1
            try:
                document = parser.read(os.path.join(root, item.path))
            except SourceError as error:
                reasons[error.reason] += 1
                continue
            kinds[document.kind] += 1
            check_tiling(document, item.path)
    there = sum(len(files) for _, _, files in os.walk(root))
    assert found + left_out == there
    assert kinds.total() + reasons.total() == found
    assert reasons.keys() <= EXPECTED
    assert kinds.keys() >= KINDS
