"""The models to choose from, with what a person chooses by; one that is here is taken into use after a question."""

from __future__ import annotations

from functools import partial

from app.model_catalogue import Model
from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.clipboard import copy
from app.tui.ports import LibraryPort
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.confirm import ConfirmScreen
from app.tui.threads import in_thread
from app.wording.model_facts import fetching_command, how_to_fetch, in_a_list, short_name, what_use_means

WAYS = (
    Choice("use", "Search with it", "the library is embedded with it first"),
    Choice("beside", "Let it run beside", "to compare both, while you search with the present one"),
)
USE_MODEL = "use_model"  # the order to the indexer


def choose_model(screen: CarrelScreen, library: LibraryPort) -> None:
    """Show all models; this machine is timed meanwhile, for half a second."""
    tell(screen, "Looking at the models …")
    in_background(screen, partial(_choose, screen, library), group="models", exclusive=True)


async def _choose(screen: CarrelScreen, library: LibraryPort) -> None:
    found = await in_thread(partial(_models, library))
    choices = [Choice(each, short_name(each), in_a_list(each)) for each in found]

    def picked(model: Model | None) -> None:
        if model is None or model.active:
            return
        if model.state == "offered":
            _tell_how(screen, model)
            return
        _offer(screen, library, model)

    screen.carrel.push_screen(ChoiceScreen("The model that reads for meaning", choices), picked)


def _models(library: LibraryPort) -> list[Model]:
    """Return the models that can read for meaning; one for late interaction only cannot."""
    from app.model_catalogue import models
    from engine.embedding.catalogue import EMBEDDED

    status = library.status()
    return [each for each in models(status.model or EMBEDDED, status.passages) if each.kind == "meaning"]


def _tell_how(screen: CarrelScreen, model: Model) -> None:
    """Show what a model is that is not here, and the command that fetches it."""

    def answered(yes: bool | None) -> None:
        if yes:
            copy(screen.app, fetching_command(model), "the command")

    screen.carrel.push_screen(ConfirmScreen(model.name, how_to_fetch(model), "copy the command", "back"), answered)


def _offer(screen: CarrelScreen, library: LibraryPort, model: Model) -> None:
    """Ask what is to be done with a model that is here."""

    def picked(what: str | None) -> None:
        if what == "use":
            _ask(screen, library, model)
        elif what == "beside":
            in_background(screen, partial(run_beside, screen, library, model.name), group="models")

    screen.carrel.push_screen(ChoiceScreen(model.name, WAYS), picked)


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
