"""Looks for what can be wrong with a team library, as far as a member may: counts, words, vectors, policies, recall.

What is wrong with one's own folders is mended by bringing them anew from the own file; nothing is embedded for that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.events import Event
from engine.figures import decimal, size
from engine.records import Check
from engine.team.membership import own_folders, writing
from engine.team.publisher import Publisher
from engine.team.team_migrations import LEAST_PGVECTOR, LEAST_SERVER, newest_version
from engine.team.vector_functions import EXACT_BELOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.team.team_writer import TeamWriter

SAMPLE = 20  # vectors whose nearest are searched by the index and exactly: 200 neighbours tell half a hundredth
NEIGHBOURS = 10
LOOSE_BYTES, LEAST_LOOSE = 65, 10_000_000  # a posting in its index, of which 49 are its own; bytes worth a rebuilding
LEAST_RECALL = 0.98  # of the ten nearest, which is what a team library promises
WITHOUT_FOLDERS = ("migration", "library")  # tables that hold nothing of anybody's; all members read them

_PLAIN = """SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
    AND c.relname <> ALL(%s) AND NOT (c.relrowsecurity AND c.relforcerowsecurity
        AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)) ORDER BY 1"""
_COUNTS = """WITH found AS (
    SELECT s.folder_id, (SELECT count(*) FROM document d WHERE d.folder_id = s.folder_id) AS documents,
        (SELECT count(*) FROM passage p WHERE p.folder_id = s.folder_id) AS passages,
        (SELECT coalesce(sum(length), 0) FROM passage p WHERE p.folder_id = s.folder_id) AS tokens
    FROM folder_state s JOIN folder f ON f.id = s.folder_id AND f.state = 'watching')
SELECT folder_id FROM found JOIN folder_state s USING (folder_id)
WHERE (s.documents, s.passages, s.tokens) IS DISTINCT FROM (found.documents, found.passages, found.tokens)"""
_POSTINGS = """SELECT DISTINCT folder_id FROM (
    SELECT w.folder_id FROM posting w LEFT JOIN passage p ON p.folder_id = w.folder_id AND p.id = w.passage_id
        WHERE p.id IS NULL
    UNION ALL SELECT p.folder_id FROM passage p WHERE p.length > 0 AND NOT EXISTS
        (SELECT FROM posting w WHERE w.folder_id = p.folder_id AND w.passage_id = p.id)
    UNION ALL SELECT folder_id FROM (SELECT folder_id, term, count(*)::integer AS passages FROM posting GROUP BY 1, 2) w
        FULL JOIN (SELECT * FROM term_count WHERE passages <> 0) held USING (folder_id, term)
        WHERE w.passages IS DISTINCT FROM held.passages) AS faults"""
_GAPS = """SELECT p.folder_id, count(*) FROM passage p
WHERE p.hash >= '\\x00000001'::bytea AND NOT EXISTS (SELECT FROM {table} v
    WHERE v.folder_id = p.folder_id AND v.passage_id = p.id)
AND NOT EXISTS (SELECT FROM pending w WHERE w.folder_id = p.folder_id AND w.model_id = %s AND w.hash = p.hash)
GROUP BY 1"""
_SAMPLED = "SELECT folder_id, passage_id FROM {table} ORDER BY md5(passage_id::text) LIMIT %s"
_NEAREST = "SELECT passage FROM nearest(%s, %s::real[], %s, NULL, %s)"


def examine(address: str, library: Path, machine: str) -> tuple[Check, ...]:
    """Return what was found; raises TeamAway, TeamRefused where nothing can be looked at."""
    with writing(address) as writer:
        return tuple(_checks(writer, library, machine))


def mend(
    address: str, library: Path, machine: str, on_event: Callable[[Event], None] = lambda _: None
) -> tuple[str, ...]:
    """Take one's own folders that are at fault out, bring them anew from the own file, and say so."""
    with writing(address) as writer:
        at_fault = {folder for sql in (_COUNTS, _POSTINGS) for (folder,) in writer.run(sql)}
        at_fault |= {folder for folder, _ in _gaps(writer)}
        own = [each for each in own_folders(writer, machine) if each.id in at_fault]
        if not own:
            return ()
        publisher = Publisher(library, machine, on_event)
        for folder in own:
            if writer.claim(folder.id):
                while paths := [bytes(path) for (path,) in writer.run(_SOME_PATHS, (folder.id,))]:
                    writer.remove(folder.id, paths)
                for sql in _EMPTIED:
                    writer.run(sql, (folder.id,))
        published = publisher.publish(writer, threading.Event())
    return (f"{len(own)} of your folders brought anew: {published.put:,} documents.",)


