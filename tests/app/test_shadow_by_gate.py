"""A model beside the one in use that finds more on judged questions: accepted by the gate, by command and by key.

The library is a real one, and no review was made: what decides is what both models answered to the held-out questions.
"""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from decoys import COLOURS, SIDE, DecoyEncoder, make_library, words
from fake_encoder import FakeEncoder
from fakes import FakeIndexer, FakeLibrary, ports
from made_once import made_once
from piloting import WIDE, pressed, settle, until, written
from training_fakes import FakeTraining

from app.cli.entry import run as carrel
from app.tui.app import CarrelApp
from app.tui.beside_library import BesideLibrary
from engine.embedding import catalogue
from engine.errors import ModelError
from engine.library import Library
from engine.store.connection import open_reader, open_writer
from engine.store.transactions import transaction
from engine.store.write_ahead_log import fold_in

pytestmark = pytest.mark.usefixtures("roughly_fitted")
QUESTIONS = 210  # of SIDE x SIDE notes; the gate needs 200


class Better(FakeEncoder):
    """A model that sees every word of a text, where the one in use sees its colour."""

    def __init__(self) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, id="better", revision="better")


def found(name: str = "", **_: object) -> FakeEncoder:
    models = {"better": Better, "fake": DecoyEncoder, "": DecoyEncoder}
    if name not in models:
        raise ModelError(f"There is no model called {name}.")
    return models[name]()


def installed(patch: pytest.MonkeyPatch, home: Path, library: Path) -> None:
    patch.setenv("CARREL_HOME", str(home))
    patch.setenv("CARREL_LIBRARY", str(library))
    patch.setattr(catalogue, "load", found)
    patch.setattr(catalogue, "install", lambda name, *_: SimpleNamespace(id=found(name).manifest.id))


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a library with judged questions, all of them asked of both models by the command."""
    return made_once(tmp_path_factory, "replayed", replay)


def replay(root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        library = root / "library.carrel"
        installed(patch, root / "home", library)
        make_library(root)
        judge(library)
        assert carrel(["shadow", "better"]) == 0
        assert carrel(["shadow", "--replay"]) == 0
        with closing(open_writer(library)) as conn:
            fold_in(conn)  # so that the file alone is the library, and can be copied


def judge(library: Path) -> None:
    """Mark the note of its words as the answer of each question, which names the colour of others."""
    chance = random.Random(11)
    with closing(open_writer(library)) as conn:
        rows = conn.execute(
            "SELECT document.path, passage.hash FROM passage JOIN document ON document.id = document_id"
        )
        hashes = {str(path, "utf-8"): bytes(digest) for path, digest in rows}
        paths = [(one, other) for one in range(SIDE) for other in range(SIDE)][:QUESTIONS]
        with transaction(conn):
            for one, other in paths:
                query, name = f"{chance.choice(COLOURS)} {words(one, other)}", f"{one:02}-{other:02}.txt"
                conn.execute(
                    "INSERT INTO judgement(at, query, passage_hash, path, grade) VALUES(1, ?, ?, ?, 2)",
                    (query, hashes[name], str(library.parent / "notes" / name).encode()),
                )


@pytest.fixture
def library(replayed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "library.carrel"
    shutil.copy(replayed / "library.carrel", path)
    installed(monkeypatch, tmp_path / "home", path)
    return path


def state(library: Path) -> tuple[str, str, bool]:
    """Return the model in use, the one beside it, and whether that was in use before."""
    with Library.open(library) as opened:
        now = opened.shadow_state()
        assert now is not None
        return now.active.name, now.shadow.name, now.former_since is not None


def test_the_gates_gain_accepts_without_a_review_and_the_roles_are_exchanged_and_back(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carrel(["shadow"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"It finds more on {QUESTIONS} judged questions." in said
    assert f"The gate on {QUESTIONS} judged questions: gain" in said
    assert carrel(["promote", "better"]) == 0
    assert state(library) == ("better", "fake", True)
    assert carrel(["promote", "fake"]) == 2
    assert "carrel rollback" in capsys.readouterr().err
    assert carrel(["rollback"]) == 0
    assert state(library) == ("fake", "better", False)
    with Library.open(library) as opened:
        kinds = [each.kind for each in opened.shadow_events()]
    assert kinds[-3:] == ["shadow_accepted", "promoted", "rolled_back"]


async def test_the_page_says_the_same_and_p_has_it_taken_into_use(library: Path, tmp_path: Path) -> None:
    at_hand = ports(FakeLibrary(), FakeIndexer())
    app = CarrelApp(replace(at_hand, training=FakeTraining(tmp_path), beside=BesideLibrary(library)))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f9", "shift+tab")
        await until(pilot, lambda: "● accepted: It finds more on" in written(pilot))
        await pressed(pilot, "p", "y")

        def filed() -> bool:
            with closing(open_reader(library)) as conn:
                return ("use_model", "better") in set(conn.execute("SELECT kind, argument FROM request"))

        await until(pilot, filed)
    with Library.open(library) as opened:
        assert opened.shadow_events()[-1].kind == "shadow_accepted"
        assert opened.shadow_cut() is not None
