"""Models that were in use, and one that runs beside, follow what changes: their vectors are those of a fresh build."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shelf import CountingEncoder, PlainParser, Shelf, paragraph

from engine.errors import ModelError
from engine.indexer.service import Service
from engine.indexer.warm_parser import WarmParser
from engine.indexing.model_build import use_model
from engine.indexing.stop_signal import Never
from engine.store import folders, integrity, models, pending_vectors, repair, requests, vacuum
from engine.store.connection import open_writer
from engine.store.transactions import transaction
from engine.store.vector_tables import read_matrix

EDITS = 50


class OtherEncoder(CountingEncoder):
    """Another model that makes the same passages: its vectors point the other way."""

    def __init__(self, name: str = "other", **facts: object) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, id=name, revision=name, **facts)

    def encode_passages(self, texts):
        return -super().encode_passages(texts)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf = Shelf(tmp_path)
    for number in range(6):
        shelf.write(f"{number}.md", note(number, 0))
    sync(shelf)
    return shelf


def note(number: int, edit: int) -> str:
    """Return a note of a few paragraphs, of which each edit changes, drops or adds some."""
    chance = random.Random(number * 1000 + edit)
    parts = [paragraph(f"word{number}x{part}e{chance.randrange(3)}") for part in range(chance.randrange(1, 6))]
    return "\n\n".join([*parts, paragraph("shared")] if chance.random() < 0.5 else parts)


def sync(shelf: Shelf, *others: CountingEncoder, encoder_of: Callable | None = None) -> None:
    """Bring the library up to date as an indexer does, with all models that are installed."""
    installed = {each.manifest.id: each for each in (shelf.encoder, *others)}

    def by_name(name: str | None):
        found = installed.get(name or shelf.encoder.manifest.id)
        if found is None:
            raise ModelError(f"The model {name} is not installed.")
        return found

    warm = WarmParser(lambda: shelf.parser)
    try:
        Service(
            shelf.conn,
            shelf.library,
            encoder_of=encoder_of or by_name,
            parser=warm,
            refit=None,
            on_event=shelf.events.append,
            stop=Never(),
        ).bring_up_to_date()
    finally:
        warm.end()


def use(shelf: Shelf, encoder: CountingEncoder) -> None:
    assert use_model(shelf.conn, encoder.manifest.id, encoder, lambda: shelf.parser)


def vectors(conn, name: str) -> dict[tuple, bytes]:
    """Return a model's vectors by document, place and hash of the passage."""
    model = models.named(conn, name)
    assert model is not None
    ids, matrix = read_matrix(conn, model.id)
    found = dict(zip(ids.tolist(), (np.round(row, 5).tobytes() for row in matrix), strict=True))
    rows = conn.execute(
        "SELECT passage.id, path, ordinal, hash FROM passage JOIN document ON document.id = document_id ORDER BY 1"
    ).fetchall()
    assert found.keys() <= {row[0] for row in rows}, "vectors without a passage"
    return {tuple(row[1:]): found[row[0]] for row in rows if row[0] in found}


def fresh(shelf: Shelf, encoder: CountingEncoder) -> dict[tuple, bytes]:
    """Return the vectors of a library that is made anew with a model."""
    other = shelf.base / f"fresh-{encoder.manifest.id}" / "library.carrel"
    with closing(open_writer(other, create=True)) as conn:
        folders.add(conn, os.fsencode(shelf.notes))
        sync(replace_shelf(shelf, conn, other, encoder))
        return vectors(conn, encoder.manifest.id)


def replace_shelf(shelf: Shelf, conn, library: Path, encoder: CountingEncoder) -> Shelf:
    made = Shelf.__new__(Shelf)
    made.base, made.notes, made.parser, made.events = shelf.base, shelf.notes, PlainParser(), []
    made.conn, made.library, made.encoder = conn, library, encoder
    return made


def beside(shelf: Shelf, encoder: CountingEncoder) -> None:
    """Let a model run beside the one in use; the indexer builds its vectors."""
    with transaction(shelf.conn):
        number = models.add(
            shelf.conn,
            name=encoder.manifest.id,
            manifest=encoder.manifest.to_json(),
            fingerprint=encoder.manifest.fingerprint,
            dimension=encoder.manifest.dimension,
        )
        models.start_shadow(shelf.conn, number)


def coverage(shelf: Shelf, name: str) -> float:
    model = models.named(shelf.conn, name)
    assert model is not None
    return models.coverage(shelf.conn, model).share


def test_after_fifty_edits_every_models_vectors_are_those_of_a_fresh_build(shelf: Shelf) -> None:
    kept, candidate = OtherEncoder("kept"), OtherEncoder("candidate")
    first = shelf.encoder
    use(shelf, kept)
    shelf.encoder = kept
    use(shelf, first)  # and back: the other is the one that was in use
    shelf.encoder = first
    beside(shelf, candidate)
    chance = random.Random(4)
    for edit in range(1, EDITS + 1):
        number = chance.randrange(6)
        if chance.random() < 0.1:
            (shelf.notes / f"{number}.md").unlink(missing_ok=True)
        else:
            shelf.write(f"{number}.md", note(number, edit), age=edit)
        if chance.random() < 0.7:
            sync(shelf, kept, candidate)
    sync(shelf, kept, candidate)
    for encoder in (first, kept, candidate):
        assert vectors(shelf.conn, encoder.manifest.id) == fresh(shelf, encoder), encoder.manifest.id
        assert coverage(shelf, encoder.manifest.id) == 1.0
    assert all(check.ok for check in integrity.checks(shelf.conn))


