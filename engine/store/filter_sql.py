"""Filters as one SQL subquery of passage ids of the single file, so that both legs draw from the same set."""

from __future__ import annotations

import json
from collections.abc import Iterator

from engine.records import Filters, Scope
from engine.store.allowed import Allowed
from engine.store.folding import fold
from engine.store.own_words import PROPERTIES

NANOSECONDS = 1_000_000_000

Bindings = tuple[str | int | bytes, ...]


def passages_sql(allowed: Allowed) -> tuple[str, Bindings]:
    """Return a subquery that gives the allowed passage ids, with its bindings; "" where all are allowed."""
    passages: list[str] = []
    bindings: list[str | int | bytes] = []
    if allowed.other_than is not None:
        passages.append("passage.document_id <> ?")
        bindings.append(allowed.other_than)
    conditions = tuple(_conditions(allowed.filters))
    if conditions:  # each document is judged once, and each entry of a file of several, not every passage
        values = [value for _, given in conditions for value in given]
        told = [condition for condition, _ in conditions]
        if any(_OF_ENTRY in condition for condition in told):
            whole, part = (" AND ".join(told).replace(_OF_ENTRY, each) for each in ("document", "entry"))
            passages.append(_OF_EITHER.format(whole, part))
            bindings += [*values, *values]
        else:
            passages.append(_OF_DOCUMENTS.format(" AND ".join(told)))
            bindings += values
    for negate, joint, phrases in (("", " AND ", allowed.required), ("NOT ", " OR ", allowed.excluded)):
        reaching = {each: allowed.across[each] for each in phrases if allowed.across.get(each)}
        for phrase, over in reaching.items():
            passages.append(f"{negate}({_HOLDS}{_REACHES})")
            bindings += [phrase.match, json.dumps(over)]
        inside = [f"({phrase.match})" for phrase in phrases if phrase not in reaching]
        if inside:  # one question, since SQLite takes no thousand conditions, and people paste
            passages.append(f"{negate}{_HOLDS}")
            bindings.append(joint.join(inside))
    if not passages:
        return "", ()
    return f"SELECT passage.id FROM passage WHERE {' AND '.join(passages)}", tuple(bindings)


def scope_sql(scope: Scope) -> tuple[str, Bindings]:
    """Return the condition on documents of a scope, with its bindings; "" where it hides nothing."""
    conditions = [*_scope_conditions(scope)]
    return " AND ".join(told for told, _ in conditions), tuple(value for _, given in conditions for value in given)


IN_SCOPE = "SELECT document.id FROM document JOIN folder ON folder.id = document.folder_id WHERE {}"


def _scope_conditions(scope: Scope) -> Iterator[tuple[str, tuple[str | int | bytes, ...]]]:
    if scope.folders:
        below = [folder.rstrip(b"/") + b"/" for folder in scope.folders]
        yield f"({' OR '.join([_BELOW] * len(below))})", tuple(value for each in below for value in (len(each), each))
    for kind in scope.not_kinds:
        yield f"NOT ({_KIND})", _kind_values(kind)
    for name in scope.not_names:
        yield f"NOT {_NAME_GLOB}", (f"*/{name}",)


def _conditions(filters: Filters) -> Iterator[tuple[str, tuple[str | int | bytes, ...]]]:
    """Give each filter as a condition on a document, or on an entry where `_OF_ENTRY` stands, with its bindings."""
    if filters.hidden:
        yield "document.id NOT IN (SELECT value FROM json_each(?))", (json.dumps(filters.hidden),)
    for negate, paths in (("", filters.paths), ("NOT ", filters.not_paths)):
        for path in paths:
            yield f"{negate}({_PATH_GLOB if '*' in path else _PATH_PART})", (_path_pattern(path),)
    for negate, titles in (("", filters.titles), ("NOT ", filters.not_titles)):
        for title in titles:
            yield f"{negate}instr(folded({_NAMES}), ?) > 0", (_part(title),)
    for name in PROPERTIES:
        for negate, wanted in (("", getattr(filters, _NAMED[name])), ("NOT ", getattr(filters, f"not_{_NAMED[name]}"))):
            for value in wanted:
                yield f"{negate}instr(folded({_SAID[name]}), ?) > 0", (_part(value),)
    for negate, tags in (("", filters.tags), ("NOT ", filters.not_tags)):
        for tag in tags:
            name = fold(tag.lstrip("#").replace(" ", "-"))
            ends = ("", "") if name.endswith("*") else (" ", "/")  # a tag holds its children: garden finds garden/roses
            yield f"{negate}({_TAG})", tuple(f" {name.rstrip('*')}{end}" for end in ends)
    for negate, kinds in (("", filters.kinds), ("NOT ", filters.not_kinds)):
        if kinds:
            either = " OR ".join([_KIND] * len(kinds))
            yield f"{negate}({either})", tuple(value for kind in kinds for value in _kind_values(kind))
    day = f"ifnull({_OF_ENTRY}.own_date * 1e9, document.mtime_ns)" if filters.own_dates else "document.mtime_ns"
    if filters.after is not None:
        yield f"{day} >= ?", (int(filters.after * NANOSECONDS),)
    if filters.before is not None:
        yield f"{day} < ?", (int(filters.before * NANOSECONDS),)


