"""The part of the training screen that shows: the plan, one run at work or over, and the history, a page each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one

from app.tui.screens.training.before_after import question_lines
from app.tui.screens.training.draft_plan import Planning
from app.tui.screens.training.following import FollowingScreen
from app.tui.screens.training.learning_curves import learning_lines
from app.tui.screens.training.plan_page import choices, missing_lines, prospect_lines
from app.tui.screens.training.run_history import about_lines, run_entries
from app.tui.screens.training.stage_strip import share_done, strip
from app.tui.screens.training.training_data import example_lines, making_lines, short_lines
from app.tui.screens.training.verdict import ending_lines, verdict_lines
from app.tui.screens.training.wording import apart, said
from app.tui.status_line import StatusView, status_line
from app.tui.theme import ACCENT, BRIGHT, QUIET
from app.tui.threads import in_thread
from app.tui.training_follower import read_run
from app.tui.training_port import Prospect, Run, TrainingPort
from app.tui.training_state import TrainingState
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.footer import KeyLine
from app.tui.widgets.line_views import LineView
from app.wording.figures import percent
from app.wording.safe_text import one_line

Page = Literal["plan", "run", "history"]
PAGES: tuple[Page, ...] = ("plan", "run", "history")
WIDE_COLUMNS = 100  # from here on two parts stand beside each other


class SizedView(LineView):
    """Lines that are made for a height too."""

    def on_resize(self) -> None:
        """Build anew for the new size."""
        self._rebuild()


class ShowingScreen(FollowingScreen):
    """Three pages: the plan of the next run, one run at work or over, and all runs."""

    status_bar = query_one("#status", BuiltLine)
    page_bar = query_one("#pages", BuiltLine)
    choice_list = query_one("#choices", EntryList)
    prospect_view = query_one("#prospect", LineView)
    strip_bar = query_one("#strip", BuiltLine)
    making = query_one("#making", SizedView)
    learning = query_one("#learning", SizedView)
    verdict = query_one("#verdict", SizedView)
    run_list = query_one("#runs", EntryList)
    about = query_one("#about", LineView)

    def __init__(self) -> None:
        super().__init__()
        self.page: Page = "plan"
        self.prospect: Prospect | None = None
        self.measuring = False  # whether this machine is being timed for the plan

    def compose(self) -> ComposeResult:
        """Lay out the widgets."""
        yield BuiltLine(id="status")
        yield BuiltLine(id="pages")
        with Container(id="plan", classes="page"):
            yield EntryList(id="choices")
            yield LineView(id="prospect")
        with Container(id="missing", classes="page"):
            yield LineView(id="explained")
        with Container(id="run", classes="page"):
            yield BuiltLine(id="strip")
            with Container(id="live"):
                yield SizedView(id="making")
                yield SizedView(id="learning")
            with Container(id="over"):
                yield SizedView(id="verdict")
        with Container(id="history", classes="page"):
            yield EntryList(id="runs")
            yield LineView(id="about")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Listen to what the app hears, and look after the runs."""
        self.carrel.status_signal.subscribe(self, self._status_changed)
        self.query_one("#explained", LineView).can_focus = False
        for view in (self.prospect_view, self.learning, self.about):
            view.can_focus = False
        self.turn_to("plan")
        self.look_regularly()

    def on_screen_resume(self) -> None:
        """Show what may have changed while another screen was shown."""
        self._status_changed(self.carrel.view)
        self.load()
        self.load_offer()

    def _status_changed(self, view: StatusView) -> None:
        if self.is_shown:
            self.status_bar.show(partial(status_line, view))

    def show_missing(self) -> None:
        """Say what is not installed, in place of the plan."""
        self.set_class(bool(self.missing), "-missing")
        if self.missing:
            self.query_one("#explained", LineView).show(partial(missing_lines, self.missing))
        self.show_keys()

    def found_at_start(self) -> None:
        """Turn to a run that was found when the screen was opened."""
        self.turn_to("run")

    # --- the plan -----------------------------------------------------------------------------------------------

    def plan_with(self, planning: Planning) -> None:
        """Show another plan, and ask what can be expected of it."""
        if planning.plan != self.planning.plan or self.prospect is None:
            self.prospect, self.measuring = None, True
            self.work(partial(self._expect, planning), "prospect")
        self.planning = planning
        self._show_choices()
        self._show_prospect()

    async def _expect(self, planning: Planning) -> None:
        port = self.port
        if port is None or planning.fault:
            return
        prospect = partial(port.prospect, planning.sources, planning.plan)
        try:
            self.prospect = await in_thread(prospect)
            self._show_prospect()
            if self.prospect.seconds is None and await in_thread(partial(port.measure, planning.plan)):
                self.prospect = await in_thread(prospect)
        finally:
            self.measuring = planning.plan != self.planning.plan
            self._show_prospect()

    def show_unplannable(self, reason: str) -> None:
        """Show why there is nothing to plan with, where what to expect would stand."""
        if not self.planning.sources:
            self.prospect_view.show(lambda width: said(reason, width))

    def _show_choices(self) -> None:
        self.choice_list.show(choices(self.planning, spaced=self.has_class("-high")))

    @on(EntryList.Selected, "#choices")
    def _show_prospect(self) -> None:
        entry = self.choice_list.entry
        chosen = entry.value if entry is not None else None
        self.prospect_view.show(
            partial(
                prospect_lines,
                self.planning,
                self.prospect,
                chosen,
                spaced=self.has_class("-high"),
                measuring=self.measuring,
            )
        )

    # --- a run --------------------------------------------------------------------------------------------------

    def show_run(self) -> None:
        """Show the run that is followed."""
        if not self.is_mounted:
            return
        run = self.run_named(self.attached)
        standing = run.state if run is not None else "running"
        over = self.state.over or self.state.judged is not None or standing == "crashed"
        self.set_class(over, "-over")
        self.set_class(self.state.stepped is not None, "-training")
        self.strip_bar.show(partial(strip, self.state, standing))
        if over:
            self.verdict.show(self._over_lines, keep_place=True)
        else:
            self.making.show(self._making_lines, keep_place=True)
            self.learning.show(self._learning_lines, keep_place=True)
        self.show_pages()
        self.show_keys()

    def _making_lines(self, width: int) -> list[Content]:
        if self.state.started is None:
            return [Content.styled("starting …" if self.attached else "No run is looked at.", QUIET)]
        short = self.state.stepped is not None and self.making.size.height < 8
        if short:
            return short_lines(self.state, width)
        beside = self.state.stepped is None and self.has_class("-wide")
        return making_lines(self.state, width, examples=not beside)

    def _learning_lines(self, width: int) -> list[Content]:
        if self.state.stepped is None:
            return example_lines(self.state.examples, width)
        return learning_lines(self.state, width, self.learning.size.height)

    def _over_lines(self, width: int) -> list[Content]:
        run = self.run_named(self.attached)
        lines = verdict_lines(self.state, width, run) or ending_lines(self.state, run.state if run else "", width)
        for part in (question_lines(self.state.questions, width), self._looking_back(width)):
            lines += [Content(), *part] if part else []
        return lines

    def _looking_back(self, width: int) -> list[Content]:
        """Return how the run came to its end: the curves, and what it learnt from."""
        learnt = learning_lines(self.state, width, 0) if self.state.stepped is not None else []
        made = making_lines(replace(self.state, review=None), width) if self.state.queries else []
        return [*learnt, Content(), *made] if learnt and made else learnt or made

    # --- the history --------------------------------------------------------------------------------------------

    def show_runs(self) -> None:
        """Show all runs."""
        self.run_list.show(run_entries(self.runs, self.carrel.ports.clock()))
        self._show_about()
        self.show_pages()

    @on(EntryList.Selected, "#runs")
    def _show_about(self) -> None:
        run = self.selected
        if run is None:
            self.about.show(lambda width: [])
            return
        state = self.state if run.name == self.attached else self.past.get(run.name)
        self.about.show(partial(_about, run, state, self.carrel.ports.clock()))
        self.show_keys()
        if state is None and self.port is not None:
            self.work(partial(self._read_past, self.port, run.name), "past")

    async def _read_past(self, port: TrainingPort, name: str) -> None:
        self.past = {name: await in_thread(lambda: read_run(port.events(name)))}
        self._show_about()

    @property
    def selected(self) -> Run | None:
        """The run that is selected in the history."""
        entry = self.run_list.entry
        return entry.value if entry is not None and isinstance(entry.value, Run) else None

    # --- pages --------------------------------------------------------------------------------------------------

    def turn_to(self, page: Page) -> None:
        """Show another page."""
        self.page = page
        for each in PAGES:
            self.set_class(each == page, f"-{each}")
        focused = {"plan": self.choice_list, "run": self.making, "history": self.run_list}[page]
        if page == "run" and self.has_class("-over"):
            focused = self.verdict
        self.set_focus(focused)
        self.show_pages()
        self.show_keys()

    def show_pages(self) -> None:
        """Show the names of the pages, each with what is on it."""
        self.page_bar.show(self._pages_line)

    def _pages_line(self, width: int) -> Content:
        notes = {"plan": "", "run": self._run_note(), "history": str(len(self.runs) or "")}
        line = Content.styled("Retraining", f"bold {BRIGHT}")
        for page in PAGES:
            ink = f"bold reverse {ACCENT}" if page == self.page else QUIET
            note = f" {notes[page]}" if notes[page] else ""
            line = Content.assemble(line, "   ", (f" {page} ", ink), (note, "" if page == self.page else QUIET))
        hint = Content.styled("tab turns the page", QUIET)
        fits = line.cell_length + hint.cell_length + 3 <= width
        return apart(line, hint, width) if fits else line.truncate(width, ellipsis=True)

    def _run_note(self) -> str:
        if not self.attached:
            return ""
        share = share_done(self.state)
        stage = "" if self.state.over else f" {self.state.stage}{f' {percent(share)}' if share is not None else ''}"
        return one_line(self.attached) + stage.rstrip()

    def show_keys(self) -> None:
        """Show the keys that do something now."""
        self.query_one(KeyLine).refresh()


def _about(run: Run, state: TrainingState | None, now: float, width: int) -> list[Content]:
    lines = about_lines(run, state, now, width)
    if state is None:
        return lines
    lines += verdict_lines(state, width, run) or ending_lines(state, run.state, width)
    questions = question_lines(state.questions, width)
    return [*lines, Content(), *questions] if questions else lines
