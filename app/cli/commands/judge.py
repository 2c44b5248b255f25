"""`carrel judge`: a person says which passages answer their questions, without seeing how they were found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.wording.safe_text import one_line
from engine.errors import UsageError
from engine.figures import counted

if TYPE_CHECKING:
    from engine.library import Library

TRAINING_ENDING = ".jsonl"


@carrel_command(
    "judge",
    reports=True,
    examples=(
        ("carrel judge how do I keep a starter alive", "Judge what all methods find for one question."),
        ("carrel judge --queries questions.txt", "Judge a file of questions, one a line; go on where you left."),
        ("carrel judge --out mine", "Write all that was judged as a collection, for `carrel eval mine`."),
        ("carrel judge --out mine.jsonl", "Write it for `carrel retrain --judged mine.jsonl`."),
    ),
)
@click.argument("query", nargs=-1, metavar="[QUERY...]")
@click.option(
    "--queries",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help='Questions: one a line, or JSON Lines with "query" or "text".',
)
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="Where to write: a folder, or *.jsonl.")
@click.option("--depth", type=click.IntRange(1, 100), default=10, metavar="N", help="Rows taken of each method [10].")
@click.option("--seed", type=int, default=42, metavar="N", help="Of the order in which passages are shown [42].")
@pass_session
def command(
    session: Session, query: tuple[str, ...], queries: Path | None, out: Path | None, depth: int, seed: int
) -> None:
    """Judge passages blind: pooled from meaning, words and both ways of joining them, in an order that tells nothing.

    One key a passage: y answers the question, n does not. Each answer is kept at once, as a mark; what is judged is not
    asked again, so you can leave at any time. Without QUERY and --queries, questions are asked for, unless --out only
    writes what is judged already.
    """
    if query and queries:
        raise UsageError("QUERY and --queries are two ways to ask.", fix="Leave one of them out.")
    with session.open() as library:
        asked = [" ".join(query)] if query else _of_file(queries) if queries else [] if out else None
        done = _judge(library, asked, depth, seed)
        answers = library.answers()
        if out is not None:
            _write(library, out, answers)
    judged = sum(map(len, answers.values()))
    if session.json:
        print_json({"questions": len(answers), "judged": judged, "complete": done, "out": str(out) if out else None})
        return
    where = f", written to {one_line(str(out))}" if out else ""
    click.echo(f"{counted(len(answers), 'question')} and {counted(judged, 'document')} judged{where}.")


def _judge(library: Library, asked: list[str] | None, depth: int, seed: int) -> bool:
    """Judge question after question; False where the person left before the last."""
    from app.cli.judge_prompt import judge_question
    from engine.evaluation.judgement_pool import pool

    for number, question in enumerate(asked if asked is not None else _prompted(), 1):
        of = f" of {len(asked)}" if asked else ""
        if not judge_question(library, question, pool(library, question, depth, seed), f"question {number}{of}"):
            return False
    return True


def _prompted() -> Iterator[str]:
    """Ask for questions until an empty one."""
    while question := click.prompt("Question (empty to end)", default="", show_default=False, err=True).strip():
        yield question


def _of_file(file: Path) -> list[str]:
    """Read questions, each once. Raises UsageError, naming the line."""
    questions: dict[str, None] = {}
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read.", cause=f"{error}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        text = line
        if line.lstrip().startswith("{"):
            try:
                record = json.loads(line)
                text = record.get("query") or record.get("text") or ""
            except (ValueError, RecursionError) as error:
                raise UsageError(
                    f"{file}, line {number}, is not valid JSON.", fix="Correct it or leave it out."
                ) from error
        if isinstance(text, str) and text.strip():
            questions.setdefault(text.strip())
        else:
            raise UsageError(f"{file}, line {number}, has no question.", fix='Put it under "query".')
    if not questions:
        raise UsageError(f"{file} holds no question.")
    return list(questions)


def _write(library: Library, out: Path, answers: dict[str, dict[bytes, bool]]) -> None:
    from engine.evaluation.judgement_pool import write_collection, write_lines

    if not answers:
        raise UsageError("Nothing is judged yet, so there is nothing to write.", fix="Judge a question first.")
    if out.suffix == TRAINING_ENDING:
        write_lines(out, answers)
    else:
        write_collection(out, library, answers)
