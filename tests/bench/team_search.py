"""A team's library beside the single file that holds the same documents: searches, agreement, what the tables take.

    python tests/bench/team_search.py --library FILE --sizes 20000,100000 [--keep FOLDER] [--json]

The library named is a real one; larger ones hold its documents several times (`multiplied.py`). A real server is
started beside, on the loopback, with 1 GB of shared buffers and as much to build an index with. It is filled by COPY,
which row-level security lets nobody but an administrator do, with the rows that `TeamWriter` would write. Some files
are left for `TeamWriter`, to measure that, before anything is compared: both then hold the same. Each query goes to
both in turn, as a member with rights on one folder that all read, so that policies are in force. Encoding is left out.
Nothing of a network is in these figures: add three or four round trips to a search.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from machine import heading, machine
from multiplied import Multiplied
from search_scale import Remembered, asked, spent
from spread import spread

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server of the tests

PERSON = "member"
AT_ONCE = 500  # documents
RECALL_QUERIES = 40
WRITTEN = 30  # files of the library whose writing is measured


def main() -> None:
    """Measure every size and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a real library")
    parser.add_argument("--sizes", default="20000,100000")
    parser.add_argument("--keep", type=Path, help="where the single files are kept for the next time")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        place = options.keep or Path(base)
        place.mkdir(parents=True, exist_ok=True)
        report: dict[str, Any] = {"machine": machine(), "sizes": []}
        for size in map(int, options.sizes.split(",")):
            path = place / f"{size}.carrel"
            if not path.exists():
                grown = Multiplied(path, options.library)
                grown.grow_to(size)
                grown.settle()
            report["sizes"].append(measured(path, options.queries))
    print(json.dumps(report, indent=1) if options.json else table(report))


