"""The training screen: plan a retraining, follow it, read its verdict, and keep its history."""

from __future__ import annotations

from dataclasses import replace

from textual import on

from app.tui.actions import Where, bindings
from app.tui.screens.training.actions import HELP_PAGES, TRAINING_ACTIONS
from app.tui.screens.training.ordering import OrderingScreen
from app.tui.screens.training.showing import PAGES, WIDE_COLUMNS
from app.tui.training_port import QuerySource, Recipe
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.line_views import LineView


class TrainingScreen(OrderingScreen):
    """The keys of the screen, and how one moves in it; what it shows and orders is in the rooms below."""

    ACTIONS = TRAINING_ACTIONS
    HELP_PAGES = HELP_PAGES
    BINDINGS = bindings(TRAINING_ACTIONS)
    CSS_PATH = "training.tcss"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    def where(self) -> Where:
        """Letters act everywhere here: nothing is typed."""
        return "rows"

    @property
    def HIDDEN(self) -> tuple[str, ...]:  # noqa: N802  # read by the footer, as a constant of other screens
        """The actions that would do nothing now, which the footer leaves out."""
        useful = {*self._useful(), "next", "page", "back"}
        names = (action.id.removeprefix("training.") for action in TRAINING_ACTIONS)
        return ("training", *(f"training.{name}" for name in names if name not in useful))

    def _useful(self) -> set[str]:
        """Return the names of the actions that do something on this page now."""
        useful = {"rollback"} if any(run.use for run in self.runs) and self.page == "history" else set()
        if self.page == "plan":
            return useful if self.missing else useful | {"choose", "more", "begin"}
        if self.page == "history" and self.selected is not None:
            useful.add("choose")
        run = self.run_meant
        if run is None:
            return useful
        if run.alive:
            paused = self.state.paused if run.name == self.attached else run.state == "waiting"
            waits = {"review"} if self.review_awaited else set()
            return useful | waits | {"resume" if paused else "pause", "stop", "cancel"}
        useful |= {"note", "delete"} if not run.use else {"note"}
        useful |= {"resume"} if run.state == "crashed" else set()
        return useful | ({"use"} if run.promotable and not run.use else set())

    # --- moving -------------------------------------------------------------------------------------------------

    @property
    def _side(self) -> EntryList | LineView:
        """The part that the arrows move in."""
        if self.page == "plan":
            return self.choice_list
        if self.page == "history":
            return self.run_list
        return self.verdict if self.has_class("-over") else self.making

    def action_move(self, by: int) -> None:
        """Select the line so many further down, or scroll by it."""
        side = self._side
        if isinstance(side, EntryList):
            side.move(by)
        else:
            side.scroll_to(y=side.scroll_offset.y + by, animate=False)

    def action_scroll(self, pages: int) -> None:
        """Scroll what is read a screen on: beside a list, what stands at its right."""
        view = {"plan": self.prospect_view, "history": self.about}.get(self.page, self._side)
        view.scroll_to(y=view.scroll_offset.y + pages * max(1, view.size.height - 1), animate=False)

    def action_edge(self, last: bool) -> None:
        """Go to the first line, or to the last."""
        self.action_move(1 << 20 if last else -(1 << 20))

    def action_page(self, by: int) -> None:
        """Turn to the next page, or back."""
        self.turn_to(PAGES[(PAGES.index(self.page) + by) % len(PAGES)])

    def action_back(self) -> None:
        """Go back to the search."""
        self.carrel.action_show_training()

    # --- choosing -----------------------------------------------------------------------------------------------

    @on(EntryList.Opened)
    def _entry_opened(self) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        """Take or leave a source, pick a recipe, begin; or open the selected run."""
        if self.page == "history":
            self._open_selected()
        elif self.page == "plan" and not self.missing:
            self._choose()

    def _choose(self) -> None:
        entry = self.choice_list.entry
        match entry.value if entry is not None else None:
            case QuerySource() as source if source.asks and source.name not in self.planning.taken:
                self.ask_for(source)
            case QuerySource(name=name):
                self.plan_with(self.planning.toggled(name))
            case Recipe(name=name):
                self.plan_with(self.planning.with_recipe(name))
            case "budget":
                self.plan_with(self.planning.stepped(1))
            case "review":
                self.plan_with(replace(self.planning, review=not self.planning.review))
            case "begin":
                self.action_begin()

    def _open_selected(self) -> None:
        run = self.selected
        if run is None:
            return
        if run.name != self.attached:
            self.attach(run.name)
        self.show_run()
        self.turn_to("run")

    def action_step(self, by: int) -> None:
        """Learn from more examples, or fewer."""
        if self.page == "plan" and not self.missing:
            self.plan_with(self.planning.stepped(by))
