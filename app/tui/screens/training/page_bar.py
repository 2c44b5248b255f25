"""The line that names the pages of the training screen, each with what is on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from textual import events
from textual.content import Content
from textual.message import Message
from textual.style import Style

from app.tui.screens.training.followed_run import FollowedRun
from app.tui.screens.training.line_parts import apart
from app.tui.screens.training.stage_strip import share_done
from app.tui.theme import ACCENT, BRIGHT, QUIET
from app.tui.widgets.built_line import BuiltLine
from app.wording.safe_text import one_line
from engine.figures import percent

Page = Literal["plan", "run", "history", "beside"]
PAGE = "page"  # under which a click finds the page of a name
PAGES: tuple[Page, ...] = ("plan", "run", "history", "beside")


class PageBar(BuiltLine):
    """Shows which page is open, how far the followed run is, and how many runs there are."""

    @dataclass
    class Clicked(Message):
        """The name of a page was clicked."""

        page: Page

    def on_click(self, event: events.Click) -> None:
        """Tell which page was clicked."""
        if (page := event.style.meta.get(PAGE)) is not None:
            self.post_message(self.Clicked(page))

    def show_pages(self, page: Page, followed: FollowedRun, runs: int, beside: str) -> None:
        """Show the names of the pages, `page` as the open one; `beside` is what runs beside the model in use."""
        notes: dict[Page, str] = {"plan": "", "run": _run_note(followed)}
        notes |= {"history": str(runs or ""), "beside": one_line(beside)}
        self.show(partial(_pages_line, page, notes))


def _pages_line(open_page: Page, notes: dict[Page, str], width: int) -> Content:
    line = Content.styled("Retraining", f"bold {BRIGHT}")
    for page in PAGES:
        ink = f"bold reverse {ACCENT}" if page == open_page else QUIET
        note = f" {notes[page]}" if notes[page] else ""
        tab = Content.assemble((f" {page} ", ink), (note, "" if page == open_page else QUIET))
        line = Content.assemble(line, "   ", tab.stylize(Style.from_meta({PAGE: page})))
    hint = Content.styled("tab turns the page", QUIET)
    fits = line.cell_length + hint.cell_length + 3 <= width
    return apart(line, hint, width) if fits else line.truncate(width, ellipsis=True)


def _run_note(followed: FollowedRun) -> str:
    """Return the name of the run that is followed and how far it is."""
    if not followed.name:
        return ""
    state, share = followed.state, share_done(followed.state)
    stage = "" if state.over else f" {state.stage}{f' {percent(share)}' if share is not None else ''}"
    return one_line(followed.name) + stage.rstrip()
