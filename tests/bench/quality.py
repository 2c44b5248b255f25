"""What each part of the ranking gives, in NDCG@10 on judged collections, with intervals.

    CARREL_DATA=DIR python tests/bench/quality.py [--libraries FOLDER] [--test] [--peer FILE] [--json]

The figures are for choosing: SciFact's train queries, NFCorpus's train and dev, a fixed half of Cranfield's. With
`--test` they are for claims, once each: the test queries, and beside them those with all of Cranfield's 225. Every row
is held against the default by a paired bootstrap over queries, 10,000 resamples; "no difference" where the interval
holds 0. `--peer` takes what the comparison with vstash printed (lines "vstash scifact: NDCG@10 0.6721 ..."), measured
on whole test splits. `--libraries` keeps the indexes, which take minutes to make. `--maxsim N` also tries MaxSim over
token vectors on N queries a collection, .5 s each.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from judged import NAMES, Ground, grounds, queries, sample
from machine import heading, machine
from numpy.typing import NDArray
from trials import TRIALS, maxsim

from engine.embedding import catalogue
from engine.evaluation.beir import JudgedQuery
from engine.evaluation.metrics import ndcg
from engine.evaluation.significance import Difference, macro_bootstrap, paired_bootstrap
from engine.records import FusionConstants, SearchSettings
from engine.retrieval import fusion
from engine.retrieval.search_pipeline import Search

DEFAULT = "default: convex with feedback"
BARE = "convex without feedback"
MACRO_WANTED = 0.530  # the default's mean of the three collections, on test queries
Scores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Variant:
    """One row of the table: settings, and constants of the fusion that differ from those in use."""

    name: str
    settings: SearchSettings = field(default_factory=SearchSettings)
    constants: tuple[tuple[str, object], ...] = ()


def variants() -> list[Variant]:
    """Return the rows: the default, what it is made of, what it was chosen from, and the published ways."""
    rrf, halves = SearchSettings(fusion="rrf"), (0.5, 0.5)
    return [
        Variant(DEFAULT),
        Variant("meaning alone", SearchSettings(fusion="vector")),
        Variant("words alone", SearchSettings(fusion="keyword")),
        Variant(BARE, SearchSettings(feedback=False)),
        Variant("what is around a passage: nothing", SearchSettings(constants=FusionConstants(around=0.0))),
        Variant("weights .85 and .15", SearchSettings(weights=(0.85, 0.15))),
        Variant("weights .9 and .1", SearchSettings(weights=(0.9, 0.1))),
        Variant("feedback: keep .5", SearchSettings(constants=FusionConstants(keep=0.5))),
        Variant("feedback: sharpness 50", SearchSettings(constants=FusionConstants(sharpness=50.0))),
        Variant("feedback: three passages", constants=(("FEEDBACK_DEPTH", 3),)),
        Variant("feedback: ten passages", constants=(("FEEDBACK_DEPTH", 10),)),
        Variant("rrf, halves", replace(rrf, weights=halves)),
        Variant("rrf, adaptive by idf", rrf),
        Variant("rrf, published weights", SearchSettings(fusion="rrf-published")),
        Variant("rrf, adaptive, cut off at 1.3225 x distance", replace(rrf, cutoff=1.3225)),
        Variant("default, cut off at 1.3225 x distance", SearchSettings(cutoff=1.3225)),
        Variant("default, intra-document MMR .5", SearchSettings(diversity=0.5)),
    ]


@contextmanager
def constants(changed: Sequence[tuple[str, object]]) -> Iterator[None]:
    """Let the fusion compute with other constants for a while."""
    before = [(name, getattr(fusion, name)) for name, _ in changed]
    try:
        for name, value in changed:
            setattr(fusion, name, value)
        yield
    finally:
        for name, value in before:
            setattr(fusion, name, value)


def judge(ground: Ground, asked: Sequence[JudgedQuery], tried: int | None) -> dict[str, list[float]]:
    """Return NDCG@10 of each query by the name of each row; `tried` queries also by MaxSim, None: no trials at all."""
    found: dict[str, list[float]] = {}
    for place, query in enumerate(asked):
        search = ground.search(query.text)
        for variant in variants():
            with constants(variant.constants):
                listed = ground.documents(search, variant.settings)
            found.setdefault(variant.name, []).append(ndcg(listed, query.grades))
        for name, trial in TRIALS.items() if tried is not None else ():
            found.setdefault(name, []).append(ndcg(_by(ground, search, trial), query.grades))
        if place < (tried or 0):
            listed = _by(ground, search, partial(maxsim, text=query.text))
            found.setdefault(f"MaxSim over token vectors, .05, {tried} queries", []).append(ndcg(listed, query.grades))
    return found


def _by(ground: Ground, search: Search, trial: Callable[[Ground, Search], NDArray[np.float64]]) -> list[str]:
    """Return the first ten documents by the scores that a trial gives the candidates."""
    score = trial(ground, search)
    order = np.lexsort((search.gathered.candidates.tie, -score))
    documents = search.gathered.candidates.documents[order]
    return list(dict.fromkeys(ground.names[int(document)] for document in documents))[:10]


def development(kept: Path | None, most: int, tried: int) -> dict[str, Scores]:
    """Judge the queries for choosing; the scores by row and collection."""
    found: dict[str, Scores] = {}
    with closing(catalogue.load(sessions=os.cpu_count() or 1)) as encoder, grounds(encoder, kept) as opened:
        for name, ground in opened.items():
            for row, scores in judge(ground, sample(queries(name, "development"), most), tried).items():
                found.setdefault(row, {})[name] = np.asarray(scores)
            print(f"{name}: {len(found[DEFAULT][name])} queries", file=sys.stderr, flush=True)
    return found


def test(kept: Path | None) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """Judge the queries for claims; the scores on them, and on them with the rest of Cranfield's."""
    claimed: dict[str, Scores] = {}
    whole: dict[str, Scores] = {}
    with closing(catalogue.load(sessions=os.cpu_count() or 1)) as encoder, grounds(encoder, kept) as opened:
        for name, ground in opened.items():
            asked, wanted = queries(name, "whole"), {query.id for query in queries(name, "test")}
            inside = np.array([query.id in wanted for query in asked])
            for row, scores in judge(ground, asked, None).items():
                whole.setdefault(row, {})[name] = np.asarray(scores)
                claimed.setdefault(row, {})[name] = np.asarray(scores)[inside]
            print(f"{name}: {len(asked)} queries", file=sys.stderr, flush=True)
    return claimed, whole