def test_a_note_of_old_text_answers_for_no_new_one_while_its_vector_is_to_come(shelf: Shelf) -> None:
    candidate = OtherEncoder("candidate")
    beside(shelf, candidate)
    sync(shelf, candidate)
    before = vectors(shelf.conn, "candidate")
    shelf.write("0.md", paragraph("rewritten"), age=9)
    shelf.sync()  # the words, and the active model; the other's turn does not come
    now = vectors(shelf.conn, "candidate")
    assert {key: row for key, row in now.items() if key not in before} == {}
    assert coverage(shelf, "candidate") < 1.0
    sync(shelf, candidate)
    assert vectors(shelf.conn, "candidate") == fresh(shelf, candidate)


def test_going_back_after_edits_embeds_nothing(shelf: Shelf) -> None:
    first, other = shelf.encoder, OtherEncoder()
    use(shelf, other)
    shelf.encoder = other
    shelf.write("0.md", paragraph("edited"), age=9)
    sync(shelf, first)
    first.texts.clear()
    use(shelf, first)
    shelf.encoder = first
    sync(shelf, other)
    assert first.texts == []
    assert vectors(shelf.conn, "fake") == fresh(shelf, first)


def test_a_promoted_model_and_the_one_before_exchange_their_roles(shelf: Shelf) -> None:
    candidate = OtherEncoder("candidate")
    beside(shelf, candidate)
    sync(shelf, candidate)
    states = lambda: {each.name: each.state for each in models.every(shelf.conn)}  # noqa: E731
    use(shelf, candidate)
    assert states() == {"fake": "shadow", "candidate": "active"}
    former = models.shadow(shelf.conn)
    assert former is not None
    assert models.figure(shelf.conn, former.id, models.FORMER_SINCE) is not None
    first, shelf.encoder = shelf.encoder, candidate
    shelf.write("1.md", paragraph("later"), age=9)
    sync(shelf, first)
    first.texts.clear()
    use(shelf, first)
    assert states() == {"fake": "active", "candidate": "shadow"}
    assert first.texts == []
    kinds = [kind for (kind,) in shelf.conn.execute("SELECT kind FROM shadow_event ORDER BY id")]
    assert kinds == ["shadow_gap_filled", "promoted", "rolled_back"]


def test_a_model_that_cuts_otherwise_ends_what_ran_beside_and_does_not_follow(shelf: Shelf) -> None:
    candidate, strange = OtherEncoder("candidate"), OtherEncoder("strange", passage_prefix="passage: ")
    beside(shelf, candidate)
    sync(shelf, candidate)
    use(shelf, strange)
    first, shelf.encoder = shelf.encoder, strange
    sync(shelf, first, candidate)
    assert models.shadow(shelf.conn) is None
    assert vectors(shelf.conn, "candidate") == {}
    assert vectors(shelf.conn, "strange") == fresh(shelf, strange)


def test_what_waits_for_a_model_that_is_gone_is_let_go(shelf: Shelf) -> None:
    other = OtherEncoder()
    use(shelf, other)
    use(shelf, shelf.encoder)
    shelf.write("0.md", paragraph("edited"), age=9)
    sync(shelf)  # the other is not installed any more
    model = models.named(shelf.conn, "other")
    assert model is not None
    assert pending_vectors.count(shelf.conn, model_id=model.id) == 0
    left = vectors(shelf.conn, "other")
    assert left and all(key in fresh(shelf, other) for key in left)
    use(shelf, other)
    assert vectors(shelf.conn, "other") == fresh(shelf, other)


def test_compaction_and_repair_keep_what_waits_for_another_model(shelf: Shelf) -> None:
    candidate = OtherEncoder("candidate")
    beside(shelf, candidate)
    sync(shelf, candidate)
    shelf.write("0.md", paragraph("rewritten"), age=9)
    shelf.sync()
    vacuum.compact(shelf.conn)
    repair.repair(shelf.conn)
    sync(shelf, candidate)
    assert vectors(shelf.conn, "candidate") == fresh(shelf, candidate)


class Picky(OtherEncoder):
    """A model that fails on one text."""

    def encode_passages(self, texts: Sequence[str]):
        if any("poison" in text for text in texts):
            raise RuntimeError("a shape that does not fit")
        return super().encode_passages(texts)


@pytest.mark.parametrize("how", ["use_model", "beside"])
def test_a_model_that_fails_on_a_text_does_not_end_the_indexer(shelf: Shelf, how: str) -> None:
    picky = Picky("picky")
    shelf.write("sound.md", paragraph("sound"))
    shelf.write("bad.md", paragraph("poison"))
    sync(shelf)
    number = requests.file(shelf.conn, "use_model", "picky") if how == "use_model" else 0
    if how == "beside":
        beside(shelf, picky)
    warm = WarmParser(lambda: shelf.parser)
    Service(
        shelf.conn,
        shelf.library,
        encoder_of=lambda name: picky if name == "picky" else shelf.encoder,
        parser=warm,
        refit=None,
        on_event=shelf.events.append,
        stop=Never(),
    ).run(watch=False)
    state = requests.state(shelf.conn, number)
    assert how == "beside" or (state is not None and state.outcome is not None and "picky" in state.outcome["message"])
    active = models.active(shelf.conn)
    assert active is not None and active.name == shelf.encoder.manifest.id
