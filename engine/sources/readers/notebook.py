"""Jupyter notebooks: Markdown and code cells in their order, with what the code printed, or the beginning of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from engine.errors import SourceError
from engine.records import Block, Document
from engine.sources.encodings import storable
from engine.sources.readers.html import Page
from engine.sources.readers.html_parser import parse_html
from engine.sources.readers.markdown import links_of, scan, tags_of, written_title
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder

MAX_OUTPUT = 20_000  # code points of one output: a longer one is a log; how much is not read is said below it
_STAND_IN = re.compile(r"<[\w.]{1,200}(?: object)?(?: at 0x[0-9a-fA-F]{1,16})?>")  # for what is shown in another form
_COLOURS = re.compile(r"\x1b\[[0-9;?]{0,50}[A-Za-z]")


def read(source: Source) -> Document:
    """Read a notebook of format 3 or 4."""
    notebook = _parse(source)
    builder = TextBuilder()
    for cell in _cells(notebook):
        _add_cell(builder, cell)
    text, blocks = builder.finish()
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    named = metadata.get("title")
    title = storable(named.strip()) if isinstance(named, str) and named.strip() else written_title(blocks)
    words = [text[block.start : block.end] for block in blocks if block.kind != "code"]
    language = _language(metadata)
    return source.document(
        "notebook",
        text,
        blocks,
        title,
        tags=tags_of(words),
        links=links_of(words),
        metadata={"language": language} if language else {},
    )


def _parse(source: Source) -> dict[str, Any]:
    if not source.raw.strip():
        raise SourceError("empty")
    try:
        notebook = json.loads(source.text())
    except (ValueError, RecursionError):
        raise SourceError("not JSON, so no notebook") from None
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise SourceError("JSON, but no notebook")
    return notebook


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    sheets = [notebook, *_dicts(notebook.get("worksheets"))]
    return [cell for sheet in sheets for cell in _dicts(sheet.get("cells"))]


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _add_cell(builder: TextBuilder, cell: dict[str, Any]) -> None:
    kind = cell.get("cell_type")
    written = storable(_joined(cell.get("source", cell.get("input")))).strip("\n")
    if kind == "code":
        builder.add("code", written)
        for output in _dicts(cell.get("outputs")):
            _add_output(builder, output)
    elif kind == "heading":
        level = cell.get("level")
        builder.add("heading", written, level=level if isinstance(level, int) else 1, label=" ".join(written.split()))
    elif written.strip():
        blocks = scan(written) if kind == "markdown" else [Block("paragraph", 0, len(written))]
        offset = builder.open_piece(written)
        builder.blocks += [replace(block, start=block.start + offset, end=block.end + offset) for block in blocks]


def _add_output(builder: TextBuilder, output: dict[str, Any]) -> None:
    """Add what a cell gave: Markdown or a page only where it has no plain words, or such as stand for the others."""
    shown = output.get("data")
    shown = shown if isinstance(shown, dict) else output
    if output.get("output_type") in ("error", "pyerr"):
        told = f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"
        traceback = output.get("traceback")
        lines = [told, *traceback] if isinstance(traceback, list) else [told]
        printed = "\n".join(line for line in lines if isinstance(line, str))
    else:
        kinds = ("text/plain", "text", "text/markdown", "text/latex")
        forms = [form for kind in kinds if (form := _joined(shown.get(kind))).strip()]
        printed = next((form for form in forms if not _STAND_IN.fullmatch(form.strip())), "")
    printed = storable(_COLOURS.sub("", printed)).strip("\n")
    if printed.strip():
        builder.add("code", printed[:MAX_OUTPUT])
    else:
        before = len(builder)
        Page(parse_html(_joined(shown.get("text/html"))[: 10 * MAX_OUTPUT]), builder)
        if len(builder) == before:
            builder.add("code", storable(_joined(shown.get("text/plain"))))
    if len(printed) > MAX_OUTPUT:
        builder.add("code", f"… {len(printed) - MAX_OUTPUT:,} more signs of this output are not read")


def _joined(value: object) -> str:
    if isinstance(value, list):
        return "".join(piece for piece in value if isinstance(piece, str))
    return value if isinstance(value, str) else ""


def _language(metadata: dict[str, Any]) -> str:
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        section = metadata.get(key)
        if isinstance(section, dict) and isinstance(section.get(name), str):
            return str(section[name]).lower()
    return ""
