"""Filters as SQL over a team's library: which passages may be found at all, by the same rules as in the single file.

`engine.store.filter_sql` is the specification. Names and places are folded when they are written, so that the server
compares only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.records import Filters, Scope
from engine.store.allowed import Allowed
from engine.store.folding import fold
from engine.store.own_words import PROPERTIES
from engine.team.phrase_sql import Sql, matching

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

NANOSECONDS = 1_000_000_000
OWN = (
    "(f.owner = current_user AND f.machine = %s)"  # a folder of the person who asks, on the machine that they ask from
)
SHOWN = f"(CASE WHEN {OWN} THEN f.path ELSE convert_to(f.owner || '@' || f.machine || ':', 'UTF8') || f.path END)"
"""The path of a folder as it is told to that person; both hold one value, the machine."""
_SIGNS = re.compile(r"(\*|\?|\[[^\]]*\])")  # of a pattern of paths
_NAMED = {"author": "authors", "from": "senders", "to": "recipients", "subject": "subjects"}
_OF = "{of}"  # in a condition: d, the document, or e, the entry of a file of several that is judged in its place
_PLACE = f"(CASE WHEN {OWN} THEN d.place_folded ELSE f.prefix_folded || d.place_folded END)"
_KIND = "(d.kind = %s OR d.path_lower LIKE %s)"
_KIND_NAMES = {"note": "markdown", "notes": "markdown", "mail": "email", "source": "code", "txt": "text"}
_FROM = "FROM document d JOIN folder f ON f.id = d.folder_id"
_ENTRIES = "JOIN entry e ON e.folder_id = d.folder_id AND e.document_id = d.id"

Condition = tuple[str, tuple[Any, ...]]


def allowed_sql(snapshot: Snapshot, allowed: Allowed) -> Sql | None:
    """Return what selects the numbers of the passages that are allowed; None where all are."""
    parts: list[Condition] = []
    if allowed.other_than is not None:
        parts.append(("p.document_id <> %s", (allowed.other_than,)))
    conditions = list(_conditions(allowed.filters, snapshot.machine))
    if conditions:
        parts.append(_of_documents(conditions))
    parts += [_holding(phrase, allowed, "") for phrase in allowed.required]
    parts += [_holding(phrase, allowed, "NOT ") for phrase in allowed.excluded]
    if not parts:
        return None
    told = " AND ".join(condition for condition, _ in parts)
    return Sql(f"SELECT p.id FROM passage p WHERE {told}", tuple(chain.from_iterable(values for _, values in parts)))


def _holding(phrase: Any, allowed: Allowed, negate: str) -> Condition:
    found = matching([phrase])
    over = list(allowed.across.get(phrase, ()))
    reaching = " OR p.id = ANY(%s)" if over else ""
    return f"{negate}(p.id IN ({found.text}){reaching})", (*found.values, *([over] if over else []))


def _of_documents(conditions: Sequence[Condition]) -> Condition:
    """Judge each document once, and of a file that holds several writings each of them."""
    told = " AND ".join(condition for condition, _ in conditions)
    values = tuple(chain.from_iterable(given for _, given in conditions))
    whole = "(p.folder_id, p.document_id) IN (SELECT d.folder_id, d.id {} WHERE {})"
    if _OF not in told:
        return whole.format(_FROM, told), values
    part = "(p.folder_id, p.document_id, p.page) IN (SELECT d.folder_id, d.id, e.number {} {} WHERE {})"
    either = (
        whole.format(_FROM, f"d.entries = 0 AND {told.replace(_OF, 'd')}"),
        part.format(_FROM, _ENTRIES, told.replace(_OF, "e")),
    )
    return f"({' OR '.join(either)})", (*values, *values)


def _conditions(filters: Filters, machine: str) -> Iterator[Condition]:
    if filters.hidden:
        yield "d.id <> ALL(%s)", (list(filters.hidden),)
    for negate, paths in (("", filters.paths), ("NOT ", filters.not_paths)):
        for path in paths:
            pattern = _path_pattern(path)
            how = f"{_PLACE} LIKE %s" if "*" in path else f"strpos({_PLACE}, %s) > 0"
            yield f"{negate}({how})", (machine, pattern)
    for negate, titles in (("", filters.titles), ("NOT ", filters.not_titles)):
        for title in titles:
            yield f"{negate}(strpos({_OF}.names_folded, %s) > 0)", (_part(title),)
    for name in PROPERTIES:
        for negate, wanted in (("", getattr(filters, _NAMED[name])), ("NOT ", getattr(filters, f"not_{_NAMED[name]}"))):
            for value in wanted:
                yield f"{negate}(strpos(coalesce({_OF}.said_folded ->> '{name}', ''), %s) > 0)", (_part(value),)
    yield from _of_tags_and_kinds(filters)
    day = f"coalesce({_OF}.own_date * 1e9, d.mtime_ns)" if filters.own_dates else "d.mtime_ns"
    if filters.after is not None:
        yield f"{day} >= %s", (int(filters.after * NANOSECONDS),)
    if filters.before is not None:
        yield f"{day} < %s", (int(filters.before * NANOSECONDS),)


def _of_tags_and_kinds(filters: Filters) -> Iterator[Condition]:
    tags = f"' ' || {_OF}.tags_folded"
    for negate, wanted in (("", filters.tags), ("NOT ", filters.not_tags)):
        for tag in wanted:
            name = fold(tag.lstrip("#").replace(" ", "-"))
            ends = ("", "") if name.endswith("*") else (" ", "/")
            yield (
                f"{negate}(strpos({tags} || ' ', %s) > 0 OR strpos({tags}, %s) > 0)",
                tuple(f" {name.rstrip('*')}{end}" for end in ends),
            )
    for negate, kinds in (("", filters.kinds), ("NOT ", filters.not_kinds)):
        if kinds:
            either = " OR ".join([_KIND] * len(kinds))
            yield f"{negate}({either})", tuple(value for kind in kinds for value in _kind_values(kind))


def _scope_conditions(scope: Scope, machine: str) -> list[Condition]:
    found: list[Condition] = []
    if scope.folders:
        below = [folder.rstrip(b"/") + b"/" for folder in scope.folders]
        place = f"rtrim({SHOWN}, '\\x2f'::bytea) || '\\x2f'::bytea || d.path"
        either = " OR ".join([f"substring({place} from 1 for %s) = %s"] * len(below))
        found.append((f"({either})", tuple(value for each in below for value in (machine, len(each), each))))
    found += [(f"NOT {_KIND}", _kind_values(kind)) for kind in scope.not_kinds]
    found += [("NOT ('/' || d.path_lower) ~ %s", (_glob(f"*/{name}"),)) for name in scope.not_names]
    return found


def hidden_documents(snapshot: Snapshot, scope: Scope) -> tuple[int, ...]:
    """Return the documents that lie outside a scope."""
    conditions = _scope_conditions(scope, snapshot.machine)
    if not conditions:
        return ()
    told = " AND ".join(condition for condition, _ in conditions)
    values = tuple(chain.from_iterable(given for _, given in conditions))
    return tuple(each for (each,) in snapshot.rows(f"SELECT d.id {_FROM} WHERE NOT ({told}) ORDER BY d.id", values))


def in_scope(snapshot: Snapshot, document_id: int, scope: Scope) -> bool:
    """Return whether a document is there and lies in a scope."""
    conditions = [
        ("d.folder_id = %s AND d.id = %s", (document_id >> 24, document_id)),
        *_scope_conditions(scope, snapshot.machine),
    ]
    told = " AND ".join(condition for condition, _ in conditions)
    values = tuple(chain.from_iterable(given for _, given in conditions))
    return snapshot.value(f"SELECT 1 {_FROM} WHERE {told}", values) is not None


def allowed_ids(snapshot: Snapshot, allowed: Allowed) -> NDArray[np.int64]:
    """Return the passages that are allowed."""
    within = allowed_sql(snapshot, allowed) or Sql("SELECT p.id FROM passage p")
    return _ids(snapshot.rows(within.text, within.values))


def let_through(snapshot: Snapshot, ids: NDArray[np.int64], allowed: Allowed) -> NDArray[np.int64]:
    """Return those of a few passages (n,) that are allowed, ascending."""
    within = allowed_sql(snapshot, allowed)
    if within is None or not len(ids):
        return ids
    sql = f"SELECT w.id FROM unnest(%s::bigint[]) AS w(id) WHERE w.id IN ({within.text}) ORDER BY w.id"
    return _ids(snapshot.rows(sql, (ids.tolist(), *within.values)))


def _ids(rows: Sequence[tuple[int]]) -> NDArray[np.int64]:
    return np.fromiter((each for (each,) in rows), np.int64, len(rows))


def _part(written: str) -> str:
    """Give the text to look for in a name; whatever stands around it, so that stars at its ends say nothing."""
    return fold(written).strip("*").replace("\0", "")


def _path_pattern(path: str) -> str:
    """Give the text to look for, or with `*` the pattern of LIKE for the whole path; `~` is the person's home."""
    if path.startswith("~"):
        path = os.path.expanduser(path)
    path = fold(path).replace("\0", "")
    if "*" not in path:
        return path
    escaped = path.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("?", "_").replace("*", "%")
    return escaped if path.startswith(("/", "*")) else f"%{escaped}"


def _glob(pattern: str) -> str:
    """Return the regular expression of a pattern with `*`, `?` and sets in brackets."""
    parts = _SIGNS.split(pattern)
    plain = {"*": ".*", "?": "."}
    return "^" + "".join(plain.get(each, each if each.startswith("[") else re.escape(each)) for each in parts) + "$"


def _kind_values(kind: str) -> tuple[str, str]:
    suffix = kind.lstrip(".").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _KIND_NAMES.get(kind, kind), f"%.{suffix}"
