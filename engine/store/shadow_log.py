"""What the model in use and the one beside it found for the same questions, what was chosen, and the steps of a shadow.

Nothing of it is written unless the person has switched it on. Passages are known by their hashes, so that it stays
true when a file moves.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, TypeAlias, cast, get_args

import apsw

from engine.records.searches import Tier, Verdict
from engine.records.shadow import (
    ShadowChoice,
    ShadowEvent,
    ShadowEventKind,
    ShadowPair,
    ShadowReview,
    ShadowSearch,
    ShadowStream,
)
from engine.store import stored_values
from engine.store.row_mapping import storable
from engine.store.transactions import transaction
from engine.store.write_ahead_log import fold_in

EventKind: TypeAlias = ShadowEventKind
CUT = "shadow_cut"  # calibration of a shadow: where the cosine is cut that agrees best with the model in use, as JSON
KEPT_PAIRS = 200_000  # of some 5,000 searches, 20 MB; the oldest searches go first, whole
KEPT_EVENTS = 1_000  # years of them
TOP = 20  # rows of a list that are written down: what a person looks at, as in the log of searches
_SEARCH = "id, at, stream, query, words, identifier, folder, verdict_a, verdict_b, ms_a, ms_b, top_a, top_b"
_TEXTS = ("stream", "query", "folder", "verdict_a", "verdict_b", "top_a", "top_b")
_SELECTED = ", ".join(f"CAST({name} AS BLOB)" if name in _TEXTS else name for name in _SEARCH.split(", "))
_PAIR = "hash, rank_a, rank_b, cosine_a, cosine_b, tier_a, tier_b, coverage"


def add(conn: apsw.Connection, model_a: int, model_b: int, search: ShadowSearch) -> int:
    """Write a question down with what both models found, and return its number."""
    with transaction(conn):
        conn.execute(
            """INSERT INTO shadow_search(at, model_a, model_b, stream, query, words, identifier, folder, verdict_a,
            verdict_b, ms_a, ms_b, top_a, top_b) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                search.at or time.time(),
                model_a,
                model_b,
                search.stream,
                storable(search.query),
                search.words,
                int(search.identifier),
                storable(search.folder),
                search.verdict_a,
                search.verdict_b,
                search.ms_a,
                search.ms_b,
                _listed(search.top_a),
                _listed(search.top_b),
            ),
        )
        number = conn.last_insert_rowid()
        conn.executemany(
            f"INSERT INTO shadow_pair(search_id, {_PAIR}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    number,
                    pair.passage_hash,
                    pair.rank_a,
                    pair.rank_b,
                    pair.cosine_a,
                    pair.cosine_b,
                    pair.tier_a,
                    pair.tier_b,
                    pair.coverage,
                )
                for pair in search.pairs
                if isfinite(pair.cosine_a) and isfinite(pair.cosine_b)  # what is no number agrees with nothing
            ],
        )
        _prune(conn)
    return number


def searches(
    conn: apsw.Connection,
    model_a: int,
    model_b: int,
    *,
    pairs: bool = False,
    stream: ShadowStream | None = None,
    limit: int | None = None,
) -> tuple[ShadowSearch, ...]:
    """Return the questions that went through these two models, newest first; with `pairs`, their passages too."""
    rows = conn.execute(
        f"""SELECT {_SELECTED} FROM shadow_search
        WHERE model_a = ? AND model_b = ? AND stream = ifnull(?, stream) ORDER BY id DESC LIMIT ?""",
        (model_a, model_b, stream, -1 if limit is None else limit),
    ).fetchall()
    found = (_search(row) for row in rows)
    return tuple(_with_pairs(conn, each) if pairs else each for each in found if each is not None)


def counts(conn: apsw.Connection, model_a: int, model_b: int) -> dict[ShadowStream, int]:
    """Return how many questions went through these two models, by stream."""
    rows = conn.execute(
        "SELECT CAST(stream AS BLOB), count(*) FROM shadow_search WHERE model_a = ? AND model_b = ? GROUP BY stream",
        (model_a, model_b),
    )
    found = {stored_values.sound_text(stream): int(str(number)) for stream, number in rows}
    return {stream: found.get(stream, 0) for stream in get_args(ShadowStream)}


def live_since(conn: apsw.Connection, model_a: int, model_b: int, moment: float) -> int:
    """Return how many live searches went through these two models since a moment, in seconds since 1970."""
    return int(
        conn.execute(
            "SELECT count(*) FROM shadow_search WHERE model_a = ? AND model_b = ? AND stream = 'live' AND at >= ?",
            (model_a, model_b, moment),
        ).get
    )


def add_review(conn: apsw.Connection, review: ShadowReview) -> int:
    """Write down what was chosen, and return its number. Raises apsw.ConstraintError where the search is gone."""
    with transaction(conn):
        conn.execute(
            "INSERT INTO shadow_review(at, search_id, left_is_b, choice, seconds, control) VALUES(?, ?, ?, ?, ?, ?)",
            (
                review.at or time.time(),
                review.search_id,
                int(review.left_is_b),
                review.choice,
                review.seconds,
                int(review.control),
            ),
        )
        return conn.last_insert_rowid()


