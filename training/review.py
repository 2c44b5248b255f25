"""The review before the training: the examples that a person is shown, and what they decided about each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from engine.atomic_files import exclusive, replace_file
from engine.errors import UsageError
from engine.paths import display
from training.protocol import Example, decode, encode, shortened
from training.runs import Run

if TYPE_CHECKING:  # importing them takes numpy, which a browser that shows a review does not need here
    from training.hard_negatives import Row
    from training.known_queries import KnownQuery
    from training.library_snapshot import LibrarySnapshot

EXAMPLES_FILE = "review.jsonl"  # an `Example` a line, in the order in which they are to be looked at
DECISIONS_FILE = "decisions.json"  # by number of the example: whether it is accepted
LEARNT_FILE = "learnt.json"  # the rows that are learnt from; once it is there, decisions come too late
MOST_EXAMPLES = 200  # that a person is asked to look at; what they do not see is learnt from
CHARACTERS = 300  # of each text
PLACE_CHARACTERS = 100
MOST_BYTES = 1400  # of a text as it is written: of nine texts and eight places an event stays below 16 KB
MOST_PLACE_BYTES = 300


def offer(run: Run, examples: Iterable[Example]) -> int:
    """Write down the examples to be looked at, whole or not at all, and return how many they are."""
    lines = [encode(each) for each in examples]
    replace_file(run.folder / EXAMPLES_FILE, "".join(lines))
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
    with exclusive(run.folder):
        kept = {number: yes for number, yes in decisions(run).items() if number not in chosen}
        if accepted is not None:
            kept |= dict.fromkeys(chosen, accepted)
        written = json.dumps({str(number): kept[number] for number in sorted(kept)})
        replace_file(run.folder / DECISIONS_FILE, written)


def rejected(run: Run) -> set[int]:
    """Return the numbers of the examples that are not to be learnt from."""
    return {number for number, accepted in decisions(run).items() if not accepted}


def example(row: Row, known: Sequence[KnownQuery], snapshot: LibrarySnapshot) -> Example:
    """Return the event that shows a row."""
    query = known[row.query]
    texts = [shortened(snapshot.texts[each], CHARACTERS, MOST_BYTES) for each in row.passages]
    return Example(
        number=row.number,
        query=shortened(query.text, CHARACTERS, MOST_BYTES),
        positive=texts[0],
        negatives=tuple(texts[1:]),
        kind=row.kind,
        origin=query.origin,
        places=tuple(_place(snapshot, each) for each in row.passages),
        meaning=row.meaning,
        words=row.words,
        labelled=row.labelled,
    )


def doubtful_first(rows: Sequence[Row], most: int) -> list[Row]:
    """Return rows to be looked at: those whose negatives come nearest to the answer, so may be answers, first."""
    return sorted(rows, key=lambda row: (-row.doubt, row.number))[:most]


def _place(snapshot: LibrarySnapshot, row: int) -> str:
    """Return the path of a passage's document from the folder that holds all, its end alone where it is long."""
    corpus = snapshot.corpus
    path = display(os.path.relpath(corpus.paths[int(corpus.documents[row])], os.path.dirname(corpus.root)))
    end = shortened(path[-PLACE_CHARACTERS:][::-1], PLACE_CHARACTERS, MOST_PLACE_BYTES)[::-1]
    return end if end == path else f"…{end}"
