"""The examples of a run that a person looks at before the training, and what they decided about each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from engine.errors import UsageError
from training.protocol import Example, decode, encode
from training.runs import Run

EXAMPLES_FILE = "review.jsonl"  # an `Example` a line, in the order in which they are to be looked at
DECISIONS_FILE = "decisions.json"  # by number of the example: whether it is accepted
LEARNT_FILE = "learnt.json"  # the rows that are learnt from; once it is there, decisions come too late
MOST_EXAMPLES = 200  # that a person is asked to look at; what they do not see is learnt from


def offer(run: Run, examples: Iterable[Example]) -> int:
    """Write down the examples to be looked at, whole or not at all, and return how many they are."""
    lines = [encode(each) for each in examples]
    _replace(run.folder / EXAMPLES_FILE, "".join(lines))
    return len(lines)


def examples(run: Run) -> list[Example]:
    """Return the examples to be looked at; of a run without a review those that it has shown so far."""
    try:
        lines = (run.folder / EXAMPLES_FILE).read_text(encoding="ascii").split("\n")
    except OSError:
        found = run.history()
    else:
        found = (event for event in map(decode, lines) if event is not None)
    return [event for event in found if isinstance(event, Example)]


def decisions(run: Run) -> dict[int, bool]:
    """Return which examples were accepted (True) or rejected (False), by their numbers; the others are undecided."""
    try:
        written = json.loads((run.folder / DECISIONS_FILE).read_text(encoding="ascii"))
        return {int(number): bool(accepted) for number, accepted in written.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def decide(run: Run, numbers: Iterable[int], accepted: bool | None) -> None:
    """Accept (True) or reject (False) examples, or take a decision back (None). Raises UsageError where it is too late.

    What is undecided is learnt from like what is accepted.
    """
    if (run.folder / LEARNT_FILE).exists():
        raise UsageError(f"The run {run.name} learns already.", fix="Start one with `carrel retrain --review`.")
    chosen = set(numbers)
    kept = {number: yes for number, yes in decisions(run).items() if number not in chosen}
    if accepted is not None:
        kept |= dict.fromkeys(chosen, accepted)
    _replace(run.folder / DECISIONS_FILE, json.dumps({str(number): kept[number] for number in sorted(kept)}))


def rejected(run: Run) -> set[int]:
    """Return the numbers of the examples that are not to be learnt from."""
    return {number for number, accepted in decisions(run).items() if not accepted}


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="ascii")
    os.replace(draft, path)
