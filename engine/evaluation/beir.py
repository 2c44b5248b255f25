"""Reading the files of the BEIR layout line by line; every complaint names the file and the line.

The layout: `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`) and `qrels/<split>.tsv` (query id,
document id and grade, parted by tabs, with or without a header). Thakur et al., BEIR, 2021.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from engine.errors import UsageError

Judgements = dict[str, dict[str, int]]
"""Grades by query id and document id, in the order of the file; above 0 is relevant."""


def read_records(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the id and the object of each line of a JSON Lines file; raise UsageError at a line that is broken."""
    seen: set[str] = set()
    for number, line in _lines(file):
        try:
            record = json.loads(line)
        except ValueError:
            _refuse(file, number, "The line is not valid JSON.")
        if not isinstance(record, dict) or not isinstance(record.get("_id"), str | int):
            _refuse(file, number, 'The line is not an object with an "_id".')
        identity = str(record["_id"])
        if identity in seen:
            _refuse(file, number, f'The id "{identity}" stands there for the second time.')
        seen.add(identity)
        for name in ("title", "text"):
            if not isinstance(record.get(name) or "", str):
                _refuse(file, number, f'"{name}" is not a text.')
        yield identity, record


def read_judgements(file: Path) -> Judgements:
    """Read one split's grades; raise UsageError at a line that is broken."""
    judgements: Judgements = {}
    for number, line in _lines(file):
        fields = line.split("\t")
        if len(fields) != 3:
            _refuse(file, number, f"The line has {len(fields)} fields parted by tabs, where 3 are expected.")
        query, document, grade = (field.strip() for field in fields)
        try:
            value = int(grade)
        except ValueError:
            if number == 1:
                continue  # the header
            _refuse(file, number, f'The grade "{grade}" is not a whole number.')
        graded = judgements.setdefault(query, {})
        if graded.setdefault(document, value) != value:
            _refuse(file, number, f'Document "{document}" has two grades for query "{query}".')
    return judgements


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers, whatever their line ends."""
    number = 0
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except UnicodeDecodeError:
        _refuse(file, number + 1, "The file is not UTF-8 near there.")
    except OSError as error:
        raise UsageError(
            f"{file} could not be read.",
            cause=f"{error.strerror}.",
            fix="A collection has corpus.jsonl, queries.jsonl and qrels/<split>.tsv.",
        ) from error


def _refuse(file: Path, number: int, cause: str) -> NoReturn:
    raise UsageError(f"{file}, line {number}, cannot be used.", cause=cause, fix="Correct the line or leave it out.")
