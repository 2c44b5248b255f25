"""A library of a few notes with the fake encoder, for tests that search."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder

from engine.library import Library
from engine.retrieval import tier_calibration


def write(folder: Path, notes: Mapping[str, str | bytes], *, days_ago: Mapping[str, float] | None = None) -> Path:
    """Write notes below a folder; `days_ago` sets the dates of some."""
    import time

    for name, text in notes.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        if days_ago and name in days_ago:
            stamp = time.time() - days_ago[name] * 86_400
            os.utime(path, (stamp, stamp))
    return folder


def library_of(
    tmp_path: Path, notes: Mapping[str, str | bytes], *, fitted: bool = True, **dates: Mapping[str, float]
) -> Library:
    """Index notes into a new library and return it open.

    Without `fitted` its tiers are not fitted to it, which costs as much as 726 searches: for tests that ask no tier.
    """
    folder = write(tmp_path / "notes", notes, **dates)
    library = Library.open(tmp_path / "library.carrel", create=True, encoder=FakeEncoder())
    library.add(folder)
    with pytest.MonkeyPatch.context() as patch:
        if not fitted:
            patch.setattr(tier_calibration, "refit", lambda *_: None)
        library.sync()
    return library


WORDS = [
    "granite",
    "violin",
    "harbour",
    "tulip",
    "comet",
    "ledger",
    "saddle",
    "lantern",
    "walnut",
    "glacier",
    "cactus",
    "turbine",
    "velvet",
    "anchor",
    "beetle",
]
FILLER = {
    f"filler/{number}.md": f"# Filler {number}\n\nPage {number} about {word} and other {word} things, nothing more.\n"
    for number, word in enumerate(WORDS)
}
