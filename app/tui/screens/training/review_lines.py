"""One example under review: the question, what answers it, what only seems to, where each lies and why it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from app.tui.screens.training.line_parts import KINDS, apart, heading, said
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.wording.cells import cut_front
from app.wording.safe_text import one_line
from engine.figures import count, counted, ordinal
from training.protocol import Example

_STANDINGS = {True: ("✓ accepted", GOOD), False: ("✗ rejected", ALARM), None: ("not decided: it is learnt from", QUIET)}
_INDENT = "    "


def title_line(run: str, at: int, examples: Sequence[Example], decided: Mapping[int, bool], width: int) -> Content:
    """Return whose examples these are, which one is shown, and how many were decided."""
    place = f"{count(at + 1)} of {count(len(examples))}" if at < len(examples) else f"{count(len(examples))} in all"
    return apart(heading(f"Examples of {one_line(run)}", place), Content.styled(_decided(decided), QUIET), width)


def example_page(example: Example, accepted: bool | None, width: int) -> list[Content]:
    """Return one example with all its passages."""
    kind, ink = KINDS.get(example.kind, (one_line(example.kind), QUIET))
    standing, colour = _STANDINGS[accepted]
    lines = said(f"“{example.query}”", width, f"bold {BRIGHT}")
    told = Content.assemble((f"from {one_line(example.origin)}   ", QUIET), (kind, ink))
    lines += [apart(told, Content.styled(standing, colour), width), Content()]
    if not example.labelled:
        lines += said("Nobody said what answers it; the fused search teaches how near each of these is.", width, QUIET)
    for at, text in enumerate((example.positive, *example.negatives)):
        lines += [*_passage(example, at, text, width), Content()]
    return lines


def _passage(example: Example, at: int, text: str, width: int) -> list[Content]:
    """Return a passage: what it is taken for and where it lies, its text, and which leg put it there."""
    if not example.labelled:
        head = Content.styled(f"  {ordinal(at + 1)} together", QUIET)
    elif at:
        head = Content.assemble(("  − ", ALARM), ("only seems to answer", ALARM))
    else:
        head = Content.assemble(("  + ", GOOD), ("answers it", GOOD))
    place = cut_front(one_line(example.places[at]), max(0, width - head.cell_length - 3)) if example.places else ""
    lines = [apart(head, Content.styled(place, QUIET), width), *said(text, width, "", _INDENT)]
    if example.meaning and example.words:
        lines += said(reason(example.meaning[at], example.words[at]), width, QUIET, _INDENT)
    return lines


def reason(meaning: int, words: int) -> str:
    """Return why a passage is in an example: where meaning and words put it, 0 being not among their first."""
    if not meaning and not words:
        return "neither meaning nor words put it among their first ten"
    if meaning and words:
        return f"meaning puts it {ordinal(meaning)}, words {ordinal(words)}"
    one, other, rank = ("meaning", "words", meaning) if meaning else ("words", "meaning", words)
    do, does = ("put", "does") if one == "words" else ("puts", "do")
    return f"{one} {do} it {ordinal(rank)}; {other} {does} not have it among the first ten"


def end_lines(examples: Sequence[Example], decided: Mapping[int, bool], width: int) -> list[Content]:
    """Return what stands behind the last example: what comes of it."""
    if not examples:
        return said("There are no examples to look at.", width, QUIET)
    rejected = sum(1 for accepted in decided.values() if not accepted)
    lines = said("That was the last one.", width, f"bold {BRIGHT}")
    without = f" but the {counted(rejected, 'example')} that you rejected" if rejected else ""
    return [*lines, Content(), *said(f"The run learns from all{without}. o lets it go on; ← goes back.", width)]


def _decided(decided: Mapping[int, bool]) -> str:
    accepted = sum(decided.values())
    return f"{count(accepted)} accepted · {count(len(decided) - accepted)} rejected"
