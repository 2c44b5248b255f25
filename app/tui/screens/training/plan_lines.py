"""The lines of the page on which a run is planned: what there is to choose, and what to expect of what is chosen."""

from __future__ import annotations

from functools import partial

from textual.content import Content

from app.tui.screens.training.draft_plan import BUDGETS, Planning
from app.tui.screens.training.line_parts import apart, heading, said
from app.tui.theme import ACCENT, BRIGHT, FAINT, GOOD, KEY, QUIET
from app.tui.training_port import Prospect, QuerySource, Recipe
from app.tui.widgets.entry_list import Entry
from app.tui.widgets.line_views import wrapped
from app.wording.safe_text import one_line
from app.wording.times import estimate
from engine.figures import count, counted, figure
from engine.installation import command_for

BAR_CELLS = 30


def choices(planning: Planning, *, spaced: bool = True) -> list[Entry]:
    """Return the lines to choose from under their headings; with empty lines between the parts where there is room."""
    entries = [Entry("sources", lambda width: apart(heading("Questions to learn from"), _quiet("questions"), width))]
    for source in planning.sources:
        taken = source.name in planning.taken
        number = planning.count_of(source)
        entries.append(Entry(("source", source.name), partial(_source, source, taken, number), source))
    entries += [*_gap("1", spaced), Entry("recipes", lambda width: heading("How"))]
    for recipe in planning.recipes:
        picked = recipe.name == planning.recipe
        entries.append(Entry(("recipe", recipe.name), partial(_recipe, recipe, picked), recipe))
    if planning.trains:
        entries += [*_gap("2", spaced), Entry("budget", partial(_budget, planning.budget), "budget")]
        entries.append(Entry("review", partial(_review, planning.review), "review"))
    return [*entries, *_gap("3", spaced), Entry("begin", partial(_begin, planning.fault), "begin")]


def _gap(key: str, spaced: bool) -> list[Entry]:
    return [Entry(("gap", key), lambda width: Content())] if spaced else []


def _quiet(text: str) -> Content:
    return Content.styled(text, QUIET)


def _source(source: QuerySource, taken: bool, number: int, width: int) -> Content:
    sign = Content.styled("[✓] " if taken else "[ ] ", GOOD if taken else QUIET)
    title = Content.assemble(sign, (one_line(source.title), "" if number else QUIET))
    if source.asks and not source.given:
        return apart(title, Content.styled(f"needs {source.asks.partition(':')[0]}", QUIET), width)
    return apart(title, Content.styled(count(number), BRIGHT if taken and number else QUIET), width)


def _recipe(recipe: Recipe, picked: bool, width: int) -> Content:
    sign = Content.styled("(●) " if picked else "( ) ", GOOD if picked else QUIET)
    return Content.assemble(sign, one_line(recipe.title)).truncate(width, ellipsis=True)


def _budget(budget: int, width: int) -> Content:
    left, right = ("◂" if budget > BUDGETS[0] else " "), ("▸" if budget < BUDGETS[-1] else " ")
    return Content.assemble(
        ("How much  ", f"bold {BRIGHT}"),
        (f"{left} ", ACCENT),
        (f"{count(budget)}", BRIGHT),
        (f" {right} ", ACCENT),
        ("examples at most", QUIET),
    ).truncate(width, ellipsis=True)


def _review(taken: bool, width: int) -> Content:
    sign = Content.styled("[✓] " if taken else "[ ] ", GOOD if taken else QUIET)
    return Content.assemble(sign, "look at the examples before it learns").truncate(width, ellipsis=True)


def _begin(fault: str, width: int) -> Content:
    if fault:
        return Content.styled(fault, QUIET).truncate(width, ellipsis=True)
    return Content.styled("▶ Begin", KEY)


def prospect_lines(
    planning: Planning,
    prospect: Prospect | None,
    chosen: object,
    width: int,
    *,
    spaced: bool = True,
    measuring: bool = False,
    missing: str = "",
) -> list[Content]:
    """Return what to expect of the plan, and then what the selected line means; `measuring`: the time is to come.

    `missing` is what is not installed that other recipes need.
    """
    lines = [heading("What to expect")] if spaced else []
    if planning.fault:
        lines += said(planning.fault, width, QUIET)
    elif prospect is None:
        lines += [_quiet("counting …")]
    else:
        gap = [Content()] if spaced else []
        lines += [*_expected(prospect, width, measuring=measuring), *gap, *_judgeable(prospect, width)]
    meant, lacking = _meaning(chosen, width), _to_install(missing, width)
    return [*lines, *meant, *lacking] if spaced else [*lines, *lacking, *meant]  # what is below must be scrolled to


