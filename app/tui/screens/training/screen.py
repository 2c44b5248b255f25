"""The training screen: plan a retraining, follow it, read its verdict, and keep its history."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.getters import query_one

from app.tui.actions import Where, bindings
from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.list_keys import MOVING, MovesByLines
from app.tui.screens.training.actions import BESIDE_ACTIONS, HELP_PAGES, TRAINING_ACTIONS
from app.tui.screens.training.beside_orders import BESIDE_ORDERS, BesideOrders
from app.tui.screens.training.beside_page import BesidePage
from app.tui.screens.training.followed_run import RunReported
from app.tui.screens.training.history_page import HistoryPage
from app.tui.screens.training.known_runs import KnownRuns
from app.tui.screens.training.page_bar import PAGES, Page, PageBar
from app.tui.screens.training.plan_lines import missing_lines
from app.tui.screens.training.plan_page import PlanPage
from app.tui.screens.training.run_orders import ORDERS, RunOrders
from app.tui.screens.training.run_page import RunPage
from app.tui.status_line import StatusView, status_line
from app.tui.threads import in_thread
from app.tui.training_port import Run, TrainingPort
from app.tui.training_state import TrainingState
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.footer import KeyLine
from app.tui.widgets.line_views import LineView
from engine.errors import CarrelError

WIDE_COLUMNS = 100  # from here on two parts stand beside each other
LOOK_SECONDS = 1.0  # how often it is looked whether a run lives, and what others did with the runs


class TrainingScreen(MovesByLines, CarrelScreen):
    """Four pages: the plan of the next run, one run, all runs, and the model that runs beside the one in use."""

    ACTIONS = (*TRAINING_ACTIONS, *BESIDE_ACTIONS, *(replace(action, late=True) for action in MOVING))
    help_pages = HELP_PAGES
    BINDINGS = bindings((*TRAINING_ACTIONS, *MOVING))  # the page of the model beside has keys of its own
    CSS_PATH = "training.tcss"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    status_bar = query_one("#status", BuiltLine)
    page_bar = query_one("#pages", PageBar)
    plan_page = query_one(PlanPage)
    run_page = query_one(RunPage)
    history_page = query_one(HistoryPage)
    beside_page = query_one(BesidePage)

    def __init__(self) -> None:
        super().__init__()
        self.page: Page = "plan"
        self.missing = ""  # what is not installed, where there is nothing to plan without it
        self._runs = KnownRuns(self, self._runs_read)
        self._orders = RunOrders(self)
        self._beside_orders = BesideOrders(self, lambda: self.beside_page.load())

    def where(self) -> Where:
        """Letters act everywhere here: nothing is typed."""
        return "rows"

    def compose(self) -> ComposeResult:
        """Lay out the pages, of which one shows."""
        yield BuiltLine(id="status")
        yield PageBar(id="pages")
        yield PlanPage()
        with Container(id="missing", classes="page"):
            yield LineView(id="explained")
        yield RunPage(self._runs.followed)
        yield HistoryPage(self._runs.followed)
        yield BesidePage()
        yield KeyLine(id="keys")

    @property
    def _port(self) -> TrainingPort:
        return self.carrel.ports.training

    @property
    def _is_shown(self) -> bool:
        """Whether a person looks at this screen now."""
        return self.app.current_mode == "training"

    # --- reading ------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Listen to what the app hears, and look after the runs."""
        self.carrel.status_signal.subscribe(self, self._status_changed)
        self.query_one("#explained", LineView).can_focus = False
        self._turn_to("plan")
        self.set_interval(max(LOOK_SECONDS, self.carrel.ports.pace.poll), self._look)

    def on_unmount(self) -> None:
        """Stop following when the browser is left."""
        self._runs.followed.let_go()

    def on_screen_resume(self) -> None:
        """Show what may have changed while another screen was shown."""
        self._status_changed(self.carrel.view)
        self._runs.load()
        in_background(self, self._read_offer, "offer", exclusive=True, failed="The runs could not be looked at")
        self.beside_page.load()

    def _status_changed(self, view: StatusView) -> None:
        if self._is_shown:
            self.status_bar.show(partial(status_line, view))

    def _look(self) -> None:
        """Look whether the runs live, and what others did with them."""
        if self._is_shown or self._runs.followed.name:
            self._runs.look()

    def _runs_read(self, begins: bool) -> None:
        """Show the runs; where one is followed from the `begins` on, its page."""
        if begins:
            self._turn_to("run")
        self.history_page.show_runs(self._runs.all)
        self._show_run()

    async def _read_offer(self) -> None:
        port = self._port
        missing, recipes = await in_thread(lambda: (port.missing(), port.recipes()))
        self.missing = "" if recipes else missing
        self.set_class(bool(self.missing), "-missing")
        self._show_keys()
        if self.missing:
            self.query_one("#explained", LineView).show(partial(missing_lines, self.missing))
            return
        try:
            sources = await in_thread(port.sources)
        except CarrelError as error:  # of a library without a document, for one: it stays on the page
            self.plan_page.refuse(str(error))
        else:
            self.plan_page.offer(sources, recipes, missing)

    # --- following ----------------------------------------------------------------------------------------------

    @property
    def state(self) -> TrainingState:
        """What the run that is followed said last."""
        return self._runs.followed.state

    @on(RunReported)
    def _run_reported(self, message: RunReported) -> None:
        """Show what the run does now; once it is over, say so to a person who looks at something else."""
        if message.run != self._runs.followed.name:
            return
        before, now = self._runs.followed.state, message.state
        self._runs.followed.state = now
        self._show_run()
        if now.trouble and not before.trouble:
            tell(self, now.trouble, good=False)
        if now.over and not before.over and before.started is not None:
            self._runs.load()
            if not self._is_shown:
                tell(self, f"The retraining {message.run} is over; f9 shows how it ended.")
        if now.review is not None and before.review is None and not self._is_shown:
            tell(self, f"The retraining {message.run} waits: its examples can be looked at with f9.")

    def _show_run(self) -> None:
        if self.is_mounted:
            self.run_page.show_run(self._runs.followed_run)
            self._show_pages()
            self._show_keys()

    # --- pages --------------------------------------------------------------------------------------------------

    def _turn_to(self, page: Page) -> None:
        """Show another page."""
        self.page = page
        for each in PAGES:
            self.set_class(each == page, f"-{each}")
        self.set_focus(self._side)
        self._show_pages()
        self._show_keys()

    @property
    def _side(self) -> EntryList | LineView:
        """The part of the page that the arrows move in."""
        if self.page == "plan":
            return self.plan_page.choice_list
        return self.history_page.run_list if self.page == "history" else self._read_view

    @property
    def _read_view(self) -> LineView:
        """The part of the page that is read: beside a list, what stands at its right."""
        if self.page == "plan":
            return self.plan_page.prospect_view
        if self.page == "history":
            return self.history_page.about
        return self.beside_page.read_view if self.page == "beside" else self.run_page.read_view

    def _show_pages(self) -> None:
        self.page_bar.show_pages(self.page, self._runs.followed, len(self._runs.all), self.beside_page.name_beside)

    @on(BesidePage.Read)
    def _beside_read(self) -> None:
        self._show_pages()
        self._show_keys()

    @on(EntryList.Selected, "#runs")
    def _show_keys(self) -> None:
        """Show the keys that do something now."""
        self.query_one(KeyLine).refresh()

    @property
    def HIDDEN(self) -> tuple[str, ...]:  # noqa: N802  # read by the footer, as a constant of other screens
        """The actions that would do nothing now, which the footer leaves out."""
        useful = {*self._useful(), "page", "back"}
        names = (action.id.removeprefix("training.") for action in (*TRAINING_ACTIONS, *BESIDE_ACTIONS))
        return ("training", *(f"training.{name}" for name in names if name not in useful))

    def _useful(self) -> Collection[str]:
        """Return the names of the actions that do something on this page now."""
        if self.page == "plan":
            return () if self.missing else ("choose", "more", "begin")
        if self.page == "beside":
            return self.beside_page.useful
        useful = set()
        if self.page == "history":
            useful |= {"rollback"} if self._runs.in_use else set()
            useful |= {"choose"} if self.history_page.selected is not None else set()
        run = self._run_meant
        return useful if run is None else useful | self._runs.useful_for(run)

    # --- moving and choosing ------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Select the line so many further down, or scroll by it."""
        side = self._side
        if isinstance(side, EntryList):
            side.move(by)
        else:
            side.scroll_to(y=side.scroll_offset.y + by, animate=False)

    @property
    def lines_in_sight(self) -> int:
        """How many lines of the list or the text are in sight."""
        return self._side.size.height

    def action_page(self, pages: int) -> None:
        """Scroll what is read a screen on: beside a list, what stands at its right."""
        view = self._read_view
        view.scroll_to(y=view.scroll_offset.y + pages * max(1, view.size.height - 1), animate=False)

    @on(PageBar.Clicked)
    def _page_clicked(self, message: PageBar.Clicked) -> None:
        self._turn_to(message.page)

    def action_turn(self, by: int) -> None:
        """Turn to the next page, or back."""
        self._turn_to(PAGES[(PAGES.index(self.page) + by) % len(PAGES)])

    def action_back(self) -> None:
        """Go back to the search."""
        self.carrel.action_show_training()

    @on(EntryList.Opened)
    def action_choose(self) -> None:
        """Take or leave a source, pick a recipe, begin; or open the selected run."""
        if self.page == "plan" and not self.missing:
            self.plan_page.choose()
        elif self.page == "history" and (run := self.history_page.selected) is not None:
            if run.name != self._runs.followed.name:
                self._runs.follow(run.name)
            self._show_run()
            self._turn_to("run")

    def action_step(self, by: int) -> None:
        """Learn from more examples, or fewer."""
        if self.page == "plan" and not self.missing:
            self.plan_page.step(by)

    # --- orders -------------------------------------------------------------------------------------------------

    @property
    def _run_meant(self) -> Run | None:
        """The run that an order is for: the one that is looked at, or the selected one of the history."""
        if self.page in ("plan", "beside"):
            return None
        return self.history_page.selected if self.page == "history" else self._runs.followed_run

    @on(RunOrders.Began)
    def _run_began(self, message: RunOrders.Began) -> None:
        self._runs.follow(message.run)
        self._turn_to("run")
        self._show_run()

    @on(RunOrders.Done)
    def _order_done(self) -> None:
        self._runs.load()

    @on(RunOrders.SourceNamed)
    def _source_named(self, message: RunOrders.SourceNamed) -> None:
        self.plan_page.take(message.source)

    @on(PlanPage.SourceChosen)
    def _source_chosen(self, message: PlanPage.SourceChosen) -> None:
        self._orders.ask_for(message.source)

    @on(PlanPage.BeginChosen)
    def action_begin(self) -> None:
        """Start a run with the plan as it is."""
        if self.missing:
            return
        if (busy := self._runs.at_work) is not None:
            tell(self, f"{busy.name} is still at work; one run at a time.", good=False)
        elif fault := self.plan_page.planning.fault:
            tell(self, fault, good=False)
        else:
            self._orders.begin(self.plan_page.planning.plan)

    def action_order(self, what: str) -> None:
        """Carry out one of `ORDERS` for the run that is meant."""
        if (run := self._run_meant) is not None:
            ORDERS[what](self._orders, run)

    def action_review(self) -> None:
        """Look at the examples that the run waits with."""
        if (run := self._run_meant) is None:
            return
        if self._runs.awaits_review(run):
            self._orders.review(run)
        else:
            tell(self, "This run does not wait for a review.")

    def action_rollback(self) -> None:
        """Go back to what was in use before, after a question."""
        if (used := self._runs.in_use) is not None:
            self._orders.roll_back(used)
        else:
            tell(self, "Nothing that a run made is in use.")

    def action_order_beside(self, what: str) -> None:
        """Carry out one of `BESIDE_ORDERS` for the model beside."""
        BESIDE_ORDERS[what](self._beside_orders, self.beside_page.standing)
