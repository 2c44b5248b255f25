"""Which word of a passage answers which word of a question: pairs known by hand, and what must not be linked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from token_fakes import OneVector, TokenFake

from engine.embedding.catalogue import load
from engine.embedding.encoder import Encoder
from engine.embedding.out_of_domain import foreign_queries
from engine.library import Library
from engine.records import NearestWord
from engine.retrieval import word_link_calibration
from engine.retrieval.word_link_calibration import EMBEDDED_CUTS, cuts_of, fitted_cuts
from engine.retrieval.word_links import MOST_LINKS, LinkCuts, nearest_words
from engine.store.connection import open_reader

# (question, passage, the word asked, the word that answers it), none of them the same word.
KNOWN_PAIRS = (
    ("car insurance", "The policy covers your automobile and your motorbike.", "car", "automobile"),
    ("heart attack", "Statins lower the number of cardiac arrests.", "heart", "cardiac"),
    ("raising children", "Bringing up kids takes patience.", "children", "kids"),
    ("physician training", "A doctor studies for six years.", "physician", "doctor"),
    ("cheap flights", "An inexpensive ticket is booked early.", "cheap", "inexpensive"),
    ("is the starter alive", "Without flour the yeast will die within a week.", "alive", "die"),
    ("movie recommendations", "The best film of the year is about a lighthouse.", "movie", "film"),
    ("begin a garden", "Start with a small bed of lettuce.", "begin", "Start"),
    ("repair my bicycle", "How to mend a flat tyre on a bike.", "bicycle", "bike"),
    ("purchase a laptop", "Where to buy a used computer.", "purchase", "buy"),
    ("feline diet", "The cat eats twice a day.", "feline", "cat"),
    ("sofa cleaning", "Stains on the couch come out with soap.", "sofa", "couch"),
    ("big house", "The large barn behind the field burned.", "big", "large"),
    ("attorney fees", "The lawyer charges by the hour.", "attorney", "lawyer"),
    ("fast trains", "The quick line between the two cities.", "fast", "quick"),
    ("ill employees", "A sick worker stays at home.", "ill", "sick"),
    ("autumn leaves", "The maples turn red in the fall.", "autumn", "fall"),
    ("photo archive", "Old pictures are scanned at night.", "photo", "pictures"),
    ("sad songs", "An unhappy tune about rain.", "sad", "unhappy"),
    ("infant sleep", "The baby wakes at four.", "infant", "baby"),
)
WRONG_PASSAGES = (
    "A lock raises a boat by nothing but the weight of water in the chamber.",
    "The wax model is packed in plaster and the mould is heated until it runs out.",
    "Four players sit in two partnerships and thirteen cards are dealt to each.",
)


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    encoder = load()
    yield encoder
    encoder.close()


def found(encoder: Encoder, question: str, text: str, kind: str = "") -> dict[str, NearestWord]:
    return {link.asked: link for link in nearest_words(encoder, question, text, EMBEDDED_CUTS, kind)}


def test_of_the_pairs_known_by_hand_most_are_linked_and_what_is_linked_is_right(encoder):
    linked, right = 0, 0
    for question, text, asked, word in KNOWN_PAIRS:
        link = found(encoder, question, text)[asked]
        linked += bool(link.word) and not link.faint
        right += link.word == word and not link.faint
    assert right >= 0.9 * linked  # precision at the cut
    assert linked >= 0.6 * len(KNOWN_PAIRS)


def test_words_of_passages_about_something_else_are_hardly_ever_linked(encoder):
    links = [
        link
        for question, *_ in KNOWN_PAIRS
        for text in WRONG_PASSAGES
        for link in found(encoder, question, text).values()
    ]
    assert sum(bool(link.word) and not link.faint for link in links) <= 0.05 * len(links)


def test_a_span_is_that_of_the_whole_word_and_a_word_itself_comes_before_others(encoder):
    text = "The sourdough was overproofed; leaven and dough rose together."
    link = found(encoder, "sourdough bread", text)["sourdough"]
    assert text[link.start : link.end] == "sourdough" == link.word
    assert link.same
    stem = found(encoder, "reducing risk", "It reduces harm.")["reducing"]
    assert (stem.word, stem.same) == ("reduces", True)


def test_a_word_of_the_passage_answers_one_word_of_the_question_and_at_most_five_are_linked(encoder):
    question = "doctor lawyer car movie child sofa cat bicycle"
    text = "The physician and the attorney drove an automobile to a film with kids, a couch, a feline and a bike."
    links = [link for link in found(encoder, question, text).values() if link.word]
    assert len(links) == MOST_LINKS
    assert len({link.start for link in links}) == len(links)


def test_stop_words_answer_nothing_and_a_question_of_them_has_no_words(encoder):
    assert found(encoder, "what is the of and to", "It is of the essence, and to be or not.") == {}
    assert set(found(encoder, "the car", "This was that.")) == {"car"}
    assert found(encoder, "car", "This was that.")["car"] == NearestWord("car")


def test_where_nothing_is_near_enough_the_nearest_is_given_as_a_faint_one():
    strict = LinkCuts(link=0.99, faint=0.3)
    encoder = load()
    links = nearest_words(encoder, "car insurance", "The automobile is red.", strict)
    assert [(link.asked, link.word, link.faint) for link in links] == [
        ("car", "automobile", True), ("insurance", "", False)
    ]  # fmt: skip
    held = nearest_words(encoder, "car insurance", "The automobile is no car.", strict)
    assert [(link.word, link.faint) for link in held] == [("car", False), ("", False)]


def test_words_that_share_an_ending_only_are_not_linked_for_it(encoder):
    link = found(encoder, "what nibbles seedlings", "Dumplings with broth, and a plate of rice.")["seedlings"]
    assert link.word == "" or link.faint
    stem = found(encoder, "seedlings", "A seedling stands in the pot.")["seedlings"]
    assert (stem.word, stem.same) == ("seedling", True)


def test_bare_numbers_are_linked_with_themselves_only(encoder):
    links = found(encoder, "budget 2024", "The budget of 2019 was the last, and 2024 is open.")
    assert (links["2024"].word, links["2024"].same) == ("2024", True)
    assert found(encoder, "2024", "It was 2019, and 2020.")["2024"].word == ""


def test_writing_that_the_model_cannot_read_and_emoji_are_never_linked(encoder):
    assert found(encoder, "猫の餌", "犬の餌と水") == {}
    assert found(encoder, "🐈 🐕", "🐈") == {}
    links = found(encoder, "cat שלום", "A kitten שלום 😀 and ᚠᚢᚦ")
    assert [link.word for link in links.values()] == ["kitten"]
    assert found(encoder, "\ud800 cat", "\ud800\udfff a kitten\x00")["cat"].word == "kitten"


def test_code_identifiers_are_words_and_the_target_of_a_link_is_none(encoder):
    assert found(encoder, "getUserName", "def fetch_username(path):", "code")["getUserName"].word == "username"
    links = found(encoder, "automobile", "[see here](http://car.example/car)", "markdown")
    assert links == {} or links["automobile"].word == ""


def test_of_a_passage_longer_than_the_window_what_the_model_sees_is_linked(encoder):
    text = "The automobile stood still. " + "lorem ipsum " * 20_000 + "car"
    assert found(encoder, "car", text)["car"].word in {"automobile", "car"}
    assert len(nearest_words(encoder, "word " * 5_000 + "car", "automobile", EMBEDDED_CUTS)) <= 40


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        (
            "パン生地を休ませる",
            "生地を一晩冷蔵庫で休ませ、折りたたんで焼きます。パンの作り方。",
            ["パン", "生地を", "休ませ"],
        ),
        ("面团静置一夜", "面团在冰箱里静置一夜，然后折叠并烘烤。", ["面团", "静置一夜"]),
        ("ขนมปัง", "อบขนมปังที่บ้าน แล้วเก็บขนมปังไว้", ["ขนมปัง"]),
    ],
    ids=["Japanese", "Chinese", "Thai"],
)
def test_writing_without_spaces_is_linked_by_what_both_hold_and_not_by_pairs_of_characters(
    question: str, text: str, words: list[str]
) -> None:
    links = [each for each in nearest_words(TokenFake(), question, text, LinkCuts(link=2.0, faint=2.0)) if each.word]
    assert [each.asked for each in links] == [each.word for each in links] == words
    assert [text[each.start : each.end] for each in links] == words
    assert all(each.same for each in links)


def test_no_pair_is_linked_that_lies_over_one_that_is(encoder):
    links = nearest_words(TokenFake(), "生地", "生薬と地図", LinkCuts(link=-1.0, faint=-1.0))
    assert [each.asked for each in links] == ["生地"]


def test_a_word_that_is_asked_in_a_script_without_spaces_and_not_found_is_told_once(encoder):
    links = nearest_words(TokenFake(), "冷蔵庫 bread", "A loaf of bread.", LinkCuts(link=2.0, faint=2.0))
    assert [(each.asked, each.word) for each in links] == [("冷蔵庫", ""), ("bread", "bread")]


def library_of(path: Path, encoder: FakeEncoder) -> Library:
    notes = path / "notes"
    notes.mkdir()
    (notes / "bread.md").write_text("# Bread\n\nThe barley loaf.\nIt keeps.\n")
    library = Library.open(path / "library.carrel", create=True, encoder=encoder)  # type: ignore[arg-type]
    library.add(notes)
    library.sync()
    return library


def test_a_model_of_one_vector_and_one_without_a_fit_give_none(tmp_path, roughly_fitted):
    with library_of(tmp_path, OneVector()) as library:
        assert library.nearest_words("barley", "The barley loaf.") == ()
    with Library.open(tmp_path / "library.carrel", encoder=TokenFake()) as library:  # type: ignore[arg-type]
        assert library.nearest_words("barley", "The barley loaf.") == ()


@pytest.mark.training
def test_the_cuts_of_another_model_are_fitted_once_and_kept_with_its_calibration(tmp_path):
    encoder = TokenFake()
    with library_of(tmp_path, encoder) as library:
        path = library.path
        link = library.nearest_words("barley", "The barley loaf.")[0]
        assert (link.word, link.same) == ("barley", True)
    conn = apsw.Connection(str(path))
    ((written,),) = conn.execute("SELECT value FROM calibration WHERE name = ?", (word_link_calibration.CALIBRATED,))
    assert json.loads(written) == pytest.approx([*_both(fitted_cuts(encoder))])
    conn.execute("UPDATE calibration SET value = '[\"x\"' WHERE name = ?", (word_link_calibration.CALIBRATED,))
    assert cuts_of(open_reader(path), 1, "fake") is None
    assert fitted_cuts(OneVector()) is None
    assert fitted_cuts(encoder, lambda: True) is None


@pytest.mark.training
def test_the_cuts_that_ship_are_those_that_the_embedded_model_is_fitted_to(encoder):
    cuts = fitted_cuts(encoder)
    assert cuts is not None
    assert len(foreign_queries()) > 500
    assert _both(cuts) == pytest.approx(_both(EMBEDDED_CUTS), abs=0.05)


def _both(cuts: LinkCuts | None) -> tuple[float, float]:
    assert cuts is not None
    return cuts.link, cuts.faint