def reviews(conn: apsw.Connection, model_a: int, model_b: int) -> tuple[ShadowReview, ...]:
    """Return what was chosen between the lists of these two models, oldest first."""
    rows = conn.execute(
        """SELECT search_id, left_is_b, CAST(choice AS BLOB), seconds, control, shadow_review.at, shadow_review.id
        FROM shadow_review JOIN shadow_search ON shadow_search.id = search_id
        WHERE model_a = ? AND model_b = ? ORDER BY shadow_review.id""",
        (model_a, model_b),
    )
    return tuple(
        ShadowReview(search, bool(left), cast(ShadowChoice, said), seconds, bool(control), at, number)
        for search, left, choice, seconds, control, at, number in cast("Iterator[tuple[Any, ...]]", rows)
        if (said := stored_values.sound_text(choice)) in get_args(ShadowChoice)
    )


def note(conn: apsw.Connection, kind: EventKind, model: str, detail: Mapping[str, object]) -> None:
    """Write down a step in the life of a shadow; call it inside a transaction."""
    conn.execute(
        "INSERT INTO shadow_event(at, kind, model, detail) VALUES(?, ?, ?, ?)",
        (time.time(), kind, model, json.dumps(dict(detail))),
    )
    conn.execute("DELETE FROM shadow_event WHERE id <= ?", (conn.last_insert_rowid() - KEPT_EVENTS,))


def events(conn: apsw.Connection) -> tuple[ShadowEvent, ...]:
    """Return the steps that were written down, oldest first."""
    rows = conn.execute(
        "SELECT CAST(kind AS BLOB), CAST(model AS BLOB), CAST(detail AS BLOB), at FROM shadow_event ORDER BY id"
    )
    found = ((*map(stored_values.sound_text, written), at) for *written, at in cast("Iterator[tuple[Any, ...]]", rows))
    return tuple(
        ShadowEvent(cast(ShadowEventKind, kind), model or "", stored_values.json_object(detail) or {}, at)
        for kind, model, detail, at in found
        if kind in get_args(ShadowEventKind)
    )


def empty(conn: apsw.Connection) -> int:
    """Forget all questions, choices and steps, overwriting them in the file; return how many questions there were."""
    conn.pragma("secure_delete", True)  # whatever the setting is: it was asked for
    with transaction(conn):
        conn.execute("DELETE FROM shadow_review")
        conn.execute("DELETE FROM shadow_pair")
        conn.execute("DELETE FROM shadow_search")
        gone = conn.changes()
        conn.execute("DELETE FROM shadow_event")
    fold_in(conn)
    return gone


def is_search(at: object, ms_a: object, ms_b: object, top_a: object, top_b: object) -> bool:
    """Whether these values of a stored question can be read."""
    figures = stored_values.moment(at) is not None and all(
        stored_values.finite(each) is not None for each in (ms_a, ms_b)
    )
    return figures and _hashes(top_a) is not None and _hashes(top_b) is not None


def _prune(conn: apsw.Connection) -> None:
    """Forget the oldest questions, with their pairs and choices, where there are more pairs than are kept."""
    surplus = int(conn.execute("SELECT count(*) FROM shadow_pair").get) - KEPT_PAIRS
    while surplus > 0:
        oldest = conn.execute("SELECT min(id) FROM shadow_search").get
        pairs = int(conn.execute("SELECT count(*) FROM shadow_pair WHERE search_id = ?", (oldest,)).get)
        conn.execute("DELETE FROM shadow_search WHERE id = ?", (oldest,))
        surplus -= max(1, pairs)


def _search(row: tuple[Any, ...]) -> ShadowSearch | None:
    number, at, stream, query, words, identifier, folder, verdict_a, verdict_b, ms_a, ms_b, top_a, top_b = row
    texts = [stored_values.sound_text(each) for each in (stream, query, folder, verdict_a, verdict_b, top_a, top_b)]
    stream, query, folder, verdict_a, verdict_b, top_a, top_b = texts
    known = stream in get_args(ShadowStream) and {verdict_a, verdict_b} <= set(get_args(Verdict))
    if not known or query is None or not is_search(at, ms_a, ms_b, top_a, top_b):
        return None
    return ShadowSearch(
        query=query,
        stream=cast(ShadowStream, stream),
        verdict_a=cast(Verdict, verdict_a),
        verdict_b=cast(Verdict, verdict_b),
        ms_a=ms_a,
        ms_b=ms_b,
        top_a=_hashes(top_a) or (),
        top_b=_hashes(top_b) or (),
        words=words,
        identifier=bool(identifier),
        folder=folder or "",
        at=at,
        id=number,
    )


def _with_pairs(conn: apsw.Connection, search: ShadowSearch) -> ShadowSearch:
    from dataclasses import replace

    rows = conn.execute(
        f"SELECT {_PAIR} FROM shadow_pair WHERE search_id = ? ORDER BY ifnull(rank_a, 1e9), rank_b", (search.id,)
    )
    tiers = get_args(Tier)
    pairs = (ShadowPair(*row) for row in cast("Iterator[tuple[Any, ...]]", rows))
    return replace(search, pairs=tuple(each for each in pairs if each.tier_a in tiers and each.tier_b in tiers))


def _listed(hashes: tuple[bytes, ...]) -> str:
    return json.dumps([each.hex() for each in hashes])


def _hashes(written: object) -> tuple[bytes, ...] | None:
    try:
        found = json.loads(cast(str, written))
        return tuple(bytes.fromhex(each) for each in found)
    except (ValueError, TypeError, RecursionError):
        return None
