"""Makes finished searches again with the model that runs beside, once their rows stand and the keys rest.

The person has switched it on (`carrel shadow --on`), else nothing is asked and nothing written. A search counts that
rested for two seconds or of which a row was opened. Any key ends what goes on, before it does anything else; one that
leaves the question as it is lets it begin anew once the keys rest. Nobody waits for it, and nothing of it is shown.

Its thread has the priority of the others: one that holds Python's lock and is kept off its core by another program
holds up the thread that draws. Beside a load of 8 on two cores that one waited some 10 ms at the 95th percentile,
30 where its rival was five steps nicer, 100 with ten steps, 160 to 320 with nineteen.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from textual.widget import Widget

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.ports import Opened
from app.tui.screens.search.key_rest import KeyRest
from app.tui.screens.search.live_search import Answered
from app.tui.threads import SWITCH_SECONDS, in_thread
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.records import ShadowSearch
from engine.retrieval.cancellation import Cancellation, SearchCancelled

GIVES_WAY_SECONDS = 0.0001  # Python's own .005 is waited for at each reading of a key and each drawing beside it
_log = logging.getLogger("carrel")
_GROUP = "comparing"


def _giving_way(score: Callable[[], ShadowSearch | None]) -> ShadowSearch | None:
    """Compare, and let the thread that draws go on soon after each time that it has waited for something."""
    sys.setswitchinterval(GIVES_WAY_SECONDS)
    try:
        return score()
    finally:
        sys.setswitchinterval(SWITCH_SECONDS)


class LiveComparison:
    """Compares each question once; `worker_of` is the widget whose end ends it."""

    def __init__(self, browser: Browser, worker_of: Widget) -> None:
        self._browser = browser
        self._worker_of = worker_of
        browser.key_read = self.disturbed  # the app itself must wait for Python's lock more than once
        self._turn = -1  # of the question that was compared last
        self._resting = -1  # of the one that rests until it is compared, whatever repeats its answer meanwhile
        self._rest = KeyRest()
        self._cancellation: Cancellation | None = None  # of what is being compared

    def answered(self, answer: Answered) -> None:
        """Compare a finished answer once it has rested."""
        asked = answer.asked
        if answer.finished and answer.result.query.meaning and asked.turn != self._resting:
            self._resting = asked.turn
            self._begin(asked.turn, answer.result.query.text, asked.at, self._browser.ports.pace.rested)

    def opened(self, turn: int, text: str) -> None:
        """Compare a question of which a row was opened, without waiting."""
        self._begin(turn, text, self._browser.ports.clock(), 0.0)

    def key_pressed(self) -> None:
        """Give up what is being compared: another question is coming."""
        self.disturbed()
        self._worker_of.workers.cancel_group(self._worker_of, _GROUP)

    def disturbed(self) -> None:
        """End what goes on now, and let it begin anew only once the keys rest. Called from any thread."""
        self._rest.pressed()
        cancellation = self._cancellation
        if cancellation is not None:
            cancellation.cancel()

    def _begin(self, turn: int, text: str, at: float, rest: float) -> None:
        opened = self._browser.opened
        if not self._browser.config.shadow or turn == self._turn or opened is None or opened.library.read_only:
            return
        in_background(self._worker_of, partial(self._compare, opened, turn, text, at, rest), _GROUP, exclusive=True)

    async def _compare(self, opened: Opened, turn: int, text: str, at: float, rest: float) -> None:
        await asyncio.sleep(rest)
        await self._rest.wait(rest)
        while not await self._ended(opened, turn, text, at):
            await self._rest.wait(self._browser.ports.pace.rested)

    async def _ended(self, opened: Opened, turn: int, text: str, at: float) -> bool:
        """Compare, and return whether that came to an end; not where it gave way to a key."""
        settings = replace(self._browser.config.search_settings(), opened_until=at)
        self._cancellation = cancellation = opened.new_cancellation()
        score = partial(opened.library.shadow_score, text, "live", settings=settings, cancel=cancellation)
        still = partial(self._browser.ports.settings.still, "shadow")
        try:
            found = await in_thread(partial(_giving_way, lambda: score() if still() else None))
            self._turn = turn
            if found is not None:
                await self._go_back_if_broken(opened, found)
        except asyncio.CancelledError:
            cancellation.cancel()
            raise
        except SearchCancelled:
            return False
        except CarrelError as error:  # the model is not there any more, or another process writes: the next one counts
            _log.warning("A search was not compared: %s", error)
        except Exception:
            _log.exception("A search could not be compared")
        finally:
            if self._cancellation is cancellation:  # and not that of a question which came since
                self._cancellation = None
        return True

    async def _go_back_if_broken(self, opened: Opened, found: ShadowSearch) -> None:
        """Go back to the model that was in use before where what took its place is broken, and say so."""
        from training.shadow_promotion import go_back_if_broken

        gone_back = await in_thread(partial(go_back_if_broken, opened.library, found))
        if gone_back is not None:
            name, reason = gone_back
            self._browser.wake_indexer()
            said = f"The model in use is broken: {reason}. Search goes back to {name}."
            self._browser.notify(one_line(said), severity="error", markup=False)
