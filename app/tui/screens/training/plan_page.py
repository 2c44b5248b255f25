"""The page on which a run is planned: it holds what is chosen, and asks what can be expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.getters import query_one
from textual.message import Message

from app.tui.background import in_background
from app.tui.browser import browser_of
from app.tui.screens.training.draft_plan import Planning
from app.tui.screens.training.line_parts import said
from app.tui.screens.training.plan_lines import choices, prospect_lines
from app.tui.threads import in_thread
from app.tui.training_port import Prospect, QuerySource, Recipe
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.line_views import LineView


class PlanPage(Container):
    """The choices at the left; at the right what to expect of them, and what the selected line means."""

    class BeginChosen(Message):
        """The person wants to begin with the plan as it is."""

    @dataclass
    class SourceChosen(Message):
        """A source was chosen that needs something named before it gives any question."""

        source: QuerySource

    choice_list = query_one("#choices", EntryList)
    prospect_view = query_one("#prospect", LineView)

    def __init__(self) -> None:
        super().__init__(id="plan", classes="page")
        self.planning = Planning()
        self._prospect: Prospect | None = None
        self._missing = ""  # what is not installed that other recipes need
        self._measuring = False  # whether this machine is being timed for the plan

    def compose(self) -> ComposeResult:
        """Lay out both sides."""
        yield EntryList(id="choices")
        yield LineView(id="prospect")

    def on_mount(self) -> None:
        """Leave the keys to the choices."""
        self.prospect_view.can_focus = False

    def offer(self, sources: Sequence[QuerySource], recipes: Sequence[Recipe], missing: str = "") -> None:
        """Offer other sources and recipes; `missing` is what is not installed that more of those need."""
        self._missing = missing
        self.plan_with(self.planning.offered(sources, recipes))

    def refuse(self, reason: str) -> None:
        """Say why there is nothing to plan with, where what to expect would stand."""
        if not self.planning.sources:
            self.prospect_view.show(lambda width: said(reason, width))

    def take(self, source: QuerySource) -> None:
        """Take a source for which something was named."""
        self.plan_with(self.planning.with_source(source))

    def step(self, by: int) -> None:
        """Learn from more examples, or fewer."""
        self.plan_with(self.planning.stepped(by))

    def choose(self) -> None:
        """Take or leave the selected source, pick the recipe, or begin."""
        entry = self.choice_list.entry
        match entry.value if entry is not None else None:
            case QuerySource() as source if source.asks and source.name not in self.planning.taken:
                self.post_message(self.SourceChosen(source))
            case QuerySource(name=name):
                self.plan_with(self.planning.toggled(name))
            case Recipe(name=name):
                self.plan_with(self.planning.with_recipe(name))
            case "budget":
                self.step(1)
            case "review":
                self.plan_with(replace(self.planning, review=not self.planning.review))
            case "begin":
                self.post_message(self.BeginChosen())

    def plan_with(self, planning: Planning) -> None:
        """Show another plan, and ask what can be expected of it."""
        if planning.plan != self.planning.plan or self._prospect is None:
            self._prospect, self._measuring = None, True
            expect = partial(self._expect, planning)
            in_background(self, expect, "prospect", exclusive=True, failed="The runs could not be looked at")
        self.planning = planning
        self.choice_list.show(choices(planning, spaced=self._spaced))
        self._show_prospect()

    async def _expect(self, planning: Planning) -> None:
        if planning.fault:
            return
        port = browser_of(self).ports.training
        prospect = partial(port.prospect, planning.sources, planning.plan)
        try:
            self._prospect = await in_thread(prospect)
            self._show_prospect()
            if self._prospect.seconds is None and await in_thread(partial(port.measure, planning.plan)):
                self._prospect = await in_thread(prospect)
        finally:
            self._measuring = planning.plan != self.planning.plan
            self._show_prospect()

    @property
    def _spaced(self) -> bool:
        """Whether there is room for empty lines between the parts."""
        return self.screen.has_class("-high")

    @on(EntryList.Selected, "#choices")
    def _show_prospect(self) -> None:
        entry = self.choice_list.entry
        chosen = entry.value if entry is not None else None
        lines = partial(prospect_lines, self.planning, self._prospect, chosen, missing=self._missing)
        self.prospect_view.show(partial(lines, spaced=self._spaced, measuring=self._measuring))
