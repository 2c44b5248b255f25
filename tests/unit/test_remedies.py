"""What the browser offers to try for a missed note is read from what the engine says: both must speak of the same."""

from __future__ import annotations

from pathlib import Path

from notes import FILLER, library_of

from app.tui.screens.search.why_not.remedies import Remedy, remedies
from engine.records import SearchSettings


def test_the_engine_says_what_the_keys_understand(tmp_path: Path) -> None:
    notes = {"gear/stove.md": "# Stove\n\nThe electric heron starter must be kept dry.\n", **FILLER}
    with library_of(tmp_path, notes, fitted=False) as library:
        own = SearchSettings()

        def offered(text: str, limit: int = 10) -> tuple[Remedy, ...]:
            path = tmp_path / "notes/gear/stove.md"
            return remedies(library.why(text, path, settings=own, limit=limit), own)

        both = offered("starter path:kitchen type:pdf tag:x -type:docx")[0]
        assert (both.said, both.text) == ("leave out path:kitchen and type:pdf and tag:x", "starter -type:docx")
        assert offered("starter type:pdf")[0].text == "starter"
        assert offered('starter -"heron starter"')[0].text == "starter"
        assert offered('dry "rye bread"')[0].text == "dry rye bread"
        assert offered("heron") == (Remedy("go to row 1", limit=1),)
        near = SearchSettings(cutoff=1.0)
        far = library.why("bread bacteria culture", tmp_path / "notes/gear/stove.md", settings=near, limit=10)
        assert far.dropped_at == "cutoff" and "beyond 1 times the least" in far.stages[-1].detail
        assert remedies(far, near)[0] == Remedy("switch the cut-off off", settings=SearchSettings())
        low = offered("bread bacteria culture", limit=1)
        assert low[0].limit is not None and low[0].limit > 1
        assert any(remedy.text and remedy.text.startswith("bread bacteria culture ") for remedy in low)


def test_every_restriction_that_keeps_a_note_out_is_named(tmp_path: Path) -> None:
    notes = {"gear/stove.md": "# Stove\n\nThe electric heron starter must be kept dry.\n", **FILLER}
    with library_of(tmp_path, notes, fitted=False) as library:
        report = library.why('"rye bread" path:kitchen -heron', tmp_path / "notes/gear/stove.md")
    lost = [stage.needed for stage in report.stages if stage.stage == "filters"]
    assert lost == ["path:kitchen", 'the quotes around "rye bread"', "-heron"]
    assert report.advice == ('Leave out path:kitchen and the quotes around "rye bread" and -heron.',)
    assert remedies(report, SearchSettings())[0].text == "rye bread"
