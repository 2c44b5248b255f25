"""The models to choose from, with what a person chooses by; one that is not here is fetched after a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content

from app.model_catalogue import Model
from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.dialog import Dialog
from app.tui.screens.library.late_orders import carry_out, ways
from app.tui.screens.library.model_fetch import fetch
from app.tui.screens.screen_dismissal import leave
from app.tui.theme import QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.wording.model_facts import coverages, in_a_list, short_name, what_fetching_means, what_use_means
from engine.records import LateStatus

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

WAYS = (
    Choice("use", "Search with it", "the library is embedded with it first"),
    Choice("beside", "Let it run beside", "to compare both, while you search with the present one"),
)
USE_MODEL = "use_model"  # the order to the indexer


class LookingScreen(Dialog[None]):
    """Stands before the list until it is there, so that keys pressed early do nothing below; escape leaves."""

    BINDINGS = [Binding("escape", "dismiss", show=False)]
    DEFAULT_CSS = """
    LookingScreen { align: center top; background: $background 60%; }
    LookingScreen BuiltLine { width: 76; max-width: 96%; height: 3; margin-top: 2; padding: 1 2; background: $panel; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the one line."""
        yield BuiltLine()

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The only key."""
        return (("esc", "back"),)

    def on_mount(self) -> None:
        """Say what is being done."""
        self.query_one(BuiltLine).show(lambda width: Content.styled("Looking at the models …", QUIET))


def choose_model(screen: CarrelScreen, library: LibraryPort) -> None:
    """Show all models; this machine is timed meanwhile, for half a second."""
    in_background(screen, partial(_choose, screen, library), group="models", exclusive=True)


async def _choose(screen: CarrelScreen, library: LibraryPort) -> None:
    waiting = LookingScreen()
    screen.carrel.push_screen(waiting)
    try:
        found, told, late = await in_thread(partial(_models, library))
    finally:
        left = waiting not in screen.app.screen_stack
        if not left:
            leave(waiting)
    if left:
        return
    choices = [
        Choice(each, each.name, in_a_list(each, told.get(each.name, "")), short=short_name(each)) for each in found
    ]

    def picked(model: Model | None) -> None:
        if model is None:
            return
        if model.state == "offered":
            _ask_to_fetch(screen, library, model)
            return
        _offer(screen, library, model, late)

    screen.carrel.push_screen(ChoiceScreen("The models for meaning, and for late interaction", choices), picked)


def _models(library: LibraryPort) -> tuple[list[Model], dict[str, str], LateStatus | None]:
    """Return all models, how far the vectors of those are that have some here, and the one for late interaction."""
    from app.model_catalogue import models
    from engine.embedding.catalogue import EMBEDDED

    status, late = library.status(), library.late_status()
    return models(status.model or EMBEDDED, status.passages), coverages(status, late), late


def _ask_to_fetch(screen: CarrelScreen, library: LibraryPort, model: Model) -> None:
    """Show what a model is that is not here, and fetch it if that is wanted."""

    def answered(yes: bool | None) -> None:
        if yes:
            in_background(screen, partial(_fetch, screen, library, model), group="fetch", exclusive=True)

    question = ConfirmScreen(f"Fetch {model.name}?", what_fetching_means(model), "fetch it", "back")
    screen.carrel.push_screen(question, answered)


async def _fetch(screen: CarrelScreen, library: LibraryPort, model: Model) -> None:
    if await fetch(screen, model):
        _offer(screen, library, replace(model, state="installed"), await in_thread(library.late_status))
    else:
        tell(screen, f"Stopped; what has come of {model.name} is kept.")


def _offer(screen: CarrelScreen, library: LibraryPort, model: Model, late: LateStatus | None) -> None:
    """Ask what is to be done with a model that is here."""

    def picked(what: str | None) -> None:
        if what == "use":
            _ask(screen, library, model)
        elif what == "beside":
            in_background(screen, partial(run_beside, screen, library, model.name), group="models")
        elif what is not None:
            carry_out(screen, library, model, what)

    meaning = () if model.active or model.kind == "late" else WAYS
    screen.carrel.push_screen(ChoiceScreen(model.name, [*meaning, *ways(model, late)]), picked)


async def run_beside(screen: CarrelScreen, library: LibraryPort, name: str) -> None:
    """Have a model run beside the one in use; why it cannot is told."""
    await in_thread(partial(library.ask_for_shadow, name))
    screen.carrel.wake_indexer()
    tell(screen, f"{name} runs beside the model in use; its vectors are made when nothing else is due.")


def _ask(screen: CarrelScreen, library: LibraryPort, model: Model) -> None:
    def answered(yes: bool | None) -> None:
        if yes:
            in_background(screen, partial(_use, screen, library, model), group="models")

    question = ConfirmScreen(f"Search with {model.name}?", what_use_means(model), "use it", "leave it")
    screen.carrel.push_screen(question, answered)


async def _use(screen: CarrelScreen, library: LibraryPort, model: Model) -> None:
    await in_thread(partial(library.file_request, USE_MODEL, model.name))
    screen.carrel.wake_indexer()
    tell(screen, f"The indexer takes {model.name} into use; the status line says how far it is.")
