"""What a run made to learn from: queries by source, where meaning and words disagree, and examples of it."""

from __future__ import annotations

from textual.content import Content

from app.tui.screens.training.constants_table import constant_lines
from app.tui.screens.training.line_parts import KINDS, apart, fitted, heading, reasons, said
from app.tui.theme import ALARM, BRIGHT, FAINT, GOOD, MEANING, QUIET, WORDS
from app.tui.training_state import TrainingState
from app.wording.bars import bar
from app.wording.safe_text import one_line
from engine.figures import count, counted, figure, percent
from training.protocol import Example, Mined, QueriesMade, ReviewAwaited, SplitsMade

ENOUGH_HELD_OUT = 200  # below it the gate does not judge


def making_lines(state: TrainingState, width: int, *, examples: bool = True) -> list[Content]:
    """Return everything, with the newest example first, or without the examples."""
    lines = [*waiting_lines(state.review, width), Content()] if state.review is not None else []
    lines += _query_lines(state, width)
    lines += _split_lines(state.splits, width) if state.splits is not None else []
    lines += constant_lines(state, width)
    lines += [Content(), *disagreement(state.mined, width)] if state.mined is not None else []
    lines += [Content(), *example_lines(state.examples, width)] if state.examples and examples else []
    return lines


def waiting_lines(review: ReviewAwaited, width: int) -> list[Content]:
    """Return that the run waits for its examples to be looked at."""
    text = f"‖ {counted(review.examples, 'example')} wait to be looked at, the most doubtful first."
    lines = said(text, width, f"bold {BRIGHT}")
    return [*lines, *said("e looks at them; o goes on with all that was not rejected.", width, QUIET, "  ")]


def short_lines(state: TrainingState, width: int) -> list[Content]:
    """Return the same in three lines and an example, for a low screen on which training has begun."""
    kept = sum(each.kept for each in state.queries)
    dropped = sum(sum(each.dropped.values()) for each in state.queries)
    head = Content.assemble(("Questions  ", f"bold {BRIGHT}"), count(kept), (f"  dropped {count(dropped)}", QUIET))
    if state.splits is not None:
        note = f"  ·  {count(state.splits.train)} to learn, {count(state.splits.development)} to choose, "
        head = Content.assemble(head, (f"{note}{count(state.splits.test)} to test", QUIET))
    lines = [fitted(head, width)]
    lines += disagreement(state.mined, width)[:3] if state.mined is not None else []
    return lines


def _query_lines(state: TrainingState, width: int) -> list[Content]:
    if not state.queries:
        return [heading("Questions"), Content.styled("making questions from your notes …", QUIET)]
    kept = sum(each.kept for each in state.queries)
    lines = [apart(heading("Questions"), Content.styled(count(kept), f"bold {BRIGHT}"), width)]
    for each in state.queries:
        lines += _origin_lines(each, width)
    return lines


def _origin_lines(made: QueriesMade, width: int) -> list[Content]:
    """Return a source with what it gave, and why the rest was dropped."""
    number = Content.assemble(
        (f"of {count(made.made)}   " if made.made != made.kept else "", QUIET), f"{count(made.kept):>5}"
    )
    lines = [apart(Content(f"  {one_line(made.origin)}"), number, width)]
    dropped = sum(made.dropped.values())
    if dropped:
        lines += said(f"dropped {count(dropped)}: {reasons(made.dropped)}", width, QUIET, "    ")
    return lines


def _split_lines(splits: SplitsMade, width: int) -> list[Content]:
    """Return how the questions were divided, and what the test can see."""
    parts = f"{count(splits.train)} to learn from, {count(splits.development)} to choose by, "
    lines = said(
        f"{parts}{count(splits.test)} held out for the test, in {counted(splits.groups, 'group')}", width, QUIET
    )
    if splits.smallest_gain is not None:
        seen = f"The test can tell a gain of {figure(splits.smallest_gain)} from chance."
        few = splits.test < ENOUGH_HELD_OUT
        lines += said(f"{seen} Fewer than {ENOUGH_HELD_OUT}: it cannot judge." if few else seen, width, QUIET)
    return lines


def disagreement(mined: Mined, width: int) -> list[Content]:
    """Return how often meaning and words disagree, of which kind, and what came of it."""
    of = f"{count(mined.queries)} of {counted(mined.of, 'question')}"
    rate = Content.assemble(("Disagreement  ", f"bold {BRIGHT}"), (percent(mined.disagreement), f"bold {BRIGHT}"))
    cells = max(8, width - 2)
    meaning, words = bar(mined.vector_blind, mined.keyword_blind, 1.0, cells)
    picture = Content.assemble(
        ("▕", FAINT), ("█" * meaning, MEANING), ("▒" * words, WORDS), (" " * (cells - meaning - words) + "▏", FAINT)
    )
    kinds = Content.assemble(
        (f"meaning blind {percent(mined.vector_blind)}", MEANING),
        ("   ", QUIET),
        (f"words blind {percent(mined.keyword_blind)}", WORDS),
        (f"   agree {percent(max(0.0, 1 - mined.disagreement))}", QUIET),
    )
    triples = f"{counted(mined.triples, 'example')} to learn from"
    dropped = sum(mined.dropped.values())
    left_out = f"; {count(dropped)} false negatives dropped: {reasons(mined.dropped)}" if dropped else ""
    return [
        apart(rate, Content.styled(of, QUIET), width),
        fitted(picture, width),
        fitted(kinds, width),
        *said(triples + left_out, width, QUIET),
    ]


def example_lines(examples: tuple[Example, ...], width: int) -> list[Content]:
    """Return the examples, the newest first: the question, what answers it, and what only seems to."""
    if not examples:
        return [heading("Examples"), Content.styled("none yet", QUIET)]
    lines = [heading("Examples", "the newest first")]
    for each in reversed(examples):
        lines += one_example(each, width)
    return lines


def one_example(example: Example, width: int) -> list[Content]:
    """Return one example in three lines."""
    name, ink = KINDS.get(example.kind, (one_line(example.kind), QUIET))
    kind = Content.styled(name, ink)
    more = len(example.negatives) - 1
    wrong = one_line(example.negatives[0]) if example.negatives else ""
    tail = f"  and {more} more" if more > 0 else ""
    lines = [
        apart(Content.styled(f"“{one_line(example.query)}”", BRIGHT), kind, width),
        fitted(Content.assemble(("  + ", GOOD), one_line(example.positive)), width),
    ]
    if wrong:
        room = width - len(tail)
        lines.append(Content.assemble(fitted(Content.assemble(("  − ", ALARM), (wrong, QUIET)), room), (tail, QUIET)))
    return lines
