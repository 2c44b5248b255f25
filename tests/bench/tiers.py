"""Whether the tiers tell what a library holds from what it does not, and good rows from poor ones.

    CARREL_DATA=DIR python tests/bench/tiers.py [--libraries FOLDER] [--model NAME] [--test] [--json]

A library of each judged collection is asked its own queries, and those of another subject: SciFact and NFCorpus
(health) against Cranfield (flight), and the reverse. Then each row's tier is held against the judgements. Without
`--test` the queries are those that constants were chosen on. `--model` takes another installed model or a model folder,
with `--libraries` of its own. Intervals are bootstraps over queries, 95%.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from judged import NAMES, Ground, Part, grounds, queries, sample
from machine import heading, machine

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.evaluation.beir import JudgedQuery
from engine.evaluation.significance import RESAMPLES, SEED
from engine.records import SearchSettings
from engine.retrieval import search_pipeline

OFF = {"scifact": ("cranfield",), "nfcorpus": ("cranfield",), "cranfield": ("scifact", "nfcorpus")}
VERDICTS = ("strong", "likely", "weak", "none")
TIERS = VERDICTS[:3]
# Per library: off-topic called strong at most, off-topic called none at least, on-topic called none at most, on-topic
# called strong at least, area under the curve at least. NFCorpus has many queries of one word, some a single food.
WANTED = {
    "scifact": (0.02, 0.75, 0.05, 0.65, 0.99),
    "nfcorpus": (0.02, 0.75, 0.08, 0.65, 0.96),
    "cranfield": (0.02, 0.75, 0.05, 0.65, 0.99),
}
VSTASH_HIGH, VSTASH_LOW = 0.4513, 0.4802  # cosine distances of its relevance tiers


@dataclass(frozen=True)
class Asked:
    """One query put to one library."""

    query: JudgedQuery
    verdict: str
    signal: float
    best_cosine: float
    rows: tuple[tuple[str, bool], ...]  # tier and whether the document is relevant


def ask(ground: Ground, asked: Sequence[JudgedQuery], *, rows: bool) -> list[Asked]:
    """Put the queries to a library; `rows` reads the listed rows too."""
    found = []
    settings = SearchSettings(collapse=0.0)
    for query in asked:
        search = ground.search(query.text)
        listed: tuple[tuple[str, bool], ...] = ()
        if rows:
            hits = search_pipeline.present(ground.connection, search, settings, ground.model, ground.cuts).hits
            listed = tuple((hit.tier, query.grades.get(ground.names[hit.document_id], 0) > 0) for hit in hits)
        best = float(search.gathered.best_cosines.max(initial=0.0))
        found.append(Asked(query, search.verdict, ground.signal(search), best, listed))
    return found


def shares(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return how many queries got each verdict, as shares."""
    counted = Counter(each.verdict for each in asked)
    return {"queries": len(asked)} | {name: counted[name] / max(len(asked), 1) for name in VERDICTS}


def area(on: Sequence[Asked], off: Sequence[Asked]) -> float:
    """Return the area under the curve: how often a query on the subject has the higher signal, ties half."""
    left, right = np.array([each.signal for each in on])[:, None], np.array([each.signal for each in off])
    return float((left > right).mean() + (left == right).mean() / 2)


def judged(ground: Ground, name: str, part: Part, most: int) -> dict[str, Any]:
    """Judge the verdicts and the rows of one library."""
    on = ask(ground, sample(queries(name, part), most), rows=True)
    off = {other: ask(ground, sample(queries(other, part), most), rows=False) for other in OFF[name]}
    every = [each for asked in off.values() for each in asked]
    single = [each for each in on if len(each.query.text.split()) == 1]
    several = [each for each in on if len(each.query.text.split()) > 1]
    report: dict[str, Any] = {
        "on": shares(on),
        "off": {other: shares(asked) for other, asked in off.items()},
        "auc": {other: area(on, asked) for other, asked in off.items()},
        "one_word": shares(single) | ({"auc": area(single, every)} if single else {}),
        "more_words": shares(several),
        "rows": reliability(on),
        "cosines": {"on": [each.best_cosine for each in on], "off": [each.best_cosine for each in every]},
    }
    return report | {"missed": missed(name, report)}


def missed(name: str, report: Mapping[str, Any]) -> list[str]:
    """Return in words which of the targets a library misses."""
    off_strong, off_none, on_none, on_strong, area_wanted = WANTED[name]
    on, complaints = report["on"], []
    for other, off in report["off"].items():
        if off["strong"] > off_strong:
            complaints.append(f"{other} called strong {off['strong']:.1%}, at most {off_strong:.0%}")
        if off["none"] < off_none:
            complaints.append(f"{other} called none {off['none']:.1%}, at least {off_none:.0%}")
        if report["auc"][other] < area_wanted:
            complaints.append(f"AUC against {other} {report['auc'][other]:.3f}, at least {area_wanted}")
    if on["none"] > on_none:
        complaints.append(f"its own called none {on['none']:.1%}, at most {on_none:.0%}")
    if on["strong"] < on_strong:
        complaints.append(f"its own called strong {on['strong']:.1%}, at least {on_strong:.0%}")
    return complaints


