"""What a search gives while vectors are still to come: NDCG@10, verdicts, and what embedding on demand takes.

    CARREL_DATA=DIR python tests/bench/partial_vectors.py [--libraries FOLDER] [--collection NAME] [--most N] [--json]

Of a judged collection, whose vectors are all made once, a share is shown to the search, drawn with a fixed seed; the
best N passages that each query finds without a vector are embedded on demand. The queries are those for choosing. A
query is called "none" wrongly where documents answer it. `seconds` is what embedding N passages takes on this machine
with all its cores. `--libraries` keeps the index, which takes minutes to make.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from judged import Ground, grounds, queries, sample
from machine import heading, machine

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.evaluation.beir import JudgedQuery
from engine.evaluation.metrics import ndcg
from engine.evaluation.partial_vectors import on_demand
from engine.records import SearchSettings
from engine.retrieval.search_pipeline import Model, Search

SHARES = (0.0, 0.1, 0.34, 0.7, 0.9)
NUMBERS = (0, 20, 50, 200)
WANTED, WANTED_OF = 0.70, 50  # NDCG@10 of SciFact without any vector, and with so many embedded on demand
SEED = 7


@dataclass(frozen=True)
class Row:
    """What one share of the vectors and so many on demand gave, each measure a mean over the queries."""

    share: float
    on_demand: int
    ndcg_at_10: float
    called_none: float


def judge(ground: Ground, asked: Sequence[JudgedQuery], share: float, number: int) -> Row:
    """Ask the queries of a library in which a share of the passages has a vector."""
    there = _drawn(ground, share)
    found = [on_demand(ground.connection, ground.model, number, _asking(ground, query.text), there) for query in asked]
    scores = [ndcg(_listed(ground, search), query.grades) for search, query in zip(found, asked, strict=True)]
    none = [search.verdict == "none" for search in found]
    return Row(share, number, float(np.mean(scores)), float(np.mean(none)))


def _drawn(ground: Ground, share: float) -> list[int]:
    ids = np.random.default_rng(SEED).permutation(ground.model.vectors.ids)
    return [int(each) for each in ids[: round(share * len(ids))]]


def _asking(ground: Ground, text: str) -> Callable[[Model], Search]:
    return partial(ground.search_with, text)


def _listed(ground: Ground, search: Search) -> list[str]:
    return ground.documents(search, SearchSettings())


def remembering(ground: Ground, asked: Sequence[JudgedQuery]) -> None:
    """Encode the queries once: every row asks them all."""
    known = {query.text: ground.model.encode(query.text) for query in asked}
    ground.model = replace(ground.model, encode=lambda text: known[text])


def seconds(encoder: Encoder, ground: Ground) -> dict[int, float]:
    """Return what embedding so many passages of the collection takes."""
    rows = ground.connection.execute("SELECT text FROM passage ORDER BY id LIMIT ?", (max(NUMBERS),)).fetchall()
    texts = [str(text) for (text,) in rows]
    encoder.encode_passages(texts[:4])
    found = {}
    for number in NUMBERS:
        began = time.perf_counter()
        encoder.encode_passages(texts[:number])
        found[number] = time.perf_counter() - began
    return found


def main() -> None:
    """Judge, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="keep the indexes in this folder, or take them from it")
    parser.add_argument("--collection", default="scifact")
    parser.add_argument("--most", type=int, default=0, help="queries, drawn with a fixed seed; 0: all")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    named, name = machine(), chosen.collection
    with (
        closing(catalogue.load(sessions=os.cpu_count() or 1)) as encoder,
        grounds(encoder, chosen.libraries, (name,)) as opened,
    ):
        ground, asked = opened[name], sample(queries(name, "development"), chosen.most)
        took = seconds(encoder, ground)
        remembering(ground, asked)
        rows = [judge(ground, asked, share, number) for share in SHARES for number in NUMBERS]
        whole = judge(ground, asked, 1.0, 0)
    reached = next(row.ndcg_at_10 for row in rows if (row.share, row.on_demand) == (0.0, WANTED_OF))
    if chosen.json:
        report = {"machine": named, "queries": len(asked), "rows": [vars(row) for row in rows], "whole": vars(whole)}
        print(json.dumps({**report, "seconds": took, "share_of_wanted": reached / WANTED}, indent=2))
        return
    print(f"{heading(named)}\n\n{name}, {len(asked)} queries: NDCG@10 (share called none)\n")
    print("| share with a vector |" + "".join(f" {number} on demand |" for number in NUMBERS))
    print("| --- " * (1 + len(NUMBERS)) + "|")
    for share in SHARES:
        cells = [f" {row.ndcg_at_10:.4f} ({row.called_none:.3f}) |" for row in rows if row.share == share]
        print(f"| {share:g} |{''.join(cells)}")
    print(f"| all | {whole.ndcg_at_10:.4f} ({whole.called_none:.3f}) |" + " |" * (len(NUMBERS) - 1))
    print("\nembedding: " + ", ".join(f"{number} passages {took[number]:.2f} s" for number in NUMBERS))
    print(f"\n{WANTED_OF} on demand and no vector else: {reached / WANTED:.3f} of the {WANTED} that are wanted")


if __name__ == "__main__":
    main()