_NAMED = {"author": "authors", "from": "senders", "to": "recipients", "subject": "subjects"}
_OF_ENTRY = "{of}"  # in a condition: the document, or the entry of a file of several that is judged in its place
_NAMES = f"concat_ws(char(10), document.title, document.aliases, {_OF_ENTRY}.title)"
_KEPT = f"{_OF_ENTRY}.metadata ->> '$.%s'"
_SAID = {
    name: f"iif(json_valid({_OF_ENTRY}.metadata), concat_ws(char(10), {', '.join(_KEPT % each for each in kept)}), '')"
    for name, kept in PROPERTIES.items()
}
_OF_DOCUMENTS = (
    "passage.document_id IN (SELECT document.id FROM document JOIN folder ON folder.id = document.folder_id WHERE {})"
)
_OF_EITHER = """(passage.document_id IN (
    SELECT document.id FROM document JOIN folder ON folder.id = document.folder_id
    WHERE document.id NOT IN (SELECT document_id FROM entry) AND {})
OR passage.id IN (
    SELECT part.id FROM (SELECT DISTINCT document_id AS id FROM entry) AS holder
    CROSS JOIN passage AS part ON part.document_id = holder.id
    WHERE (part.document_id, part.page) IN (
        SELECT entry.document_id, entry.number FROM entry JOIN document ON document.id = entry.document_id
        JOIN folder ON folder.id = document.folder_id WHERE {})))"""
_FULL_PATH = "folded(CAST(folder.path AS TEXT) || '/' || document.path_text)"
_PATH_PART = f"instr({_FULL_PATH}, ?) > 0"
_PATH_GLOB = f"{_FULL_PATH} GLOB ?"
_BELOW = "substr(CAST(rtrim(CAST(folder.path AS TEXT), '/') || '/' || document.path AS BLOB), 1, ?) = ?"
_NAME_GLOB = "('/' || lower(document.path_text)) GLOB ?"
_TAGS = f"' ' || folded({_OF_ENTRY}.tags)"
_TAG = f"instr({_TAGS} || ' ', ?) > 0 OR instr({_TAGS}, ?) > 0"
_KIND = "document.kind = ? OR lower(document.path_text) LIKE ? ESCAPE '\\'"
_HOLDS = "passage.id IN (SELECT rowid FROM passage_fts WHERE passage_fts MATCH ?)"
_REACHES = " OR passage.id IN (SELECT value FROM json_each(?))"


def _part(written: str) -> str:
    """Give the text to look for in a name; whatever stands around it, so that stars at its ends say nothing."""
    return fold(written).strip("*")


def _path_pattern(path: str) -> str:
    """Give the text to look for; `~` is the person's home, and a pattern with `*` matches the whole path."""
    import os

    if path.startswith("~"):
        path = os.path.expanduser(path)
    path = fold(path)
    if "*" not in path:
        return path
    literal = path.replace("[", "[[]")
    return literal if literal.startswith(("/", "*")) else f"*{literal}"


def _kind_values(kind: str) -> tuple[str, str]:
    suffix = kind.lstrip(".").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _KIND_NAMES.get(kind, kind), f"%.{suffix}"


_KIND_NAMES = {"note": "markdown", "notes": "markdown", "mail": "email", "source": "code", "txt": "text"}