def reliability(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return for each tier of a row how many were relevant, with an interval from resampling whole queries."""
    counts = np.array([[sum(tier == name for tier, _ in each.rows) for name in TIERS] for each in asked])
    hits = np.array([[sum(right for tier, right in each.rows if tier == name) for name in TIERS] for each in asked])
    drawn = np.random.default_rng(SEED).integers(len(asked), size=(RESAMPLES // 5, len(asked)))
    with np.errstate(invalid="ignore"):
        precision = hits[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        found = hits.sum(axis=0) / counts.sum(axis=0)
    low, high = np.nanpercentile(precision, (2.5, 97.5), axis=0)
    table = {
        name: {"rows": int(counts[:, at].sum()), "precision": found[at], "low": low[at], "high": high[at]}
        for at, name in enumerate(TIERS)
    }
    apart = bool(low[0] > high[1] and low[1] > high[2])
    return {**table, "separated": apart}


def fixed_cuts(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what one cut of the best cosine does everywhere: the best there is, and those of vstash."""
    cuts = np.arange(0.2, 0.8, 0.0025)
    rates = {name: _errors(report["cosines"], cuts) for name, report in reports.items()}
    worst = np.max([np.maximum(off, on) for off, on in rates.values()], axis=0)
    best = float(cuts[int(np.argmin(worst))])
    told = {}
    for label, cut in (("best single cut", best), ("vstash high", 1 - VSTASH_HIGH), ("vstash low", 1 - VSTASH_LOW)):
        told[label] = {"cosine": cut} | {
            name: {"off_above": float(off[0]), "on_below": float(on[0])}
            for name, report in reports.items()
            for off, on in [_errors(report["cosines"], np.array([cut]))]
        }
    return told


def _errors(cosines: Mapping[str, Sequence[float]], cuts: Any) -> tuple[Any, Any]:
    on, off = np.array(cosines["on"])[:, None], np.array(cosines["off"])[:, None]
    return (off >= cuts).mean(axis=0), (on < cuts).mean(axis=0)


def told(reports: Mapping[str, Mapping[str, Any]], fixed: Mapping[str, Any]) -> str:
    """Return the tables for a page."""
    lines = ["| library | asked | queries | strong | likely | weak | none | AUC |", "| --- " * 8 + "|"]
    for name, report in reports.items():
        rows = [("its own", report["on"], ""), ("its own, one word", report["one_word"], "")]
        rows += [(other, off, f"{report['auc'][other]:.3f}") for other, off in report["off"].items()]
        for label, row, curve in rows:
            if row["queries"]:
                figures = " | ".join(f"{row[each]:.1%}" for each in VERDICTS)
                lines.append(f"| {name} | {label} | {row['queries']} | {figures} | {curve} |")
    lines += ["", "| rows of | strong | likely | weak | intervals apart |", "| --- " * 5 + "|"]
    for name, report in reports.items():
        table = report["rows"]
        cells = [_cell(table[tier]) for tier in TIERS]
        lines.append(f"| {name} | {' | '.join(cells)} | {'yes' if table['separated'] else 'no'} |")
    lines += [
        "",
        "| one cut of the best cosine | " + " | ".join(f"{name}: off above, on below" for name in reports) + " |",
    ]
    lines.append("| --- " * (1 + len(reports)) + "|")
    for label, row in fixed.items():
        cells = [f"{row[name]['off_above']:.1%}, {row[name]['on_below']:.1%}" for name in reports]
        lines.append(f"| {label}, {row['cosine']:.4f} | {' | '.join(cells)} |")
    complaints = [f"{name}: {each}" for name, report in reports.items() for each in report["missed"]]
    return "\n".join([*lines, "", *(complaints or ["Every target is met."])])


def _cell(row: Mapping[str, Any]) -> str:
    return f"{row['precision']:.1%} ({row['low']:.1%} to {row['high']:.1%}, {row['rows']} rows)"


def main() -> None:
    """Judge, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="keep the indexes in this folder, or take them from it")
    parser.add_argument("--model", default=catalogue.EMBEDDED, help="an installed model, or a model folder")
    parser.add_argument("--collections", nargs="+", choices=NAMES, default=NAMES, help="the libraries to judge")
    parser.add_argument("--test", action="store_true", help="judge on the test queries, once a claim")
    parser.add_argument(
        "--most", type=int, default=500, help="queries of a collection, drawn with a fixed seed; 0: all"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    part: Part = "test" if chosen.test else "development"
    named, cores = machine(), os.cpu_count() or 1
    folder = Path(chosen.model)
    encoder = Encoder(folder, sessions=cores) if folder.is_dir() else catalogue.load(chosen.model, sessions=cores)
    with closing(encoder), grounds(encoder, chosen.libraries, chosen.collections) as opened:
        reports = {name: judged(ground, name, part, chosen.most) for name, ground in opened.items()}
    fixed = fixed_cuts(reports)
    if chosen.json:
        print(json.dumps({"machine": named, "model": chosen.model, "part": part, "libraries": reports, "cuts": fixed}))
        return
    print(f"{heading(named)}\n{encoder.manifest.id}, {encoder.manifest.quantisation}, {part} queries\n")
    print(told(reports, fixed))


if __name__ == "__main__":
    main()
