"""What is data and no words is found by its words, never by meaning, and counted."""

from __future__ import annotations

import base64
import io
import json
import random
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of

from engine.chunking.wordless_text import is_words
from engine.library import Library
from engine.maintenance import Maintenance
from engine.records import SearchSettings

pytestmark = pytest.mark.usefixtures("unfitted")

CHANCE = random.Random(7)
KEY = base64.encodebytes(CHANCE.randbytes(900)).decode()
FIGURES = "\n".join(" | ".join(f"{CHANCE.uniform(0, 99):.2f}" for _ in range(6)) for _ in range(60))
DRAWING = json.dumps(
    [
        {
            "type": "rectangle",
            "version": CHANCE.randrange(500),
            "versionNonce": CHANCE.randrange(2**31),
            "isDeleted": False,
            "id": base64.b64encode(CHANCE.randbytes(15)).decode(),
            "fillStyle": "hachure",
            "x": CHANCE.uniform(-999, 999),
            "y": CHANCE.uniform(-999, 999),
            "strokeColor": "#1e1e1e",
            "width": CHANCE.uniform(0, 999),
            "seed": CHANCE.randrange(2**31),
            "groupIds": [],
            "updated": 1_700_000_000_000,
        }
        for _ in range(9)
    ],
    indent=1,
)
MINIFIED = (
    '!function(e,t){"object"==typeof exports&&"undefined"!=typeof module?module.exports=t():"function"==typeof '
    'define&&define.amd?define(t):(e=e||self).Vue=t()}(this,(function(){"use strict";var e=Object.freeze({});'
    "function t(e){return null==e}function n(e){return null!=e}function r(e){return!0===e}"
) * 3


@pytest.mark.parametrize(
    "text", [KEY, KEY.replace("\n", ""), FIGURES, DRAWING, MINIFIED, CHANCE.randbytes(99).hex(" ")]
)
def test_data_is_no_words(text: str) -> None:
    assert not is_words(text[:450])


@pytest.mark.parametrize(
    "text",
    [
        "Feed the starter with flour and water twice a day before baking, and keep it warm while it rises slowly.",
        "def run(self, path: bytes) -> Document:\n    if path not in self._known:\n        raise KeyError(path)\n" * 2,
        "2024-03-02 | Lunch at the harbour | 12.50\n2024-03-04 | Train to Basel | 38.00\n2024-03-05 | Flour | 2.10\n",
        '{\n "name": "fox",\n "habits": {"food": "mice", "den": "deep and dry"},\n "colour": "red", "age": 3\n}\n' * 2,
        "安装了Kubernetes集群之后，需要检查每个节点的状态，并确认网络插件已经正确运行，然后再部署应用程序。" * 3,
        "https://doc.rust-lang.org/reference/abi.html#the-no_mangle-attribute and https://x.org/quince/jam/a/b/c.html",
        "+49 170 1234567",
        "| Name | Born |\n| --- | --- |\n| Ada Lovelace | 1815 |\n| Alan Turing | 1912 |\n| Grace Hopper | 1906 |\n",
    ],
)
def test_language_code_and_tables_with_names_are_words(text: str) -> None:
    assert is_words(text)


NOTES = {
    "key.txt": f"{KEY}\nquincekey\n",
    "figures.csv": FIGURES.replace(" | ", ","),
    "drawing.excalidraw.md": f"```json\n{DRAWING}\n```\n",
    "real.md": "# Quince\n\nThe quince tree stands in the garden, and its fruit ripens late in the year.\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return library_of(tmp_path_factory.mktemp("data"), {**FILLER, **NOTES}, fitted=False)


def names(library: Library, query: str, fusion: str) -> list[str]:
    hits = library.search(query, settings=SearchSettings(fusion=fusion), limit=100).hits
    return [Path(hit.path.decode()).name for hit in hits]


def test_data_is_found_by_its_words_and_never_by_meaning(library: Library) -> None:
    assert "key.txt" in names(library, "quincekey", "keyword")
    assert "key.txt" in names(library, "quincekey", "convex")
    by_meaning = names(library, "a quince in the garden", "vector")
    assert "real.md" in by_meaning
    assert "figures.csv" not in by_meaning
    assert "drawing.excalidraw.md" not in by_meaning


def test_what_was_held_back_is_counted_and_told(library: Library, tmp_path: Path) -> None:
    count = library.status().wordless
    assert 0 < count < library.status().passages
    told = next(check for check in library.check() if check.name == "data")
    assert (told.ok, told.count) == (True, count)
    stage = next(
        each
        for each in library.why(
            "a quince in the garden", Path(library.folders()[0].path.decode()) / "figures.csv"
        ).stages
        if each.stage == "vector"
    )
    assert "data" in stage.detail


def test_a_passage_without_words_lacks_nothing(library: Library) -> None:
    assert all(check.ok for check in library.check())
    report = library.sync()
    assert (report.updated, report.embedded, report.wordless) == (0, 0, 0)
    report = library.sync(full=True)
    assert report.embedded == 0
    assert report.wordless == library.status().wordless


def test_data_that_becomes_words_and_back_is_found_as_what_it_is(tmp_path: Path) -> None:
    library = library_of(tmp_path, {"a.txt": FIGURES[:250] + "\n"}, fitted=False)
    assert library.status().wordless == 1
    note = tmp_path / "notes/a.txt"
    note.write_text("The quince tree stands in the garden, and its fruit ripens late in the year, as every year.\n")
    assert library.sync().embedded == 1
    assert names(library, "quince garden", "vector") == ["a.txt"]
    note.write_text(FIGURES[:250] + "\n")
    assert library.sync().wordless == 1
    assert names(library, "quince garden", "vector") == []
    assert all(check.ok for check in library.check())


@pytest.mark.parametrize("vectors", [True, False])
def test_data_travels_with_an_export(tmp_path: Path, vectors: bool) -> None:
    library = library_of(tmp_path, {"a.txt": FIGURES[:250] + "\n", "b.md": NOTES["real.md"]}, fitted=False)
    lines: list[str] = []
    Maintenance(library.path, FakeEncoder()).export(lines.append, with_vectors=vectors)
    Maintenance(tmp_path / "other.carrel", FakeEncoder()).import_from(io.BytesIO("".join(lines).encode()), "it")
    other = Library.open(tmp_path / "other.carrel", encoder=FakeEncoder())
    assert (other.status().passages, other.status().wordless) == (2, 1)
    assert all(check.ok for check in other.check())