def _meaning(chosen: object, width: int) -> list[Content]:
    """Return what the selected line means."""
    about = _about(chosen)
    return [Content(), heading(one_line(about[0])), *said(about[1], width, QUIET)] if about else []


def _to_install(missing: str, width: int) -> list[Content]:
    """Return the command that installs what is missing."""
    if not missing:
        return []
    lines = [Content(), heading("To train a model too"), *said(f"{missing} Leave Carrel and run:", width, QUIET)]
    return [*lines, *wrapped(Content.styled(command_for("training"), KEY), width, Content("    "))]


def _expected(prospect: Prospect, width: int, *, measuring: bool) -> list[Content]:
    took = f", in about {estimate(prospect.seconds)}" if prospect.seconds is not None else ""
    text = f"{counted(prospect.queries, 'question')}{took}. It works in the background, also when Carrel is closed."
    if prospect.seconds is None:
        text += " How long it takes is being measured …" if measuring else " How long it takes is not known here."
    return said(text, width)


def _judgeable(prospect: Prospect, width: int) -> list[Content]:
    """Return whether the gate will be able to judge: a bar of what it has to what it needs, and a sentence."""
    enough = prospect.held_out >= prospect.needed
    cells = min(BAR_CELLS, max(8, width - 24))
    end = max(prospect.needed, prospect.held_out, 1)
    full = round(min(1.0, prospect.held_out / end) * cells)
    need = round(prospect.needed / end * cells) if enough else -1
    bar = "".join("│" if place == need else "█" if place < full else "░" for place in range(cells))
    ink = GOOD if enough else BRIGHT
    label = f" {count(prospect.held_out)} of {count(prospect.needed)} needed"
    lines = [Content.assemble(("▕", FAINT), (bar, ink), ("▏", FAINT), label).truncate(width, ellipsis=True)]
    seen = f"a gain of {figure(prospect.smallest_gain)}" if prospect.smallest_gain is not None else "no gain at all"
    held = f"About {counted(prospect.held_out, 'question')} can be held out to judge it."
    if enough:
        return [*lines, *said(f"✓ {held} They can tell {seen} or more from chance.", width)]
    missing = prospect.needed - prospect.held_out
    help_ = f"{counted(missing, 'more held-out question')} would let it."
    return [*lines, *said(f"✗ {held} That is too few for a verdict: {help_} It could see {seen} at best.", width)]


def _about(chosen: object) -> tuple[str, str] | None:
    match chosen:
        case QuerySource() | Recipe():
            return chosen.title, chosen.explained
        case "budget":
            text = (
                "An example is a question, the passage that answers it, and one that only seems to. More of them take"
                " longer and are no promise: what disagrees is soon used up in a small library."
            )
            return "How much", text
        case "review":
            text = (
                "The run waits once it has found its examples. You see them one by one, the most doubtful first, and"
                " accept or reject each; what you leave open is learnt from. Closing Carrel leaves it waiting."
            )
            return "Look first", text
    return None


MISSING = (
    (
        "What it adds",
        "carrel[training] brings PyTorch and what it needs, about 1 GB. With it Carrel can teach its model your own"
        " words: it finds where meaning and words disagree in your notes, trains on that, and judges the result on"
        " questions that it never saw.",
    ),
    (
        "How to install it",
        "Leave Carrel with ctrl+q, run this, and come back:",
    ),
)


def missing_lines(what: str, width: int) -> list[Content]:
    """Return what the training extra adds and how to install it, where it is missing."""
    lines = said("Retraining is not installed here.", width, f"bold {BRIGHT}")
    lines += said(what, width, QUIET)
    for title, text in MISSING:
        lines += [Content(), heading(title), *said(text, width)]
    command = wrapped(Content.styled(command_for("training"), KEY), width, Content("    "))
    lines += [Content(), *command]
    rest = "Nothing else needs it: searching, indexing, and what Carrel learns from your marks work without."
    return [*lines, Content(), *said(rest, width, QUIET)]
