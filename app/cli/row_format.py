r"""Rows as records for other programs: one a line, or each ended by NUL, with paths that those programs can open.

A path is written byte for byte, from the current folder where it lies below, and never looks like an option. One that
holds what parts the records or their fields would be read as two, so it is left out and told of.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

import click

from app.cli.output import write_bytes
from app.wording.paths import argument_path, shown_path
from app.wording.safe_text import one_line
from engine.lazy_dataclass import dataclass
from engine.records import Hit

PLACE = "{place}"
PATH = "{path}"
NUL, LINE_END = b"\0", b"\n"
_PIECE = re.compile(r"\\(?P<escape>.?)|\{(?P<field>\w*)\}|(?P<stray>[{}])|[^\\{}]+", re.DOTALL)
_ESCAPES = {"t": "\t", "n": "\n", "0": "\0", "\\": "\\", "{": "{", "}": "}"}
SIGNS = r"\\, \{ or \}, a tab \t, a line end \n, NUL \0"
_PARTING = frozenset(range(0x20)) | {0x7F}  # bytes that a format may put between its fields


def _text(text: str) -> bytes:
    return one_line(text).encode("utf-8", "replace")


def _number(number: int | None) -> bytes:
    return b"" if number is None else b"%d" % number


def place(hit: Hit) -> bytes:
    """Return `PATH:LINE`, of a document with pages `PATH:PAGE`, as `carrel open` takes it; else the path alone."""
    number = hit.line_start or hit.page
    return argument_path(hit.path) + (b":%d" % number if number else b"")


FIELDS: Mapping[str, Callable[[Hit], bytes]] = {
    "path": lambda hit: argument_path(hit.path),
    "absolute": lambda hit: hit.path,
    "place": place,
    "quoted": lambda hit: os.fsencode(shlex.quote(os.fsdecode(argument_path(hit.path)))),
    "line": lambda hit: _number(hit.line_start or 1),
    "page": lambda hit: _number(hit.page),
    "title": lambda hit: _text(hit.title),
    "heading": lambda hit: _text(" › ".join(hit.headings)),
    "kind": lambda hit: _text(hit.kind),
    "rank": lambda hit: _number(hit.rank),
    "score": lambda hit: b"%.4f" % hit.score,
    "tier": lambda hit: _text(hit.tier),
    "snippet": lambda hit: _text(hit.snippet),
}


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How a row is written: `pieces` are fields by name, and what stands between them as bytes."""

    pieces: tuple[str | bytes, ...]
    end: bytes = LINE_END

    def record(self, hit: Hit) -> bytes | None:
        """Return a row without its end; None where its path holds what parts the fields or the records."""
        parting = {byte for piece in (*self.pieces, self.end) if isinstance(piece, bytes) for byte in piece}
        if set(hit.path) & parting & _PARTING:
            return None
        return b"".join(FIELDS[piece](hit) if isinstance(piece, str) else piece for piece in self.pieces)


def row_format(template: str, *, nul: bool) -> RowFormat:
    r"""Read a template such as `{path}\t{line}`. Raises click.BadParameter."""
    pieces: list[str | bytes] = []
    for found in _PIECE.finditer(template):
        if (field := found["field"]) is not None:
            if field not in FIELDS:
                raise click.BadParameter(f"there is no field {{{field}}}. Fields are: {', '.join(FIELDS)}.")
            pieces.append(field)
        elif found["stray"] or (found["escape"] is not None and found["escape"] not in _ESCAPES):
            raise click.BadParameter(f"{found[0]} stands for nothing; a sign itself is written {SIGNS}.")
        else:
            text = found[0] if found["escape"] is None else _ESCAPES[found["escape"]]
            pieces.append(os.fsencode(text))
    return RowFormat(tuple(pieces), NUL if nul else LINE_END)


def records_of(hits: Iterable[Hit], form: RowFormat) -> list[bytes]:
    """Return the records of the rows, each once, with its end; those that cannot be written so are told of."""
    found: dict[bytes, None] = {}
    for hit in hits:
        record = form.record(hit)
        if record is None:
            said = "holds what parts the records; --print0 or --json writes it."
            click.echo(f"carrel: {shown_path(hit.path)} was left out: its name {said}", err=True)
        else:
            found[record + form.end] = None
    return list(found)


def write_records(records: Sequence[bytes]) -> None:
    """Write records to stdout, byte for byte; a terminal gets signs in place of what would steer it."""
    write_bytes(b"".join(records))
