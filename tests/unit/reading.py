"""Reads made-up files with the reader of their format, and says what came of it in values that compare well."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers import read_document


def read(folder: Path, name: str, content: bytes | str) -> Document:
    """Write a file and read it as the indexer does."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(os.fsencode(folder / name))


def reason(folder: Path, name: str, content: bytes | str) -> str:
    """Return why a file cannot be read; a file that can be fails the test."""
    with pytest.raises(SourceError) as caught:
        read(folder, name, content)
    return caught.value.reason


def shape(document: Document) -> list[tuple[str, str]]:
    """Return the kind and the text of each block."""
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def headings(document: Document) -> list[tuple[int, str]]:
    """Return the level and the label of each heading."""
    return [(block.level, block.label) for block in document.blocks if block.kind == "heading"]


def archive(members: Mapping[str, str | bytes]) -> bytes:
    """Return a zip file that holds these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # without the time of day
    return buffer.getvalue()