_SOME_PATHS = "SELECT path FROM document WHERE folder_id = %s LIMIT 100"
_EMPTIED = (  # what removing, which counts back by what is there, leaves of a folder that was at fault
    "DELETE FROM posting WHERE folder_id = %s",
    "DELETE FROM term_count WHERE folder_id = %s",
    "UPDATE folder_state SET documents = 0, passages = 0, tokens = 0 WHERE folder_id = %s",
)


def _checks(writer: TeamWriter, library: Path, machine: str) -> Iterator[Check]:
    own = {each.id for each in own_folders(writer, machine)}
    yield _versions(writer)
    yield _policies(writer)
    yield _of_folders("counts", writer.run(_COUNTS), own, "documents, passages and tokens are as counted")
    yield _of_folders("words", writer.run(_POSTINGS), own, "postings, passages and counts of words agree")
    yield from _vectors(writer, own)
    yield _room(writer)
    yield _behind(writer, library, machine)


def _versions(writer: TeamWriter) -> Check:
    number, server, pgvector, schema = writer.run(
        "SELECT current_setting('server_version_num')::integer, current_setting('server_version'),"
        " (SELECT extversion FROM pg_extension WHERE extname = 'vector'), (SELECT max(version) FROM migration)"
    )[0]
    told = f"PostgreSQL {server}, pgvector {pgvector}, schema {schema}"
    ok = number >= LEAST_SERVER and tuple(map(int, pgvector.split(".")[:2])) >= LEAST_PGVECTOR
    ok = ok and schema == newest_version()
    remedy = "" if ok else "Have whoever keeps it update the server, or run `carrel team init` of this version."
    return Check("versions", ok, 0 if ok else 1, told, False, remedy)


def _policies(writer: TeamWriter) -> Check:
    """Every table that holds something of somebody must be guarded, against its owner too, and the index go on."""
    plain = [name for (name,) in writer.run(_PLAIN, (list(WITHOUT_FOLDERS),))]
    scans = writer.run("SELECT current_setting('hnsw.iterative_scan', true)")[0][0]
    rights = writer.run("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")[0][0]
    faults = [f"no policy in force on {', '.join(plain)}"] if plain else []
    if scans != "strict_order":
        faults.append(f"hnsw.iterative_scan is {scans or 'not set'}")
    if rights:
        faults.append("this login passes by all policies")
    count = int(writer.run("SELECT count(*) FROM pg_policies WHERE schemaname = current_schema()")[0][0])
    told = "; ".join(faults) or f"{count} policies in force, on the tables' owner too"
    remedy = "Have whoever keeps it run `carrel team init` again, and join with a login of a plain member."
    return Check("policies", not faults, len(faults), told, False, remedy if faults else "")


def _of_folders(name: str, rows: Sequence[tuple[Any, ...]], own: set[int], sound: str) -> Check:
    """Return a check of which the folders at fault are told; those of others are for their owners to mend."""
    faulty = {row[0] for row in rows}
    if not faulty:
        return Check(name, True, 0, sound, False)
    mine = faulty & own
    told = f"{len(faulty)} folders disagree, {len(mine)} of them yours on this machine"
    remedy = "" if mine == faulty else "The owners of the others run `carrel doctor --repair` where those folders are."
    return Check(name, False, len(faulty), told, bool(mine), remedy)


