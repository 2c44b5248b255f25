"""Finds every value in a library that others rely on and that cannot be read, and mends what can be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast, get_args

import apsw

from engine.embedding.manifest import Manifest
from engine.errors import ModelError
from engine.records import Check
from engine.retrieval import word_link_calibration
from engine.retrieval.tiers import CALIBRATED, Cuts
from engine.store import change_log, judgements, models, search_log, shadow_log, stored_values, vector_tables
from engine.store.transactions import transaction

Key: TypeAlias = tuple[Any, ...]
_AGAIN = "content_hash = NULL, mtime_ns = 0"  # a document that looks changed is read again by the next sync
FIRST_FOREIGN_MODEL = 10**18  # a table of vectors with a longer number is none of Carrel's (`untrusted_file`)
_OF_FOLDER = "IN (SELECT id FROM document WHERE folder_id = ?)"


@dataclass(frozen=True, slots=True)
class Kind:
    """Values of one table that are read together.

    `is_sound` tells whether they can be read; text that is not UTF-8 never can. `mends` are the statements, each with
    a row's key, that put the matter right, and `said` tells what they do.
    """

    table: str
    columns: tuple[str, ...]
    is_sound: Callable[..., bool]
    mends: tuple[str, ...]
    said: str
    key: str = "rowid"

    @property
    def name(self) -> str:
        """Where the values stand, as people are told."""
        return f"{self.table}.{'/'.join(self.columns)}"


@dataclass(frozen=True, slots=True)
class Unread:
    """The keys of the rows of a kind that cannot be read."""

    kind: Kind
    keys: Sequence[Key]


def check(conn: apsw.Connection) -> Check:
    """Return whether all values can be read, and where those stand that cannot."""
    found = _unread(conn)
    if not found:
        return Check("values", True, 0, "every stored value can be read", True)
    places = ", ".join(f"{each.kind.name} ({len(each.keys):,})" for each in found)
    return Check("values", False, sum(len(each.keys) for each in found), f"not to be read: {places}", True)


def mend(conn: apsw.Connection) -> list[str]:
    """Mend every value that cannot be read and return what was done, one sentence each.

    The caller holds the indexer lock, and lets `engine.store.repair` and a sync follow.
    """
    done = []
    with transaction(conn):
        for each in _unread(conn):
            if each.kind.table == "embedding_queue":
                _forget_vectors(conn, each.keys)
            for key in each.keys:
                for statement in each.kind.mends:
                    conn.execute(statement, key)
            done.append(f"{each.kind.said}: {len(each.keys):,} ({each.kind.name} could not be read).")
        judgements.sketch_missing(conn)
    return done


def _forget_vectors(conn: apsw.Connection, keys: Sequence[Key]) -> None:
    """Forget the vectors in whose place others were to come: they are of what the passages said before."""
    for key in keys:
        found = conn.execute(
            """SELECT passage.id, model_id FROM embedding_queue AS queue JOIN passage ON passage.hash = queue.hash
            WHERE queue.rowid = ?""",
            key,
        )
        for passage_id, model_id in cast("list[tuple[int, int]]", found.fetchall()):
            vector_tables.forget(conn, model_id, [passage_id])
            change_log.record(conn, "put", [passage_id])


def _unread(conn: apsw.Connection) -> list[Unread]:
    found = (Unread(kind, list(_keys(conn, kind))) for kind in KINDS)
    return [each for each in found if each.keys]


def _keys(conn: apsw.Connection, kind: Kind) -> Iterator[Key]:
    """Yield the keys of the rows that cannot be read; text comes as bytes, so that it may be anything."""
    width = 2 * len(kind.columns)
    for row in conn.execute(f"SELECT {stored_values.selecting(kind.columns)}, {kind.key} FROM {kind.table}"):
        try:
            sound = kind.is_sound(*stored_values.values_of(row[:width]))
        except UnicodeDecodeError:
            sound = False
        if not sound:
            yield tuple(row[width:])


def _any(*_: object) -> bool:
    return True


def _is_model(number: int, name: object, manifest: str, fingerprint: object, state: object) -> bool:
    try:
        Manifest.from_json(manifest)
    except ModelError:
        return False
    return 0 < number < FIRST_FOREIGN_MODEL and state in get_args(models.ModelState)


def _is_kept(key: str, value: object) -> bool:
    """Whether a value of `meta` can be read; one of a name that is not known is nobody's."""
    if key == judgements.STAMP or key.startswith("held:"):
        return stored_values.count(value) is not None
    if key.startswith(judgements.SKETCH):
        return stored_values.sketch(value) is not None
    return (
        not (key in ("last_check", "readers") or key.startswith("removals:"))
        or stored_values.json_object(value) is not None
    )


def _is_figure(name: str, value: object) -> bool:
    if name == CALIBRATED:
        return Cuts.from_json(value) is not None
    if name == word_link_calibration.CALIBRATED:
        return word_link_calibration.cuts_in(value) is not None
    if name == shadow_log.CUT:
        return stored_values.json_object(value) is not None
    if name.startswith(judgements.ASKED):
        return isinstance(value, bytes) and len(value) % 4 == 0
    return stored_values.finite(value) is not None


def _is_entry(title: object, tags: object, said: object, date: object, written: object) -> bool:
    return stored_values.metadata(written) is not None and (date is None or stored_values.finite(date) is not None)


def _is_outcome(kind: object, argument: object, outcome: object) -> bool:
    return not outcome or stored_values.json_object(outcome) is not None


def _is_step(kind: object, model: object, detail: object) -> bool:
    return stored_values.json_object(detail) is not None


