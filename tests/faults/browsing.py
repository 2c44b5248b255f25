"""A browser without a screen: it opens a library, searches it on and on as a person types, and starts the indexer."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from fake_encoder import FakeEncoder
from turmoil import OUTSIDE_WORD, WORDS

from app.tui.indexer_process import Indexer
from engine.library import Cancellation, Library, SearchCancelled
from engine.paths import places

PAUSE_SECONDS = (0.02, 0.1, 0.5)  # between two keys
INDEXER_SECONDS = (5.0, 40.0)  # between two starts or stops of the indexer
REPORT_SECONDS = 1.0
MOST_FAULTS = 20  # that are told; more tell nothing more


class Browser:
    """Looks at one library until told to stop, and keeps what went wrong.

    `starts` says whether it starts and stops an indexer.
    """

    def __init__(self, library: Path, report: Path, chance: random.Random, *, fake: bool, starts: bool) -> None:
        self.place, self.report, self.chance = library, report, chance
        self.library = Library.open(library, encoder=FakeEncoder() if fake else None)
        self.starts = starts
        self.indexer: Indexer | None = None
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []
        self._ways = (self.type_words, self.type_words, self.search_outside, self.give_up, self.look_around, self.like)

    def run(self, stop: threading.Event) -> None:
        """Go on until `stop` is set."""
        next_start = next_report = 0.0
        while not stop.is_set():
            now = time.monotonic()
            if self.starts and now >= next_start:
                self._guarded(self.start_or_stop)
                next_start = now + self.chance.uniform(*INDEXER_SECONDS)
            if now >= next_report:
                self._tell()
                next_report = now + REPORT_SECONDS
            self._guarded(self.chance.choice(self._ways))
            stop.wait(self.chance.choice(PAUSE_SECONDS))
        if self.indexer is not None:
            self._guarded(self.start_or_stop)
        self.library.close()
        self._tell()

    def warm(self) -> None:
        self.library.warm()

    def type_words(self) -> None:
        """Search at each key of two words."""
        words = f"{self.chance.choice(WORDS)} {self.chance.choice(WORDS)}{self.chance.randrange(500)}"
        for end in sorted(self.chance.sample(range(1, len(words)), 4)):
            self.library.search(words[:end], typing=True)
        found = self.library.explore(words).result.hits
        if found:
            self.library.document_by_id(self.chance.choice(found).document_id)

    def search_outside(self) -> None:
        """Look for the word that stands in no watched file."""
        found = [hit for hit in self.library.search(OUTSIDE_WORD).hits if OUTSIDE_WORD in hit.snippet.lower()]
        if found:
            raise AssertionError(f"text from outside was found: {found[0].path!r} {found[0].snippet[:80]}")

    def give_up(self) -> None:
        """Cancel a search, as the next key does."""
        cancel = Cancellation()
        threading.Timer(self.chance.uniform(0.0, 0.02), cancel.cancel).start()
        try:
            self.library.search(self.chance.choice(WORDS), cancel=cancel)
        except SearchCancelled:
            self.done["cancelled"] += 1

    def look_around(self) -> None:
        """Open the screens that show the library as a whole."""
        for each in self.library.folders():
            self.library.tree(each.path)
        self.library.status()
        self.library.facets()
        self.library.search("")
        self.library.failures()

    def like(self) -> None:
        """Ask for what is similar to a result."""
        if found := self.library.search(self.chance.choice(WORDS)).hits:
            self.library.similar(found[0].passage_id)

    def start_or_stop(self) -> None:
        """Start the indexer of this browser, or stop it."""
        if self.indexer is None:
            self.indexer = Indexer(self.place, places())
            self.indexer.start(lambda state: None)
        else:
            self.indexer.stop()
            self.indexer = None

    def _guarded(self, way: Callable[[], None]) -> None:
        try:
            way()
            self.done[f"browser: {way.__name__}"] += 1
        except Exception:
            self.faults.append(f"a browser failed in {way.__name__}: {traceback.format_exc()}")

    def _tell(self) -> None:
        draft = self.report.with_suffix(".draft")
        draft.write_text(json.dumps({"done": self.done, "faults": self.faults[:MOST_FAULTS]}))
        os.replace(draft, self.report)


def browse(library: str, report: str, seed: str, encoder: str, starts: str) -> None:
    """Be a browser until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    fake = encoder == "fake"
    browser = Browser(
        Path(library), Path(report), random.Random(int(seed)), fake=fake, starts=starts == "starts" and not fake
    )
    browser.warm()
    browser.run(stop)
