"""What a person asks of the model beside the one in use: to be reviewed, taken into use, gone back to, or stopped.

Each asks first, and says what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from app.tui.background import in_background
from app.tui.beside_port import BesidePort
from app.tui.browser import CarrelScreen, tell
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.training.list_review import ListReviewScreen
from app.tui.threads import in_thread
from app.wording.beside import NOTHING_BESIDE, burn_in_said, missing_said
from app.wording.safe_text import one_line

if TYPE_CHECKING:
    from training.shadow_standing import Standing


class BesideOrders:
    """Carries out, for a screen, what is asked of the model beside; `then` is called once it is done."""

    def __init__(self, screen: CarrelScreen, then: Callable[[], None]) -> None:
        self._screen = screen
        self._then = then

    @property
    def _port(self) -> BesidePort:
        return self._screen.carrel.ports.beside

    def review(self, found: Standing | None) -> None:
        """Begin a sitting of the blind review."""
        if found is None:
            tell(self._screen, NOTHING_BESIDE)
        elif found.burn_in is not None:
            tell(self._screen, "It was in use before: what you open tells of it now, and no review is needed.")
        else:
            self._screen.carrel.push_screen(ListReviewScreen(), lambda _: self._then())

    def promote(self, found: Standing | None) -> None:
        """Take the model beside into use, after a question; not before all is there that it needs."""
        if found is None:
            tell(self._screen, NOTHING_BESIDE)
        elif found.burn_in is not None:
            self.go_back(found)
        elif found.decision.missing:
            tell(self._screen, missing_said(found.decision), good=False)
        else:
            name, active = one_line(found.state.shadow.name), one_line(found.state.active.name)
            doubt = "" if found.decision.promotable else f"It is not accepted: {found.decision.reason} "
            explained = (
                f"{doubt}{active} is then kept current beside it, for 14 days or 100 searches, whichever is later; "
                "b goes back to it at once."
            )
            question = ConfirmScreen(f"Search with {name}?", explained, "use it", "leave it")
            promote = partial(self._port.promote, knowingly=not found.decision.promotable)
            self._ask(question, promote, "Search goes on with {name} in a moment.")

    def go_back(self, found: Standing | None) -> None:
        """Go back to the model that was in use before, after a question."""
        if found is None or found.burn_in is None:
            tell(self._screen, "No model is kept beside the one in use to go back to.")
            return
        name = one_line(found.state.shadow.name)
        question = ConfirmScreen(
            f"Go back to {name}?", f"{name} was kept current, so it serves again at once.", "go back", "stay"
        )
        self._ask(question, self._port.roll_back, "Search is back with {name} in a moment.")

    def stop(self, found: Standing | None) -> None:
        """Let nothing run beside the model in use, after a question."""
        if found is None:
            tell(self._screen, NOTHING_BESIDE)
            return
        name = one_line(found.state.shadow.name)
        explained = f"{name} stays in the library, and is no longer scored. What was chosen and counted is kept."
        if found.burn_in is not None and found.burn_in.standing != "passed":
            explained = f"{burn_in_said(found.burn_in, name)} {explained}"
        question = ConfirmScreen(f"Stop {name}?", explained, "stop it", "let it run")
        self._ask(question, self._port.stop, "Nothing runs beside any more; {name} stays in the library.")

    def _ask(self, question: ConfirmScreen, work: Callable[[], str], done: str) -> None:
        async def carried_out() -> None:
            name = await in_thread(work)
            self._screen.carrel.wake_indexer()
            tell(self._screen, done.format(name=one_line(name)))
            self._then()

        def answered(yes: bool | None) -> None:
            if yes:
                in_background(self._screen, carried_out, "beside order")

        self._screen.carrel.push_screen(question, answered)


# the orders by the names of their actions
BESIDE_ORDERS: Mapping[str, Callable[[BesideOrders, Standing | None], None]] = {
    "review": BesideOrders.review,
    "promote": BesideOrders.promote,
    "go_back": BesideOrders.go_back,
    "stop": BesideOrders.stop,
}
