"""The models to choose from, with what a person chooses by; one that is here is taken into use after a question."""

from __future__ import annotations

from functools import partial

from app.model_catalogue import Model
from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.ports import LibraryPort
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.confirm import ConfirmScreen
from app.tui.threads import in_thread
from app.wording.model_facts import choice_note, what_use_means

USE_MODEL = "use_model"  # the order to the indexer


def choose_model(screen: CarrelScreen, library: LibraryPort) -> None:
    """Show all models; this machine is timed meanwhile, for half a second."""
    tell(screen, "Looking at the models …")
    in_background(screen, partial(_choose, screen, library), group="models", exclusive=True)


async def _choose(screen: CarrelScreen, library: LibraryPort) -> None:
    found = await in_thread(partial(_models, library))
    choices = [Choice(each, each.name, choice_note(each)) for each in found]

    def picked(model: Model | None) -> None:
        if model is None or model.active:
            return
        if model.state == "offered":
            tell(screen, f"It is not here yet: `carrel models use {model.name}` fetches it and takes it into use.")
            return
        _ask(screen, library, model)

    screen.carrel.push_screen(ChoiceScreen("The model that reads for meaning", choices), picked)


def _models(library: LibraryPort) -> list[Model]:
    from app.model_catalogue import models
    from engine.embedding.catalogue import EMBEDDED

    status = library.status()
    return models(status.model or EMBEDDED, status.passages)


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
