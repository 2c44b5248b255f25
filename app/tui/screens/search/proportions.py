"""How the room of the search screen is shared out: how dense the rows are, and how much of it the pane has.

Both are kept in the person's settings.
"""

from __future__ import annotations

from textual.css.scalar import Scalar, Unit
from textual.geometry import Size
from textual.timer import Timer
from textual.widget import Widget

from app.tui.browser import Browser
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.row import Density, RowShape
from engine.setting_values import LEAST_SHARE, MOST_SHARE

NARROW_COLUMNS = 100  # below it a row and a preview do not both fit beside each other
HIGH_LINES = 30  # from here on rows have all their figures, unless the person wants others
WORDY_COLUMNS = 150  # from here on a row has two lines of text
STEP_SHARE = 0.05
KEEP_SECONDS = 1.0  # after the last change: the settings are not written with each step
DENSITIES: tuple[Density, ...] = ("full", "two", "one")
DENSITY_WORDS: dict[Density, str] = {
    "full": "Rows with all figures.",
    "two": "Rows in two lines.",
    "one": "Rows in one line.",
}


class Proportions:
    """Shares out the room of a screen between the rows and the pane beside or below them."""

    def __init__(self, browser: Browser, body: Widget, rows: ResultList, pane: Pane) -> None:
        self._browser = browser
        self._body = body
        self._rows = rows
        self._pane = pane
        self._share = browser.config.pane_share
        self._size = Size(0, 0)
        self._keeping: Timer | None = None

    @property
    def density(self) -> Density:
        """How dense the rows are: as the person wants it, else as the height of the screen allows."""
        wanted, fitting = self._browser.config.density, "full" if self._size.height >= HIGH_LINES else "two"
        return next(each for each in DENSITIES if each == (wanted or fitting))

    def fit(self, size: Size) -> None:
        """Share out a screen of another size, or the same one after a change of the settings."""
        self._size = size
        self._rows.shape_rows(RowShape(self.density, 2 if size.width >= WORDY_COLUMNS else 1))
        if self._keeping is None:
            self._share = self._browser.config.pane_share
        self._give_share()

    def turn_density(self) -> None:
        """Go on to the next density, and keep it."""
        density = DENSITIES[(DENSITIES.index(self.density) + 1) % len(DENSITIES)]
        if self._browser.change_config(density=density):
            self.fit(self._size)
            self._browser.notify(DENSITY_WORDS[density], markup=False)

    def move_border(self, steps: int) -> None:
        """Move the border between rows and pane to the right, or down, by so many steps."""
        share = self._share if self._share is not None else self._shown_share()
        self._take(round(share / STEP_SHARE - steps) * STEP_SHARE)

    def drag_border(self, x: int, y: int) -> None:
        """Move the border to a place of the screen."""
        region = self._body.content_region
        past, whole = (y - region.y, region.height) if self._narrow else (x - region.x, region.width)
        self._take(1 - past / max(1, whole))

    @property
    def _narrow(self) -> bool:
        return self._size.width < NARROW_COLUMNS

    def _shown_share(self) -> float:
        pane, body = self._pane.outer_size, self._body.content_size
        return pane.height / max(1, body.height) if self._narrow else pane.width / max(1, body.width)

    def _take(self, share: float) -> None:
        """Give the pane a share of the room, and keep it once it has stood for a while."""
        self._share = round(max(LEAST_SHARE, min(share, MOST_SHARE)), 2)
        self._give_share()
        if self._keeping is not None:
            self._keeping.stop()
        self._keeping = self._pane.set_timer(KEEP_SECONDS, self.keep)

    def keep(self) -> None:
        """Keep the share that the pane has, where it was changed."""
        if self._keeping is not None:
            self._keeping.stop()
            self._keeping = None
            self._browser.change_config(pane_share=self._share)

    def _give_share(self) -> None:
        """Lay the pane out; a low and narrow screen has a height of its own for each of its uses."""
        styles, share = self._pane.styles, Scalar(100 * (self._share or 0), Unit.PERCENT, Unit.PERCENT)
        styles.clear_rule("width")
        styles.clear_rule("height")
        if self._share is None:
            return
        if not self._narrow:
            styles.width = share
        elif self._size.height >= HIGH_LINES:
            styles.height = share