def _gaps(writer: TeamWriter) -> list[tuple[Any, ...]]:
    """Return the folders in which passages have no vector of the active model and wait for none, with how many."""
    rows = writer.run("SELECT id FROM model WHERE state = 'active'")
    return writer.run(_GAPS.format(table=f"vector_{int(rows[0][0])}"), (rows[0][0],)) if rows else []


def _vectors(writer: TeamWriter, own: set[int]) -> Iterator[Check]:
    rows = writer.run("SELECT id, name FROM model WHERE state = 'active'")
    if not rows:
        yield Check("vectors", True, 0, "there is no model yet", False)
        return
    number, name = rows[0]
    gaps = _gaps(writer)
    waiting = writer.run("SELECT count(*) FROM pending WHERE model_id = %s", (number,))[0][0]
    missing = sum(count for _, count in gaps)
    remedy = "Their owners run `carrel sync` with this model." if gaps and not {f for f, _ in gaps} <= own else ""
    told = f"{missing:,} passages without a vector of {name}, {waiting:,} texts wait for theirs"
    yield Check("vectors", not gaps, missing, told, bool({folder for folder, _ in gaps} & own), remedy)
    yield _recall(writer, int(number))


def _recall(writer: TeamWriter, model: int) -> Check:
    """Hold the index against an exact look at all that one may see, for a sample of passages."""
    from engine.team.vector_bytes import matrix_of

    dimension = writer.run("SELECT dimension FROM model WHERE id = %s", (model,))[0][0]
    sampled = [each for _, each in writer.run(_SAMPLED.format(table=f"vector_{model}"), (SAMPLE,))]
    sent = writer.run("SELECT vector FROM vectors_of(%s, %s::bigint[])", (model, sampled)) if sampled else []
    found = wanted = 0
    for query in matrix_of([bytes(vector) for (vector,) in sent], dimension).tolist():
        near, exact = (
            {each for (each,) in writer.run(_NEAREST, (model, query, NEIGHBOURS, exactly))} for exactly in (False, True)
        )
        found, wanted = found + len(near & exact), wanted + len(exact)
    if not wanted:
        return Check("recall", True, 0, "there is nothing to search yet", False)
    recall = found / wanted
    seen = writer.run("SELECT coalesce(sum(passages), 0)::bigint FROM folder_state")[0][0]
    how = "by the index" if seen > EXACT_BELOW else f"all compared, as up to {EXACT_BELOW:,} passages are,"
    told = f"{decimal(recall)} of the {NEIGHBOURS} nearest of {len(sent)} passages, {how} against all vectors"
    remedy = "" if recall >= LEAST_RECALL else f"Have whoever keeps it run: REINDEX INDEX vector_{model}_nearest"
    return Check("recall", recall >= LEAST_RECALL, wanted - found if remedy else 0, told, False, remedy)


def _room(writer: TeamWriter) -> Check:
    """Tell what the index of postings takes: words come in the order of files, which leaves its pages half empty."""
    octets, rows, schema = writer.run(
        "SELECT pg_relation_size('posting_pkey'), reltuples::bigint, relnamespace::regnamespace::text"
        " FROM pg_class WHERE oid = 'posting'::regclass"
    )[0]
    told = f"the index of words takes {size(octets)}"
    if octets < LEAST_LOOSE or octets < LOOSE_BYTES * rows or rows <= 0:
        return Check("room", True, 0, told, False)
    remedy = f"Have whoever keeps it run: REINDEX INDEX CONCURRENTLY {schema}.posting_pkey"
    return Check("room", True, 0, f"{told}, {octets / rows:.0f} bytes a posting where 49 are enough", False, remedy)


def _behind(writer: TeamWriter, library: Path, machine: str) -> Check:
    from engine.team.overview import overview

    behind = [each.behind for each in overview(writer, machine, library).folders if each.own and each.behind > 0]
    told = f"{sum(behind)} documents are not yet as they are here" if behind else "your folders are as they are here"
    return Check("own folders", True, 0, told, False, "`carrel sync` brings them" if behind else "")
