"""The indexer process with the encoder that needs no model; it takes the options of `engine.indexer.worker`."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent


def command(library: Path, events: Path, *options: str) -> list[str]:
    """Return how this process is started."""
    return [sys.executable, "-P", __file__, "--library", str(library), "--events", str(events), *options]


def watch_command(library: Path, events: Path) -> list[str]:
    """Return how it is started to stay and follow what changes."""
    return command(library, events, "--watch")


if __name__ == "__main__":
    sys.path[:0] = [str(TESTS.parent), str(TESTS)]

    from fake_encoder import FakeEncoder
    from rough_tiers import fit_roughly

    from engine.indexer import worker

    fit_roughly()
    worker.NICENESS = 0  # the suite keeps every core at work, and waits for this process
    sys.exit(worker.main(encoder_of=lambda name: FakeEncoder()))
