"""How often the only document that holds a word is found by it, with what rare words count beside bm25 and without.

    python tests/bench/rare_words.py --library FILE [--words N] [--json]

The words are drawn from those that one passage of the library holds, and asked for alone, beside a common word, and in
the midst of a question of common words.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from machine import heading, machine

from engine.library import Library
from engine.records import DEFAULT_CONSTANTS, SearchSettings
from engine.retrieval.fts_query import fts_query_of
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import plain
from engine.store.connection import open_reader

SEED = 4
SHORTEST = 5  # letters: shorter ones are mostly what is left of markup
COMMON = ("guide", "release", "python", "project", "error", "table")
ASKED = ("{word}", "{common} {word}", "how does {word} work with the {common}")
DEPTH = 10


def drawn(path: Path, count: int) -> list[tuple[str, int]]:
    """Return words that one passage holds, with the document of that passage."""
    connection = open_reader(path)
    stems = [row[0] for row in connection.execute("SELECT term FROM passage_vocab WHERE doc = 1 ORDER BY term")]
    found: list[tuple[str, int]] = []
    words = PostingsCache().of(connection)
    random.Random(SEED).shuffle(stems)
    for stem in stems:
        if len(found) == count:
            break
        if len(stem) < SHORTEST or not stem.isalnum():
            continue
        phrases = fts_query_of(plain(stem), words).phrases  # asked for, a word finds others of its stem, too
        if len(phrases) != 1:
            continue
        rows = connection.execute(
            "SELECT document_id FROM passage WHERE id IN (SELECT rowid FROM passage_fts WHERE passage_fts MATCH ?)",
            (phrases[0].match,),
        ).fetchall()
        if len(rows) == 1:
            found.append((stem, int(str(rows[0][0]))))
    connection.close()
    return found


def measured(path: Path, count: int) -> dict[str, Any]:
    """Ask for every word in every way, and count where its document stands."""
    words = drawn(path, count)
    rows: list[dict[str, Any]] = []
    with Library.open(path) as library:
        for weight in (DEFAULT_CONSTANTS.rare, 0.0):
            settings = SearchSettings(constants=replace(DEFAULT_CONSTANTS, rare=weight))
            for form in ASKED:
                ranks = []
                for number, (word, document) in enumerate(words):
                    query = form.format(word=word, common=COMMON[number % len(COMMON)])
                    listed = [hit.document_id for hit in library.search(query, limit=DEPTH, settings=settings).hits]
                    ranks.append(listed.index(document) + 1 if document in listed else 0)
                first, among = sum(rank == 1 for rank in ranks), sum(rank > 0 for rank in ranks)
                rows.append({"asked": form, "weight": weight, "first": first, "among_ten": among})
        passages = library.status().passages
    return {"machine": machine(), "passages": passages, "words": len(words), "rows": rows}


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    lines = [heading(report["machine"]), f"{report['passages']:,} passages, {report['words']} words"]
    lines += [
        f"{row['asked']:40}  weight {row['weight']:3.1f}  first {row['first']:4}  among ten {row['among_ten']:4}"
        for row in report["rows"]
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a real library; it is only read")
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = measured(chosen.library, chosen.words)
    print(json.dumps(report, indent=1) if chosen.json else table(report))


if __name__ == "__main__":
    main()
