"""Reads the lines of an export and trusts none of them: what is wrong is reported with the number of its line."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from engine.errors import UsageError
from engine.indexing.outdated_documents import versions_in
from engine.maintenance.exporter import FORMAT
from engine.paths import display
from engine.records import FittedConstants
from engine.store import entries, fitted_constants, stored_values
from engine.store.archive import usable
from engine.store.row_mapping import Row, storable, tag_text
from engine.watching.watched_roots import rules_from

LONGEST_LINE = 64 * 2**20  # bytes; a passage and its vector take some 10 KB
HASH_BYTES = 16
LARGEST = 2**63 - 1  # what SQLite holds
STATES = ("watching", "paused", "missing")
GRADES = (2, -2, 1)

Record = dict[str, Any]


class _InvalidRecord(Exception):
    """A line that cannot be used, and why; `lines` adds where it stands."""


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """The first line of an export: what it says of itself; the model's facts are "" where it knows none.

    `readers` are the versions by which its documents were read, by reader; `fitted` are fusion constants.
    """

    name: str
    fingerprint: str
    manifest: str
    dimension: int
    readers: Mapping[str, int]
    fitted: FittedConstants | None = None


@dataclass(slots=True)
class ExportReader:
    """An export that is being read: after `head`, `rows` gives what is to be stored, table by table."""

    stream: IO[bytes]
    name: str
    number: int = 0
    _folders: set[int] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=lambda: {"folder": 0, "document": 0, "passage": 0, "judgement": 0})
    _document: int = 0  # the one whose passages are being read, and where the next of them is due
    _ordinal: int = 0
    _end: int = 0
    _dimension: int = 0

    def head(self) -> ExportHeader:
        """Return the first line. Raises UsageError where it is not that of an export that this Carrel reads."""
        record = self._next()
        if record is None or "carrel_export" not in record:
            raise self._error("This is not an export of Carrel.")
        if record["carrel_export"] != FORMAT:
            raise self._error(f"The export has format {record['carrel_export']!r}; this Carrel reads {FORMAT}.")
        readers, fitted = versions_in(record.get("readers")), self._fitted(record.get("fitted"))
        try:
            model = record.get("model")
            if model is None:
                return ExportHeader("", "", "", 0, readers, fitted)
            if not isinstance(model, dict):
                raise _InvalidRecord("it is no object")
            facts = {key: _text(model, key) for key in ("name", "fingerprint", "manifest")}
            manifest = json.loads(facts["manifest"])
            if not isinstance(manifest, dict):
                raise _InvalidRecord("its manifest is no object")
            self._dimension = _number(manifest, "dimension", 1, 100_000)
        except (_InvalidRecord, TypeError, ValueError) as error:
            raise self._error(f"The model cannot be understood: {error}.") from error
        return ExportHeader(**facts, dimension=self._dimension, readers=readers, fitted=fitted)

    def _fitted(self, written: Any) -> FittedConstants | None:
        try:
            return fitted_constants.from_json(written) if written is not None else None
        except ValueError as error:
            raise self._error(f"The fitted constants cannot be understood: {error}.") from error

    def rows(self) -> Iterator[tuple[str, Row, bytes | None]]:
        """Yield the table, the row in the order of its columns in an archive, and for a passage its vector, if any.

        Passages are numbered from 1 in the order of the file. Raises UsageError with the number of the line for
        anything that is not as an export has it, and where the end is missing.
        """
        readers = {
            "folder": self._folder,
            "document": self._read_document,
            "passage": self._passage,
            "judgement": self._judgement,
        }
        while (record := self._next()) is not None:
            kind = record.get("type")
            if kind == "end":
                self._finish(record)
                return
            if not isinstance(kind, str) or kind not in readers:
                raise self._error("There is no such type of line.")
            try:
                row, vector = readers[kind](record)
            except (_InvalidRecord, TypeError, ValueError, OverflowError) as error:
                raise self._error(f"The {kind} cannot be understood: {error}.") from error
            self._counts[kind] += 1
            yield kind, row, vector
        raise self._error("The export ends before its end: it was cut off.")

    # --- lines ------------------------------------------------------------------------------------------------------

    def _next(self) -> Record | None:
        line = self.stream.readline(LONGEST_LINE + 1)
        if not line:
            return None
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise self._error("The line is too long.")
        try:
            record = json.loads(line, parse_constant=_refused)
        except (ValueError, RecursionError) as error:
            what = "it was cut off" if not line.endswith(b"\n") else "it is no JSON"
            raise self._error(f"The line cannot be read: {what}.") from error
        if not isinstance(record, dict):
            raise self._error("The line holds no JSON object.")
        return record

    def _finish(self, record: Record) -> None:
        for kind, count in self._counts.items():
            if record.get(kind) != count:
                raise self._error(f"The export counts {record.get(kind)!r} {kind}s, and {count} were read.")
        if self.stream.readline(1):
            self.number += 1
            raise self._error("Something stands behind the end.")

    def _error(self, what: str) -> UsageError:
        return UsageError(f"{self.name}, line {self.number}: {what}", fix="Nothing was imported. Export it again.")

    # --- records ----------------------------------------------------------------------------------------------------

    def _folder(self, record: Record) -> tuple[Row, None]:
        path, rules = _path(record), record.get("rules")
        if not path.startswith(b"/") or b".." in path.split(b"/") or not isinstance(rules, dict):
            raise _InvalidRecord("a folder has an absolute path and rules")
        if not isinstance(rules.get("extra_patterns", []), list):
            raise _InvalidRecord("its patterns are no list")
        rules_from(rules)  # what it could not read would end the next sync
        folder_id, state = _number(record, "id", 1), record.get("state")
        self._folders.add(folder_id)
        return (folder_id, path, json.dumps(rules), state if state in STATES else "watching", _moment(record)), None

    def _read_document(self, record: Record) -> tuple[Row, None]:
        path, folder_id = _path(record), _number(record, "folder_id", 1)
        if path.startswith(b"/") or b".." in path.split(b"/"):
            raise _InvalidRecord("its path leads out of its folder")
        if folder_id not in self._folders:
            raise _InvalidRecord("its folder is not there")
        tags, links, metadata = record.get("tags"), record.get("links"), record.get("metadata")
        self._document, self._ordinal, self._end = _number(record, "id", 1), 0, 0
        failure = record.get("failure")
        row: Row = (
            self._document,
            folder_id,
            path,
            display(path),
            storable(_text(record, "title")),
            int(record.get("title_written") is True),
            storable(_text(record, "kind")),
            tag_text([_string(tag) for tag in _listed(tags)]),
            _number(record, "size"),
            _number(record, "mtime_ns", -LARGEST),
            _number(record, "inode", -LARGEST),
            _number(record, "device", -LARGEST),
            _hash(record, "content_hash") if record.get("content_hash") is not None else None,
            json.dumps(_strings(metadata)),
            json.dumps([_link(each) for each in _listed(links)]),
            _moment(record, "indexed_at"),
            storable(_string(failure)) if failure is not None else None,
            json.dumps([_entry(each) for each in _listed(record.get("entries", []))]),
        )
        return row, None

    def _passage(self, record: Record) -> tuple[Row, bytes | None]:
        if record.get("document") != self._document:
            raise _InvalidRecord("it does not stand behind its document")
        start, end = _number(record, "start"), _number(record, "end")
        if (_number(record, "ordinal"), start) != (self._ordinal, self._end) or end < start:
            raise _InvalidRecord("it does not follow the one before it without a gap")
        self._ordinal, self._end = self._ordinal + 1, end
        headings = [storable(" ".join(_string(each).split())) for each in _listed(record.get("headings"))]
        row: Row = (
            self._counts["passage"] + 1,
            self._document,
            self._ordinal - 1,
            storable(_text(record, "text")),
            "\n".join(headings) or None,
            start,
            end,
            _number(record, "line_start"),
            _number(record, "line_end"),
            _number(record, "page", 1) if record.get("page") is not None else None,
            _hash(record, "hash"),
        )
        return row, self._vector(record)

    def _vector(self, record: Record) -> bytes | None:
        if record.get("vector") is None:
            return None
        blob = base64.b64decode(_text(record, "vector"), validate=True)
        if len(blob) != 4 * self._dimension:
            raise _InvalidRecord(f"its vector has not the {self._dimension} components of the model")
        native = np.frombuffer(blob, dtype="<f4").astype(np.float32).tobytes()
        if not usable(native, self._dimension):
            raise _InvalidRecord("its vector is not of length one")
        return native

    def _judgement(self, record: Record) -> tuple[Row, None]:
        grade = record.get("grade")
        if grade not in GRADES:
            raise _InvalidRecord("there is no such grade")
        query = storable(_text(record, "query"))
        written = record.get("sketch")
        sketch = None if written is None else stored_values.sketch(base64.b64decode(_string(written), validate=True))
        if written is not None and sketch is None:
            raise _InvalidRecord("its sketch is none")
        return (_moment(record, "at"), query, _hash(record, "passage_hash"), _path(record), grade, sketch), None


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _InvalidRecord("a text is missing")
    return value


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise _InvalidRecord(f"its {key} is no text")
    return value


def _number(record: Mapping[str, Any], key: str, least: int = 0, most: int = LARGEST) -> int:
    value = record.get(key)
    if type(value) is not int or not least <= value <= most:
        raise _InvalidRecord(f"its {key} is no number from {least} to {most}")
    return value


def _moment(record: Mapping[str, Any], key: str = "added_at") -> float:
    value = record.get(key)
    moment = None if isinstance(value, bool) else stored_values.moment(value)
    if moment is None:
        raise _InvalidRecord(f"its {key} is no moment")
    return moment


def _hash(record: Mapping[str, Any], key: str) -> bytes:
    value = bytes.fromhex(_text(record, key))
    if len(value) != HASH_BYTES:
        raise _InvalidRecord(f"its {key} has not {HASH_BYTES} bytes")
    return value


def _path(record: Mapping[str, Any]) -> bytes:
    try:
        written = record.get("path_base64")
        path = base64.b64decode(_string(written), validate=True) if written is not None else None
        path = _text(record, "path").encode() if path is None else path
    except (binascii.Error, UnicodeEncodeError) as error:
        raise _InvalidRecord("its path cannot be read") from error
    if not path or b"\0" in path:
        raise _InvalidRecord("its path cannot be one")
    return path


def _listed(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _InvalidRecord("a list is missing")
    return value


def _strings(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise _InvalidRecord("its metadata are not texts")
    return value


def _entry(value: object) -> object:
    entries.entry_of(value)  # raises ValueError
    return value


def _link(value: object) -> Record:
    if not isinstance(value, dict):
        raise _InvalidRecord("a link is no object")
    return {"target": _text(value, "target"), "text": _text(value, "text"), "wiki": value.get("wiki") is True}