@contextmanager
def member_of(path: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Give a member's address of a server that holds the documents of a file, and the seconds that filling it took."""
    import psycopg
    import psycopg.sql
    from postgres_server import one_server

    from engine.team.team_migrations import grants, initialise

    with one_server() as server:
        with psycopg.connect(server.url(), autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET maintenance_work_mem = '1GB'")
            conn.execute("ALTER SYSTEM SET shared_buffers = '1GB'")
        server.stop()
        server.start()
        with psycopg.connect(server.url(), autocommit=True) as conn:
            conn.execute("CREATE DATABASE bench")
            conn.execute(f"CREATE ROLE {PERSON} LOGIN")
        with psycopg.connect(server.url("bench"), autocommit=True) as conn:
            names = initialise(conn)
            for grant in grants(names, PERSON, keeper=True):
                conn.execute(psycopg.sql.SQL(grant))
            yield server.url("bench", PERSON), filled(conn, server.url("bench", PERSON), path)


def filled(conn: Any, url: str, path: Path) -> dict[str, float]:
    """Copy a file into the library and return the seconds that reading, copying, indexing and analysing took."""
    from engine.embedding.manifest import Manifest
    from engine.retrieval.tiers import CALIBRATED
    from engine.store.connection import open_reader
    from engine.store.models import active
    from engine.team.team_writer import TeamWriter

    file = open_reader(path)
    ((root,),) = file.execute("SELECT path FROM folder").fetchall()
    model = active(file)
    assert model is not None
    writer = TeamWriter(url, "carrel")
    number = writer.model(Manifest.from_json(model.manifest))
    writer.calibrate(number, {CALIBRATED: file.figure(model.id, CALIBRATED)})  # else no verdict would be the file's
    folder = writer.folder(bytes(root), "box", "all")
    conn.execute("SET search_path = carrel, public")
    ((index,),) = conn.execute(
        f"SELECT indexdef FROM pg_indexes WHERE indexname = 'vector_{number}_nearest'"
    ).fetchall()
    conn.execute(f"DROP INDEX vector_{number}_nearest")
    began = time.perf_counter()
    copied = Copy(conn, folder, number)
    for each in whole(file, shares(file, bytes(root))[0], model.id):
        copied.add(each)
    copied.flush()
    conn.execute("SELECT gather_statistics()")
    copied.count()
    loaded = time.perf_counter()
    conn.execute(index)
    indexed = time.perf_counter()
    conn.execute("VACUUM (ANALYZE) posting, passage, document, term_count")
    writer.close()
    return {"load_s": loaded - began, "hnsw_s": indexed - loaded, "vacuum_s": time.perf_counter() - indexed}


def shares(file: Any, root: bytes) -> tuple[list[Any], list[Any]]:
    """Return the documents of a file that are copied, and those that are written: a few from everywhere."""
    from engine.team import own_documents

    listed = own_documents.listed(file, root)
    step = max(2, len(listed) // WRITTEN)
    later = range(0, len(listed), step)[:WRITTEN]
    return [each for at, each in enumerate(listed) if at not in later], [listed[at] for at in later]


def whole(file: Any, documents: list[Any], model: int) -> Iterator[Any]:
    """Give documents of a file as they are published."""
    from engine.team import own_documents

    for each in documents:
        found = own_documents.whole(file, each, model)
        if found is not None:
            yield found


class Copy:
    """Rows on their way by COPY: those that `TeamWriter` makes of the same documents."""

    def __init__(self, conn: Any, folder: int, model: int) -> None:
        from engine.team.document_rows import DOCUMENT_COLUMNS, ENTRY_COLUMNS, PASSAGE_COLUMNS

        quoted = ", ".join(f'"{each}"' for each in PASSAGE_COLUMNS)
        self._conn, self._folder, self._model = conn, folder, model
        self._document, self._passage, self.tokens, self.passages = 0, 0, 0, 0
        self._into = {
            "document": f"document(folder_id, id, {', '.join(DOCUMENT_COLUMNS)})",
            "entry": f"entry(folder_id, document_id, {', '.join(ENTRY_COLUMNS)})",
            "passage": f"passage(folder_id, document_id, id, {quoted})",
            "posting": "posting(folder_id, passage_id, term, frequency, length, place, further)",
            f"vector_{model}": f"vector_{model}(folder_id, passage_id, embedding)",
        }
        self._rows: dict[str, list[tuple[Any, ...]]] = {each: [] for each in self._into}

    def add(self, document: Any) -> None:
        """Make the rows of a document."""
        from engine.team.document_rows import document_row, entry_row, passage_row, wordings
        from engine.team.passage_postings import words_of
        from engine.team.team_schema import DOCUMENT_BITS, PASSAGE_BITS

        self._document += 1
        number = (self._folder << DOCUMENT_BITS) + self._document
        self._rows["document"].append((self._folder, number, *document_row(document, b"/bench")))
        self._rows["entry"] += [(self._folder, number, *entry_row(each, document)) for each in document.entries]
        for passage, wording in zip(document.passages, wordings(document, document.passages), strict=True):
            self._passage += 1
            place = (self._folder << PASSAGE_BITS) + self._passage
            words = words_of(wording)
            self.tokens += words.length
            self._rows["passage"].append((self._folder, number, place, *passage_row(passage, words.length)))
            self._rows["posting"] += [
                (self._folder, place, each.term, each.frequency, words.length, each.place, each.further)
                for each in words.postings
            ]
            if passage.vector is not None:
                vector = "[" + ",".join(map(repr, passage.vector.tolist())) + "]"
                self._rows[f"vector_{self._model}"].append((self._folder, place, vector))
        if self._document % AT_ONCE == 0:
            self.flush()

    def flush(self) -> None:
        """Hand over what was made so far."""
        for table, rows in self._rows.items():
            if rows:
                with self._conn.cursor() as cursor, cursor.copy(f"COPY {self._into[table]} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                rows.clear()

    def count(self) -> None:
        """Count words and passages, as each written file would have."""
        self._conn.execute(
            """INSERT INTO term_count SELECT folder_id, term, count(*) FROM (
                SELECT folder_id, term, passage_id FROM posting UNION ALL
                SELECT one.folder_id, '|' || one.term, one.passage_id FROM posting one JOIN posting two
                    ON two.folder_id = one.folder_id AND two.term = '^' || one.term AND two.passage_id = one.passage_id
            ) AS held GROUP BY folder_id, term"""
        )
        self._conn.execute(
            """UPDATE folder_state SET version = 1, documents = %s, passages = %s, tokens = %s, next_document = %s,
            next_passage = %s WHERE folder_id = %s""",
            (self._document, self._passage, self.tokens, self._document + 1, self._passage + 1, self._folder),
        )


def measured(path: Path, most: int) -> dict[str, Any]:
    """Measure one size with so many queries."""
    from engine.embedding import catalogue
    from engine.library import Library
    from engine.library_file import LibraryFile
    from engine.library_search import LibrarySearch
    from engine.team.team_store import TeamStore

    encoder: Any = Remembered(catalogue.load())
    queries = asked(path)[:most]
    for query in queries:
        encoder.encode_query(query)
    with member_of(path) as (url, seconds), Library.open(path, encoder=encoder) as file:
        written_ms = written(url, path)
        store = TeamStore(url, machine="other")
        team = LibrarySearch(store, encoder, LibraryFile(path))
        file.warm()
        for each in (file, team):
            each.search(queries[0])
        times: dict[str, list[dict[str, float]]] = {"file": [], "team": [], "team again": []}
        same, tops = 0, 0
        for query in queries:
            times["file"].append(spent(file, query))
            times["team"].append(spent(team, query))
            times["team again"].append(spent(team, query))
            pairs = [
                [(each.path[each.path.index(b"/") :], each.start) for each in one.search(query).hits]
                for one in (file, team)
            ]
            same += pairs[0] == pairs[1]
            tops += len(set(pairs[0]) & set(pairs[1])) == len(pairs[0])
        report = {
            "passages": file.status().passages,
            "seconds": seconds,
            **{name: {leg: spread([each[leg] for each in some]) for leg in some[0]} for name, some in times.items()},
            "same_order": same / len(queries),
            "same_ten": tops / len(queries),
            "recall_at_10": recall(store, encoder, queries),
            "written_ms": spread(written_ms),
            "bytes": sizes(url),
            "file_bytes": path.stat().st_size,
            "load": machine()["load"][0],
        }
        store.close()
    return report


def recall(store: Any, encoder: Any, queries: list[str]) -> float:
    """Return the share of the ten nearest that the index finds, of those that an exact comparison gives."""
    from engine.team.team_vectors import nearest

    found = []
    with store.searching() as connection:
        model = connection.active_model().id
        for query in queries[:RECALL_QUERIES]:
            vector = encoder.encode_query(query)
            exact, _ = nearest(connection.snapshot, model, vector, 10, exactly=True)
            near, matrix = nearest(connection.snapshot, model, vector, 400)
            best = near[np.argsort(-(matrix @ vector), kind="stable")][:10]
            found.append(len(set(exact.tolist()) & set(best.tolist())) / max(len(exact), 1))
    return float(np.mean(found))


def written(url: str, path: Path) -> list[float]:
    """Return the milliseconds in which a member writes the files that were not copied, each a transaction."""
    from engine.store.connection import open_reader
    from engine.store.models import active
    from engine.team.team_writer import TeamWriter

    file = open_reader(path)
    ((root,),) = file.execute("SELECT path FROM folder").fetchall()
    model = active(file)
    assert model is not None
    writer, spent_ms = TeamWriter(url, "carrel"), []
    folder = writer.folder(bytes(root), "box", "all")
    for each in whole(file, shares(file, bytes(root))[1], model.id):
        began = time.perf_counter()
        writer.put(folder, each)
        spent_ms.append((time.perf_counter() - began) * 1e3)
    writer.close()
    return spent_ms


def sizes(url: str) -> dict[str, int]:
    """Return the bytes of the large tables, and of their indexes."""
    import psycopg

    with psycopg.connect(url) as conn:
        rows = conn.execute(
            """SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
            WHERE relnamespace = 'carrel'::regnamespace AND relkind = 'r' AND pg_total_relation_size(oid) > 1000000"""
        ).fetchall()
        nearest_index = conn.execute("SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname ~ '_nearest$'")
        return {
            **{
                f"{name}{part}": size for name, *both in rows for part, size in zip(("", " indexes"), both, strict=True)
            },
            **dict(nearest_index.fetchall()),
        }


def table(report: dict[str, Any]) -> str:
    """Return the report as a person reads it."""
    lines = [heading(report["machine"])]
    for one in report["sizes"]:
        lines.append(f"\n{one['passages']:,} passages, load {one['load']:.1f}, filled in {one['seconds']}")
        for name in ("file", "team", "team again"):
            told = (f"{leg} {each['p50']:.0f} / {each['p95']:.0f}" for leg, each in one[name].items())
            lines.append(f"  {name:12} ms p50 / p95: {', '.join(told)}")
        ratio = one["team"]["total"]["p50"] / one["file"]["total"]["p50"]
        lines.append(f"  team against file, p50: {ratio:.1f} times")
        lines.append(f"  the same ten {one['same_ten']:.0%}, in the same order {one['same_order']:.0%},")
        lines.append(f"  recall at 10 of the index {one['recall_at_10']:.3f}, a file written in {one['written_ms']}")
        lines += [f"  {name:24} {size / 1e6:8.1f} MB" for name, size in one["bytes"].items()]
        lines.append(f"  the single file          {one['file_bytes'] / 1e6:8.1f} MB")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
