"""Reads the values that a library keeps as JSON, numbers and blobs, each of which a foreign file may hold damaged.

Each function returns None for what no Carrel wrote, so that its caller chooses: a cache is made anew, a detail is left
out, and what cannot be done without is told with `unreadable`. `engine.maintenance.value_checks` counts the same Nones.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LibraryDamaged
from engine.paths import display
from engine.records import Link

if TYPE_CHECKING:
    import apsw

LATEST = 253_402_300_799.0  # the last second of the year 9999: later moments have no date
GRADES = frozenset({2, -2, 1})
STATES = frozenset({"watching", "paused", "missing"})
REPAIR = "Run `carrel doctor --repair`, or put a backup back with `carrel restore FILE`."
WRONG = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)


def unreadable(where: str, cause: str = "") -> LibraryDamaged:
    """Return the error for a value that does not parse; `where` names its place, such as `folder.rules`."""
    return LibraryDamaged(
        f"The library holds a value that cannot be read: {where}.",
        cause=cause or "It is not what Carrel writes there.",
        fix=REPAIR,
    )


@contextmanager
def values_explained(path: Path) -> Iterator[None]:
    """Raise LibraryDamaged for what a damaged value in the library at `path` makes Python raise."""
    try:
        yield
    except WRONG as error:
        raise LibraryDamaged(
            f"The library {path} holds a value that cannot be read.",
            cause=f"{type(error).__name__}: {str(error)[:200]}.",
            fix=REPAIR,
        ) from error


def text(value: object) -> str:
    """Read text that was selected as `CAST(... AS BLOB)`: where it is no UTF-8, U+FFFD stands for what cannot be read.

    SQLite stores any bytes as text, and one such value, selected as it is, would end the reading of all rows.
    """
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def selecting(columns: Iterable[str]) -> str:
    """Return what to select for columns of any type, two values each, which `values_of` reads."""
    return ", ".join(
        f"typeof({each}) = 'text', CASE typeof({each}) WHEN 'text' THEN CAST({each} AS BLOB) ELSE {each} END"
        for each in columns
    )


def values_of(selected: Sequence[Any], errors: str = "strict") -> list[Any]:
    """Read what was selected by `selecting`; raises UnicodeDecodeError for text that is no UTF-8.

    With the `errors` "replace", U+FFFD stands for what cannot be read.
    """
    pairs = zip(selected[::2], selected[1::2], strict=True)
    return [value.decode("utf-8", errors) if is_text else value for is_text, value in pairs]


def sound_text(value: object) -> str | None:
    """Read text that was selected as `CAST(... AS BLOB)` and must be right to the last sign; None where it is not."""
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else None
    except UnicodeDecodeError:
        return None


def count(value: object) -> int | None:
    """Read a number that counts something."""
    return value if type(value) is int and value >= 0 else None


def moment(value: object) -> float | None:
    """Read seconds since the epoch."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= LATEST else None


def finite(value: object) -> float | None:
    """Read a figure that is neither infinite nor no number."""
    return float(value) if isinstance(value, (int, float)) and abs(value) <= sys.float_info.max else None


def json_object(written: object) -> dict[str, Any] | None:
    """Read a JSON object."""
    found = _json(written)
    return found if isinstance(found, dict) else None


def rules(written: object) -> dict[str, Any] | None:
    """Read the rules of a folder, of which `extra_patterns` are texts and `max_bytes` a count."""
    found = json_object(written)
    if found is None or count(found.get("max_bytes", 0)) is None:
        return None
    patterns = found.get("extra_patterns", [])
    return found if isinstance(patterns, list) and all(isinstance(each, str) for each in patterns) else None


def metadata(written: object) -> dict[str, str] | None:
    """Read what a file says of itself, text by name."""
    found = json_object(written)
    return found if found is not None and all(isinstance(each, str) for each in found.values()) else None


def links(written: object) -> tuple[Link, ...] | None:
    """Read the links written in a document."""
    found = _json(written)
    if not isinstance(found, list) or not all(_is_link(each) for each in found):
        return None
    return tuple(Link(**each) for each in found)


def logged_rows(written: object) -> list[dict[str, Any]] | None:
    """Read the rows of a logged search."""
    found = _json(written)
    return found if isinstance(found, list) and all(_is_logged_row(each) for each in found) else None


def sketch(value: object) -> bytes | None:
    """Read the sketch of a passage."""
    return value if isinstance(value, bytes) and len(value) % 4 == 0 else None


def is_folder_path(value: object) -> bool:
    """Whether a value is an absolute path without steps upward, as every watched folder has."""
    return isinstance(value, bytes) and os.path.isabs(value) and _is_plain(value)


def is_document_path(value: object) -> bool:
    """Whether a value is a path that stays below its folder, as every document has."""
    return isinstance(value, bytes) and value != b"" and not os.path.isabs(value) and _is_plain(value)


def _is_plain(path: bytes) -> bool:
    return b"\0" not in path and b".." not in path.split(b"/")


def _json(written: object) -> Any:
    if not isinstance(written, str):
        return None
    try:
        return json.loads(written, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_link(each: object) -> bool:
    if not isinstance(each, dict) or not {"target", "text"} <= each.keys() <= {"target", "text", "wiki"}:
        return False
    return isinstance(each["target"], str) and isinstance(each["text"], str) and type(each.get("wiki", False)) is bool


def _is_logged_row(each: object) -> bool:
    if not isinstance(each, dict) or not isinstance(each.get("path"), str) or count(each.get("rank")) is None:
        return False
    if "opened" in each and moment(each["opened"]) is None:
        return False
    return isinstance(each.get("hash"), str) and _is_hex(each["hash"]) and count(each.get("passage")) is not None


def _is_hex(text: str) -> bool:
    try:
        return bytes.fromhex(text) is not None
    except ValueError:
        return False


def refuse_escaping(conn: apsw.Connection) -> None:
    """Raise LibraryDamaged where a folder's path is not absolute, or a document's leads out of its folder.

    Reads the index of paths alone: about 10 ms with 50,000 documents.
    """
    refuse_relative(conn)
    for (path,) in conn.execute(
        """SELECT path FROM document
        WHERE instr(path, x'2e2e') OR instr(path, x'00') OR path = x'' OR substr(path, 1, 1) = x'2f'"""
    ):
        if not is_document_path(path):
            raise unreadable("document.path", f"A document must lie in its folder, and one is at {_shown(path)}.")


def refuse_relative(conn: apsw.Connection) -> None:
    """Raise LibraryDamaged where a watched folder's path is not absolute, or leads upward."""
    for (path,) in conn.execute("SELECT path FROM folder"):
        if not is_folder_path(path):
            raise unreadable("folder.path", f"A watched folder must be an absolute path, and one is {_shown(path)}.")


def _shown(path: object) -> str:
    return f"“{display(path[:80])}”" if isinstance(path, bytes) else "none"
