"""Every word is found however it is written: folded, split and joined by one function for texts and queries alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notes import FILLER, library_of

from engine.library import Library
from engine.records import SearchSettings
from engine.store.folding import fold
from engine.store.tokenizer import terms, tokens

WORDS_ONLY = SearchSettings(fusion="keyword")
NOTES = {
    "gr.md": "# Ταξίδι\n\nΤο καλοκαίρι πήγαμε στην Αθήνα και ήπιαμε καφές. Ἀρχαία ᾠδή.\n",
    "ru.md": "# Двор\n\nВо дворе растёт ёлка, а в погребе лежит свёкла.\n",
    "pl.md": "# Wycieczka\n\nŁódź to piękne miasto.\n",
    "de.md": "# Weg\n\nDie Straße ist gesperrt.\n",
    "tr.md": "# Gezi\n\nISPARTA gezisi. IŞIK söndü. Kapı açıktı.\n",
    "dk.md": "# Rejse\n\nHans Christian Ørsted og Ægir på Færøerne.\n",
    "half.md": "# メモ\n\nｻｰﾊﾞｰの設定とＰｙｔｈｏｎの設定。\n",
    "lig.md": "# Floor\n\nThe conﬁguration of the oﬃce.\n",
    "shy.md": "# Hyphens\n\nThe co\u00adop\u00ader\u00ada\u00adtive zero\u200bwidth bakery.\n",
    "hi.md": "# भाषा\n\nहिन्दी की किताब मेज़ पर है।\n",
    "hi2.md": "# शब्द\n\nहिंदी में चांद, गाड़ियाँ और संबंध; पंडित, अंक, चंचल।\n",
    "uk.md": "# Слова\n\nУ мене п\u02bcять об\u02bcєктів.\n",
    "names.md": "# Names\n\n\u02bfAbd of Hawai\u02bbi recites the Qur\u02be\u0101n.\n",
    "ar.md": "# كتاب\n\nذَهَبَ أَحْمَدُ إلى المَدْرَسَة.\n",
    "he.md": "# ספר\n\nשָׁלוֹם עֲלֵיכֶם לְכֻלָּם\n",
    "ko.md": f"# 메모\n\n{unicodedata.normalize('NFD', '한국어 문장')}\n",
    "th.md": "# บันทึก\n\nวันนี้ฉันไปตลาดซื้อมะม่วงและข้าวเหนียว\n",
    "th2.md": "# เรื่องอื่น\n\nการเขียนโปรแกรมด้วยภาษาไพทอนในห้องสมุด\n",
    "lo.md": "# ບັນທຶກ\n\nມື້ນີ້ຂ້ອຍໄປຕະຫຼາດຊື້ໝາກມ່ວງ\n",
    "km.md": "# កំណត់\n\nថ្ងៃនេះខ្ញុំទៅផ្សារទិញស្វាយ\n",
    "my.md": "# မှတ်စု\n\nဒီနေ့ဈေးကိုသွားပြီးသရက်သီးဝယ်တယ်\n",
    "zh.md": "# 笔记\n\n今天安装了Kubernetes集群，然后用Ansible部署。iPhone手机需要升级到18.2版本。铁路12306。\n",
    "wrapped.md": "# 小説\n\n吾輩は猫であ\nる。\n",
    "会议/项目计划.md": "Agenda only.\n",
    "a.java": "class MyXyloTrackerFactory {\n  void build() {}\n}\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with library_of(tmp_path_factory.mktemp("words"), {**NOTES, **FILLER}, fitted=False) as made:
        yield made


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("αθηνα", "gr.md"),
        ("ΑΘΗΝΑ", "gr.md"),
        ("καφες", "gr.md"),
        ("ΚΑΦΕΣ", "gr.md"),
        ("ωδη", "gr.md"),
        ("ᾨΔΉ", "gr.md"),
        ("елка", "ru.md"),
        ("свекла", "ru.md"),
        ("lodz", "pl.md"),
        ("strasse", "de.md"),
        ("STRASSE", "de.md"),
        ("ısparta", "tr.md"),
        ("ışık", "tr.md"),
        ("kapi", "tr.md"),
        ("orsted", "dk.md"),
        ("aegir", "dk.md"),
        ("サーバー", "half.md"),
        ("サーハ\u3099ー", "half.md"),
        ("python", "half.md"),
        ("configuration", "lig.md"),
        ("office", "lig.md"),
        ("cooperative", "shy.md"),
        ("zerowidth", "shy.md"),
        ("हिन्दी", "hi.md"),
        ("मेज", "hi.md"),
        ("चाँद", "hi2.md"),
        ("गाड़ियां", "hi2.md"),
        ("सम्बन्ध", "hi2.md"),
        ("पण्डित", "hi2.md"),
        ("अङ्क", "hi2.md"),
        ("चञ्चल", "hi2.md"),
        ("п'ять", "uk.md"),
        ("об’єктів", "uk.md"),
        ("abd", "names.md"),
        ("hawai'i", "names.md"),
        ("qur’an", "names.md"),
        ("احمد", "ar.md"),
        ("المدرسه", "ar.md"),
        ("الى", "ar.md"),
        ("שלום", "he.md"),
        ("문장", "ko.md"),
        ("มะม่วง", "th.md"),
        ("ตลาด", "th.md"),
        ("ไพทอน", "th2.md"),
        ("ຕະຫຼາດ", "lo.md"),
        ("ផ្សារ", "km.md"),
        ("သရက်သီး", "my.md"),
        ("kubernetes", "zh.md"),
        ("集群", "zh.md"),
        ("ansible", "zh.md"),
        ("iphone", "zh.md"),
        ("18.2", "zh.md"),
        ("12306", "zh.md"),
        ("猫である", "wrapped.md"),
        ("计划", "会议/项目计划.md"),
        ("项目计划", "会议/项目计划.md"),
        ("会议", "会议/项目计划.md"),
        ("XyloTracker", "a.java"),
        ("xylo tracker", "a.java"),
        ("myxylotrackerfactory", "a.java"),
    ],
)
def test_a_word_is_found_in_whatever_way_it_is_written(library: Library, query: str, name: str) -> None:
    found = library.search(query, settings=WORDS_ONLY).hits
    assert [hit.path.decode().endswith(name) for hit in found[:1]] == [True]
    assert found[0].marks or "/" in name


@pytest.mark.parametrize(("query", "name"), [("猫犬", "wrapped.md"), ("ลาตด", "th.md"), ("計劃", "会议/项目计划.md")])
def test_letters_in_another_order_are_another_word(library: Library, query: str, name: str) -> None:
    assert not [hit for hit in library.search(query, settings=WORDS_ONLY).hits if hit.path.decode().endswith(name)]


NAMED = {
    "Übersicht Ärzte.md": "# Übersicht Ärzte\n\nListe aller Praxen.\n",
    "Ördner/inhalt.md": "# Inhalt\n\nDies ist der Inhalt.\n",
    f"{unicodedata.normalize('NFD', 'café menu')}.md": f"# {unicodedata.normalize('NFD', 'Café Menu')}\n\nSoup.\n",
    "tagged.md": f"---\ntags: [{unicodedata.normalize('NFD', 'Été')}]\n---\n\nSun.\n",
    "strasse.md": "# Große Straße\n\nLang.\n",
    "brien.md": "# O\u2019Brien\u2010Smith \u2013 a life\n\nBorn.\n",
}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("title:übersicht", "Übersicht Ärzte.md"),
        ("title:Übersicht", "Übersicht Ärzte.md"),
        ("title:ARZTE", "Übersicht Ärzte.md"),
        ("title:Arz*", "Übersicht Ärzte.md"),
        ("path:ördner", "Ördner/inhalt.md"),
        ("path:Ördner", "Ördner/inhalt.md"),
        ("path:*/ÖRD*", "Ördner/inhalt.md"),
        ("path:café", unicodedata.normalize("NFD", "café menu.md")),
        ("title:café", unicodedata.normalize("NFD", "café menu.md")),
        ("tag:été", "tagged.md"),
        ("tag:#ÉTÉ", "tagged.md"),
        ("tag:ét*", "tagged.md"),
        ("title:strasse", "strasse.md"),
        ("title:O'Brien-Smith", "brien.md"),
        ('title:"smith - a life"', "brien.md"),
    ],
)
def test_filters_fold_as_the_index_does(tmp_path_factory: pytest.TempPathFactory, query: str, name: str) -> None:
    made = tmp_path_factory.getbasetemp() / "named"
    if not made.exists():
        library_of(made, {**NAMED, **FILLER}, fitted=False).close()
    with Library.open(made / "library.carrel") as library:
        assert [hit.path.decode().partition("/notes/")[2] for hit in library.search(query).hits] == [name]
        others = library.search(f"-{query}", limit=100).hits
        assert len(others) == len(NAMED) + len(FILLER) - 1


@given(st.text(max_size=40))
def test_places_have_the_terms_that_the_index_gets_and_their_own_text(text: str) -> None:
    found = tokens(text)
    assert [token.terms for token in found] == terms(text)
    for token in found:
        assert token.word in token.terms and 0 <= token.start < token.end <= len(text)


@given(st.text(max_size=20))
def test_folding_again_changes_nothing(word: str) -> None:
    assert fold(fold(word)) == fold(word)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_composed_and_decomposed_letters_fold_alike(word: str) -> None:
    assert fold(unicodedata.normalize("NFC", word)) == fold(unicodedata.normalize("NFD", word)) == fold(word)


@pytest.mark.skipif(unicodedata.unidata_version > "14.1", reason="the table of marks was made of Unicode 14")
def test_every_mark_of_the_basic_plane_is_inside_a_word() -> None:
    marks = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)).startswith("M")]
    split = {mark: [token.word for token in tokens(f"a{mark}b")] for mark in marks}
    assert [f"{ord(mark):04x}" for mark, words in split.items() if words == ["a", "b"] and fold(mark)] == []


def test_a_document_is_named_by_its_letters_in_any_form(library: Library) -> None:
    for fragment in ("项目", "ΤΑΞΙΔΙ", "двор"):
        assert len(library.documents_named(fragment, 5)) == 1