def _drop(table: str, said: str, key: str = "rowid") -> tuple[tuple[str, ...], str, str]:
    marks = ", ".join("?" for _ in key.split(","))
    return (f"DELETE FROM {table} WHERE ({key}) = ({marks})",), said, key


def _again(values: str) -> tuple[tuple[str, ...], str]:
    return (f"UPDATE document SET {values}, {_AGAIN} WHERE rowid = ?",), "Documents marked to be read again"


def _reset(values: str, said: str) -> tuple[tuple[str, ...], str]:
    return (f"UPDATE folder SET {values} WHERE rowid = ?",), said


_COMPARED = _drop("shadow_search", "Searches of two models dropped")
_NO_FOLDER = (
    f"DELETE FROM passage WHERE document_id {_OF_FOLDER}",
    "DELETE FROM document WHERE folder_id = ?",
    "DELETE FROM left_out WHERE folder_id = ?",
    "DELETE FROM folder WHERE id = ?",
)
_NO_DOCUMENT = ("DELETE FROM passage WHERE document_id = ?", "DELETE FROM document WHERE id = ?")
_NO_MODEL = (
    "DELETE FROM calibration WHERE model_id = ?",
    "DELETE FROM embedding_queue WHERE model_id = ?",
    "DELETE FROM model WHERE id = ?",
)
_MEANT = (  # a folder's documents, and the folder, where nobody knows any more which one was meant
    Kind("folder", ("path",), stored_values.is_folder_path, _NO_FOLDER, "Folders no longer watched"),
    Kind("document", ("path",), stored_values.is_document_path, _NO_DOCUMENT, "Documents removed"),
    Kind("model", ("id", "name", "manifest", "fingerprint", "state"), _is_model, _NO_MODEL, "Models forgotten"),
)
KINDS = (
    *_MEANT,
    Kind(
        "folder",
        ("rules",),
        lambda rules: stored_values.rules(rules) is not None,
        *_reset("rules = '{}'", "Folders whose patterns were emptied; give them anew in the browser"),
    ),
    Kind(
        "folder",
        ("state",),
        lambda state: state in stored_values.STATES,
        *_reset("state = 'watching'", "Folders watched again"),
    ),
    Kind("document", ("path_text", "title", "kind"), _any, *_again("path_text = '', title = '', kind = 'text'")),
    Kind(
        "document",
        ("tags", "aliases", "own_words", "failure"),
        _any,
        *_again("tags = '', aliases = '', own_words = '', failure = NULL"),
    ),
    Kind(
        "document",
        ("own_date",),
        lambda date: date is None or stored_values.finite(date) is not None,
        *_again("own_date = NULL"),
    ),
    Kind(
        "document",
        ("metadata",),
        lambda written: stored_values.metadata(written) is not None,
        *_again("metadata = '{}'"),
    ),
    Kind("document", ("links",), lambda written: stored_values.links(written) is not None, *_again("links = '[]'")),
    Kind(
        "entry",
        ("title", "tags", "own_words", "own_date", "metadata"),
        _is_entry,
        (
            f"UPDATE document SET {_AGAIN} WHERE id = ?1 AND ?2 > 0",
            "DELETE FROM entry WHERE (document_id, number) = (?, ?)",
        ),
        "Files of several writings marked to be read again",
        "document_id, number",
    ),
    Kind("document", ("indexed_at",), lambda at: stored_values.moment(at) is not None, *_again("indexed_at = 0.0")),
    Kind("passage", ("text", "headings"), _any, *_drop("passage", "Passages removed, to be read again")),
    Kind("embedding_queue", ("text",), _any, *_drop("embedding_queue", "Texts to embed dropped, to be read again")),
    Kind("left_out", ("reason",), _any, *_drop("left_out", "Counts dropped", "folder_id, CAST(reason AS BLOB)")),
    Kind("request", ("kind", "argument", "outcome"), _is_outcome, *_drop("request", "Orders dropped")),
    Kind("search_log", ("query", "verdict", "fusion"), _any, *_drop("search_log", "Logged searches dropped")),
    Kind(
        "search_log",
        ("at", "milliseconds", "results"),
        search_log.is_search,
        *_drop("search_log", "Logged searches dropped"),
    ),
    Kind("shadow_search", ("query", "stream", "folder", "verdict_a", "verdict_b"), _any, *_COMPARED),
    Kind("shadow_search", ("at", "ms_a", "ms_b", "top_a", "top_b"), shadow_log.is_search, *_COMPARED),
    Kind("shadow_review", ("choice",), _any, *_drop("shadow_review", "Choices between two models dropped")),
    Kind("shadow_event", ("kind", "model", "detail"), _is_step, *_drop("shadow_event", "Steps of a model dropped")),
    Kind("judgement", ("query",), _any, *_drop("judgement", "Marks dropped")),
    Kind("judgement", ("path", "grade", "at"), judgements.is_mark, *_drop("judgement", "Marks dropped")),
    Kind("meta", ("key", "value"), _is_kept, *_drop("meta", "Kept values dropped", "CAST(key AS BLOB)")),
    Kind(
        "calibration",
        ("name", "value"),
        _is_figure,
        (
            f"DELETE FROM calibration WHERE model_id = ?1 AND name = '{change_log.FITTED_AT}' AND ?2 <> ''",
            *_drop("calibration", "", "model_id, CAST(name AS BLOB)")[0],
        ),
        "Figures dropped, to be computed anew",
        "model_id, CAST(name AS BLOB)",
    ),
)
