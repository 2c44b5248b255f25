"""`carrel eval`: judges retrieval on test collections, in a throw-away library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.arguments import FUSIONS, read_weights
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session

if TYPE_CHECKING:
    from engine.evaluation.report import SystemResult
    from engine.records import Fusion


LATE_FACTOR = 4  # words that share a vector, as `carrel late on` has it


@carrel_command(
    "eval",
    reports=True,
    examples=(
        ("carrel eval scifact nfcorpus", "Judge the embedded model on two collections."),
        ("carrel eval scifact --fusion rrf --weights .5,.5", "Judge another way of joining meaning and words."),
        ("carrel eval scifact --against BAAI/bge-small-en-v1.5", "Compare two models, with a confidence interval."),
        ("carrel eval scifact --late 4", "See what late interaction gives."),
        (
            "carrel eval scifact --late 2 --late-model answerdotai/answerai-colbert-small-v1",
            "See what it gives by the token vectors of an installed model.",
        ),
        (
            "carrel eval scifact --against rrf --per-query scores.jsonl",
            "Compare two fusions; keep each query's scores.",
        ),
    ),
)
@click.argument(
    "folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--split", default="test", metavar="NAME", help="Which judgements to take [test].")
@click.option("--model", metavar="M", help="The model to judge [the embedded one].")
@click.option("--fusion", type=click.Choice(FUSIONS), default="convex", metavar="F", help="How both legs are joined.")
@click.option("--weights", callback=read_weights, metavar="V,K", help="Weights of meaning and words, as in .8,.2.")
@click.option(
    "--against",
    metavar="M",
    help="Compare with another model, another fusion, other weights (V,K), or no-feedback.",
)
@click.option(
    "--late",
    type=click.IntRange(1, 6),
    metavar="N",
    help="Rank the best hundred again by late interaction, one vector for N words; compared with the same without it.",
)
@click.option(
    "--late-model",
    metavar="M",
    help="The installed model whose token vectors late interaction takes, one for 4 words without --late "
    "[the judged one].",
)
@click.option(
    "--on-demand",
    type=click.IntRange(0),
    metavar="N",
    help="Judge as while a library is being indexed: only the best N passages by words of each query are embedded.",
)
@click.option(
    "--per-query",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write each query's scores, one JSON object a line.",
)
@pass_session
def command(
    session: Session,
    folders: Sequence[Path],
    split: str,
    model: str | None,
    fusion: Fusion,
    weights: tuple[float, float] | None,
    against: str | None,
    late: int | None,
    late_model: str | None,
    on_demand: int | None,
    per_query: Path | None,
) -> None:
    """Judge retrieval on collections in BEIR layout (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv).

    Each collection is indexed in a throw-away library and its judged queries are searched as `carrel search` does it.
    NDCG has linear gains, as trec_eval has it; a document's rank is its best passage's. Your own library is not
    touched.
    """
    from app.cli import evaluation
    from engine.evaluation.report import to_json, to_table

    factor = late or (LATE_FACTOR if late_model else 0)
    wanted = evaluation.System(model, fusion, weights, on_demand=on_demand, late=factor, late_model=late_model)
    other = evaluation.rival(wanted, against)
    result, baseline = evaluation.judged(folders, split, wanted, other)
    if per_query is not None:
        _write_rows(per_query, result)
    if session.json:
        click.echo(json.dumps(to_json(result, baseline), indent=2))
    else:
        click.echo(to_table(result, baseline))


def _write_rows(file: Path, result: SystemResult) -> None:
    """Write one JSON object a line for each collection and query."""
    from engine.evaluation.report import per_query_rows

    with file.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in per_query_rows(result))