def table(found: dict[str, Scores], peer: Path | None) -> list[dict[str, object]]:
    """Return the rows of the table, the peer's last."""
    rows = [_row(name, scores, found[DEFAULT], found[BARE]) for name, scores in found.items()]
    return rows + ([_peer(peer)] if peer is not None else [])


def _row(name: str, scores: Scores, default: Scores, bare: Scores) -> dict[str, object]:
    row: dict[str, object] = {"name": name, "queries": {each: len(scores[each]) for each in NAMES}}
    row["ndcg_at_10"] = {each: float(scores[each].mean()) for each in NAMES}
    row["macro"] = float(np.mean([scores[each].mean() for each in NAMES]))
    for key, other in (("against_default", default), ("against_bare", bare)):
        pairs = {each: (scores[each], other[each][: len(scores[each])]) for each in NAMES}
        row[key] = {each: asdict(paired_bootstrap(*pair)) for each, pair in pairs.items()}
        row[key] = {**row[key], "macro": asdict(macro_bootstrap(list(pairs.values())))}  # type: ignore[dict-item]
    return row


def _peer(file: Path) -> dict[str, object]:
    """Read the peer's figures; they are on whole test splits and without a pairing by query."""
    figures = dict(re.findall(r"vstash (\w+): NDCG@10 ([\d.]+)", file.read_text(encoding="utf-8")))
    scores = {name: float(figures[name]) for name in NAMES}
    return {"name": "vstash 0.39, hybrid", "ndcg_at_10": scores, "macro": float(np.mean(list(scores.values())))}


def markdown(rows: Sequence[dict[str, object]]) -> str:
    """Return the table for a page: figures, and the difference to the default where there is one."""
    lines = ["| | scifact | nfcorpus | cranfield | macro | against the default |", "| --- " * 6 + "|"]
    for row in rows:
        scores: dict[str, float] = row["ndcg_at_10"]  # type: ignore[assignment]
        against = row.get("against_default")
        told = "" if against is None or row["name"] == DEFAULT else _told(Difference(**against["macro"]))  # type: ignore[index]
        figures = " | ".join(f"{scores[name]:.3f}" for name in NAMES)
        lines.append(f"| {row['name']} | {figures} | {row['macro']:.4f} | {told} |")
    return "\n".join(lines)


def _told(difference: Difference) -> str:
    interval = f"{difference.mean:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
    return interval if difference.significant else f"{interval}, no difference"


def main() -> None:
    """Judge, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="keep the indexes in this folder, or take them from it")
    parser.add_argument("--test", action="store_true", help="judge the test queries, once a claim")
    parser.add_argument("--most", type=int, default=0, help="queries of a collection, drawn with a fixed seed")
    parser.add_argument("--maxsim", type=int, default=0, metavar="N")
    parser.add_argument("--peer", type=Path, help="what the comparison with vstash printed")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    named = machine()
    if chosen.test:
        claimed, whole = test(chosen.libraries)
        tables = {"test": table(claimed, None), "test, all of cranfield": table(whole, chosen.peer)}
    else:
        tables = {"development": table(development(chosen.libraries, chosen.most, chosen.maxsim), None)}
    shares = {part: float(str(rows[0]["macro"])) / MACRO_WANTED for part, rows in tables.items()}
    if chosen.json:
        report = {"machine": named, "tables": tables, "macro_wanted": MACRO_WANTED, "share_of_wanted": shares}
        print(json.dumps(report, indent=2))
        return
    print(heading(named))
    for part, rows in tables.items():
        print(f"\n{part} queries: {rows[0]['queries']}\n\n{markdown(rows)}")
        print(f"\nthe default's macro is {shares[part]:.3f} of the {MACRO_WANTED} that are wanted on test queries")


if __name__ == "__main__":
    main()
