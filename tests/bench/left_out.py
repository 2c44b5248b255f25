"""Which constants of the fusion hold where they were not chosen: five judged collections, each left out in turn.

    CARREL_DATA=DIR python tests/bench/left_out.py [--libraries FOLDER] [--most N] [--json]

SciFact's train queries, NFCorpus's train and dev, half of Cranfield's, LISA and TIME count the same, whatever the
number of their queries. For each collection the best setting is chosen on the others; what that setting gives on the
one left out, against the setting in use, tells whether choosing carries over. Intervals are paired bootstraps, 95 %.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from judged import FIVE, grounds, queries, sample
from machine import heading, machine
from numpy.typing import NDArray
from quality import Variant, constants

from engine.embedding import catalogue
from engine.evaluation.metrics import ndcg
from engine.evaluation.significance import macro_bootstrap
from engine.records import FusionConstants, SearchSettings

IN_USE = "in use"
MOST = 400  # queries of a collection, drawn with a fixed seed
Scores = Mapping[str, NDArray[np.float64]]


def variants() -> list[Variant]:
    """Return the settings to choose from: the one in use, each constant moved, each part taken away, the other ways."""
    return [
        Variant(IN_USE),
        Variant("weights .75 and .25", SearchSettings(weights=(0.75, 0.25))),
        Variant("weights .85 and .15", SearchSettings(weights=(0.85, 0.15))),
        Variant("weights .9 and .1", SearchSettings(weights=(0.9, 0.1))),
        Variant("around: nothing", SearchSettings(constants=FusionConstants(around=0.0))),
        Variant("around: .3", SearchSettings(constants=FusionConstants(around=0.3))),
        Variant("around: .7", SearchSettings(constants=FusionConstants(around=0.7))),
        Variant("feedback: keep .5", SearchSettings(constants=FusionConstants(keep=0.5))),
        Variant("feedback: keep .7", SearchSettings(constants=FusionConstants(keep=0.7))),
        Variant("feedback: sharpness 50", SearchSettings(constants=FusionConstants(sharpness=50.0))),
        Variant("feedback: ten passages", constants=(("FEEDBACK_DEPTH", 10),)),
        Variant("without feedback", SearchSettings(feedback=False)),
        Variant("rare words: nothing", SearchSettings(constants=FusionConstants(rare=0.0))),
        Variant("long questions weighed as others", constants=(("LONG_QUERY_STEMS", 10**6),)),
        Variant("rrf", SearchSettings(fusion="rrf")),
        Variant("rrf, halves", SearchSettings(fusion="rrf", weights=(0.5, 0.5))),
        Variant("rrf, published weights", SearchSettings(fusion="rrf-published")),
    ]


def judged(kept: Path | None, most: int, names: Sequence[str]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return NDCG@10 of each query, by setting and collection."""
    found: dict[str, dict[str, list[float]]] = {}
    with closing(catalogue.load(sessions=os.cpu_count() or 1)) as encoder, grounds(encoder, kept, names) as opened:
        for name, ground in opened.items():
            asked = sample(queries(name, "development"), most)
            for query in asked:
                search = ground.search(query.text)
                for variant in variants():
                    with constants(variant.constants):
                        listed = ground.documents(search, variant.settings)
                    row = found.setdefault(variant.name, {}).setdefault(name, [])
                    row.append(ndcg(listed, query.grades))
            print(f"{name}: {len(asked)} queries", file=sys.stderr, flush=True)
    return {row: {name: np.asarray(each) for name, each in scores.items()} for row, scores in found.items()}


def left_out(found: Mapping[str, Scores]) -> list[dict[str, Any]]:
    """Return for each collection the setting that is best on the others, and what it gives on this one; none alone."""
    rows: list[dict[str, Any]] = []
    names = list(found[IN_USE])
    if len(names) < 2:
        return rows
    for name in names:
        others = [each for each in names if each != name]
        best = max(found, key=lambda row: (np.mean([found[row][each].mean() for each in others]), row == IN_USE))
        gained = float(found[best][name].mean() - found[IN_USE][name].mean())
        rows.append({"left_out": name, "chosen_on_the_others": best, "against_in_use": gained})
    return rows


def table(found: Mapping[str, Scores]) -> list[dict[str, Any]]:
    """Return a row for each setting: the mean of each collection, the mean of those, the difference to that in use."""
    rows = []
    for row, scores in found.items():
        difference = macro_bootstrap([(scores[name], found[IN_USE][name]) for name in scores])
        means = {name: float(each.mean()) for name, each in scores.items()}
        rows.append(
            {"name": row, "ndcg_at_10": means, "mean": float(np.mean([*means.values()]))}
            | {"difference": difference.mean, "low": difference.low, "high": difference.high}
        )
    return rows


def markdown(rows: Sequence[Mapping[str, Any]], outs: Sequence[Mapping[str, Any]]) -> str:
    """Return both tables for a page."""
    names = list(rows[0]["ndcg_at_10"])
    lines = [f"| | {' | '.join(names)} | mean | against that in use |", "| --- " * (len(names) + 3) + "|"]
    for row in rows:
        figures = " | ".join(f"{row['ndcg_at_10'][name]:.4f}" for name in names)
        told = f"{row['difference']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})" if row["name"] != IN_USE else ""
        lines.append(f"| {row['name']} | {figures} | {row['mean']:.4f} | {told} |")
    lines += ["", "| left out | best on the others | there, against that in use |", "| --- | --- | --- |"]
    lines += [f"| {row['left_out']} | {row['chosen_on_the_others']} | {row['against_in_use']:+.4f} |" for row in outs]
    return "\n".join(lines)


def main() -> None:
    """Judge, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="keep the indexes in this folder, or take them from it")
    parser.add_argument("--most", type=int, default=MOST, help="queries of a collection; 0: all")
    parser.add_argument("--collections", nargs="+", choices=FIVE, default=FIVE)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    named = machine()
    found = judged(chosen.libraries, chosen.most, chosen.collections)
    rows, outs = table(found), left_out(found)
    if chosen.json:
        print(json.dumps({"machine": named, "rows": rows, "left_out": outs}, indent=2))
        return
    print(f"{heading(named)}\n\n{markdown(rows, outs)}")


if __name__ == "__main__":
    main()
