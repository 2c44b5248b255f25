"""The port of the page "beside" to the library at a path, which is opened for each question that is asked of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.tui.training_runs import USE_MODEL
from engine.errors import ModelError

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import ShadowChoice
    from training.blind_review import ReviewStanding
    from training.review_session import TwoLists
    from training.shadow_standing import Standing


class BesideLibrary:
    """The model beside the one in use of one library."""

    def __init__(self, library: Path) -> None:
        self._library = library

    @contextmanager
    def _opened(self) -> Iterator[Library]:
        from engine.library import Library

        with Library.open(self._library) as library:
            yield library

    def standing(self) -> Standing | None:
        """Return how it stands; None where there is none, or no library yet."""
        from training.shadow_standing import standing

        if not self._library.exists():
            return None
        with self._opened() as library:
            return standing(library, time.time())

    def review(self) -> OpenReview:
        """Begin a sitting of the blind review."""
        return OpenReview(self._library)

    def promote(self, *, knowingly: bool = False) -> str:
        """Have the indexer take it into use, and return its name."""
        from training import shadow_promotion

        with self._opened() as library:
            name = shadow_promotion.accept(library, time.time(), knowingly=knowingly)
            library.file_request(USE_MODEL, name)
        return name

    def roll_back(self) -> str:
        """Have the indexer go back to the model that was in use before, and return its name."""
        from training import shadow_promotion

        with self._opened() as library:
            name = shadow_promotion.former(library)
            if name is None:
                raise ModelError("No model is kept beside the one in use to go back to.")
            library.file_request(USE_MODEL, name)
        return name

    def stop(self) -> str:
        """Let it run no longer, and return its name."""
        from training import shadow_promotion

        with self._opened() as library:
            return shadow_promotion.stop(library, time.time())


class OpenReview:
    """A sitting of a review with a library of its own, held open until it is closed."""

    def __init__(self, path: Path) -> None:
        from engine.library import Library
        from training.review_session import ReviewSession

        self._library = Library.open(path)
        try:
            self._session = ReviewSession(self._library)
        except BaseException:
            self._library.close()
            raise

    @property
    def standing(self) -> ReviewStanding:
        """How the review stands."""
        return self._session.standing

    def next(self) -> TwoLists | None:
        """Return the next two lists; None where the review is over, or no search waits."""
        return self._session.next()

    def choose(self, choice: ShadowChoice, seconds: float) -> ReviewStanding:
        """Keep what was chosen, and return how the review stands."""
        return self._session.choose(choice, seconds)

    def close(self) -> None:
        """Let go of the library."""
        self._library.close()
