"""What nearest words link in right passages and in wrong ones, and what they add to a preview.

    CARREL_DATA=DIR python tests/bench/nearest_words.py [--libraries FOLDER] [--collections NAME...] [--most 200]

Each development query is asked; the first passage of a document that is judged right is held against the passage at
place 100. A table gives the share of the question's words that the passage does not hold and that are linked all the
same, by the cut. The time is that of one passage whose question was not seen before: two runs of the model and the
comparison, which a preview waits for in a thread of its own; its 95th percentile is held against 30 ms.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from judged import NAMES, Ground, grounds, queries, sample
from machine import heading, machine
from spread import against, limit_lines, spread

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.evaluation.beir import JudgedQuery
from engine.retrieval.word_link_calibration import EMBEDDED_CUTS
from engine.retrieval.word_links import nearest_words, other_word_cosines
from engine.store.documents import rows_for

LIMIT_MS = 30.0  # added to a preview, 95th percentile
WRONG_PLACE = 100
CUTS = (0.4, 0.47, 0.5, 0.55, 0.6, 0.65, 0.7)


def pairs(ground: Ground, asked: Sequence[JudgedQuery]) -> Iterator[tuple[str, str, str]]:
    """Yield each question with the text of a right passage and that of a wrong one, where both are found."""
    for query in asked:
        search = ground.search(query.text)
        candidates, order = search.gathered.candidates, search.ranking.order.tolist()
        names = [ground.names[int(candidates.documents[place])] for place in order]
        right = next((place for place, name in zip(order, names, strict=True) if query.grades.get(name, 0) > 0), None)
        far = list(zip(order, names, strict=True))[WRONG_PLACE - 1 :] or list(zip(order, names, strict=True))[-1:]
        wrong = next((place for place, name in far if query.grades.get(name, 0) <= 0), None)
        if right is not None and wrong is not None:
            ids = [int(candidates.ids[right]), int(candidates.ids[wrong])]
            rows = rows_for(ground.connection, ids)
            yield query.text, rows[ids[0]].text, rows[ids[1]].text


def measured(encoder: Encoder, found: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the shares by cut, how many right passages show something, and the milliseconds of one passage."""
    right, wrong, spent, worked, held, shown, faint = [], [], [], [], 0, 0, 0
    for question, good, bad in found:
        began, began_work = time.perf_counter(), time.thread_time()
        links = nearest_words(encoder, question, good, EMBEDDED_CUTS)
        spent.append((time.perf_counter() - began) * 1e3)
        worked.append((time.thread_time() - began_work) * 1e3)
        held += any(link.same for link in links)
        shown += any(link.word and not link.faint for link in links)
        faint += any(link.faint for link in links)
        right.append(other_word_cosines(encoder, question, good))
        wrong.append(other_word_cosines(encoder, question, bad))
    good_words, bad_words = (np.concatenate(each) if each else np.empty(0) for each in (right, wrong))
    table = {f"{cut:g}": [_share(good_words, cut), _share(bad_words, cut)] for cut in CUTS}
    count = max(1, len(found))
    passages = {"holding a word": held / count, "showing a link": shown / count, "showing a faint one": faint / count}
    return {"passages": passages, "words": [len(good_words), len(bad_words)], "cuts": table} | {
        "ms": spread(spent),
        "processor_ms": spread(worked),
    }


def _share(cosines: Any, cut: float) -> float:
    return float((cosines >= cut).mean()) if len(cosines) else 0.0


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="keep the indexes in this folder, or take them from it")
    parser.add_argument("--collections", nargs="+", choices=NAMES, default=NAMES[:1])
    parser.add_argument(
        "--most", type=int, default=200, help="queries of a collection, drawn with a fixed seed; 0: all"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    named = machine()
    with closing(catalogue.load()) as encoder, grounds(encoder, chosen.libraries, chosen.collections) as opened:
        encoder.encode_query("warm")
        reports = {
            name: measured(encoder, list(pairs(ground, sample(queries(name, "development"), chosen.most))))
            for name, ground in opened.items()
        }
    limits = {name: against(report["ms"], {"p95": LIMIT_MS}) for name, report in reports.items()}
    if chosen.json:
        print(json.dumps({"machine": named, "collections": reports, "limits": limits}))
        return
    print(heading(named))
    for name, report in reports.items():
        print(f"\n{name}: {report['words'][0]} and {report['words'][1]} words that the passage does not hold")
        print("| cut | linked in the right passage | at place 100 |\n| --- | --- | --- |")
        print("\n".join(f"| {cut} | {good:.0%} | {bad:.1%} |" for cut, (good, bad) in report["cuts"].items()))
        print(" · ".join(f"{said} {share:.0%}" for said, share in report["passages"].items()))
        print(f"ms: p50 {report['ms'].get('p50', 0):.1f}", *limit_lines(limits[name], "ms"), sep="\n")
        print(f"of processor time: p95 {report['processor_ms'].get('p95', 0):.1f} ms, which other work leaves as it is")


if __name__ == "__main__":
    main()
