"""Text in the encodings of every age: declared, labelled, guessed, mixed, damaged; each comes out as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import read

from engine.sources.encodings import decode, is_text

POLISH = (
    "Notatka ze spotkania: Zażółć gęślą jaźń. Jutro o ósmej przyjdź z książką na dworzec, bo pociąg odjeżdża "
    "wcześniej. Źródła są w skrzyni pod łóżkiem, a klucz wisi za drzwiami. Proszę też kupić chleb i świeże mleko."
)
CZECH = (
    "Poznámka: Příliš žluťoučký kůň úpěl ďábelské ódy. Zítra je schůze o střeše, vezmi žebřík a příkrývku. "
    "Večer přijde soused s účtem za opravu kotle, peníze jsou v zásuvce. Nezapomeň zalít květiny."
)
HUNGARIAN = (
    "Jegyzet: a kőműves holnap reggel jön, kérlek készítsd elő a létrát és a vödröt. Az őszi tűzifa már a fészerben "
    "van, de még föl kell aprítani. Este megnézzük a régi fényképeket a nagymamánál, hozd el a könyvet is."
)
ROMANIAN = (
    "Notă: mâine dimineaţă vine zugravul, te rog să pregăteşti scara şi găleata. Cheile sînt în sertarul din "
    "bucătărie, iar banii pentru lemne îi găseşti sub faţa de masă. Nu uita să hrăneşti pisica şi să uzi florile."
)
TURKISH = (
    "Not: Cuma günü kütüphanede görüşeceğiz, şemsiye al. Yarın çatı için toplantı var, merdiveni getir. Işıklar söndü, "
    "sigortayı değiştirmek gerekiyor. Komşunun köpeği bahçedeki çiçekleri kazmış, çitin altını kapatalım."
)
GREEK = (
    "Σημείωση: αύριο το πρωί έρχεται ο υδραυλικός για τη βρύση. Τα κλειδιά είναι στο συρτάρι της κουζίνας και τα "
    "χρήματα κάτω από το βιβλίο. Μην ξεχάσεις να ποτίσεις τα λουλούδια στο μπαλκόνι."
)
RUSSIAN = (
    "Заметка: встреча у фонтана в пятницу вечером. Взять зонт и книгу, которую просил сосед. Ключи от дачи лежат в "
    "ящике на кухне, деньги за дрова отдать Иванову. Не забыть полить цветы и покормить кошку."
)
UKRAINIAN = (
    "Нотатка: завтра вранці прийде майстер лагодити дах. Драбина стоїть у сараї, ключі лежать у шухляді на кухні. "
    "Гроші за дрова віддай сусідові, а їжу для кішки купи на ринку."
)
SPANISH = (
    "Nota: mañana por la mañana viene el fontanero. Las llaves están en el cajón de la cocina y el dinero debajo del "
    "mantel. ¿Quién riega las plantas del balcón este año? Además, el niño quiere dormir en casa de su tía."
)
FINNISH = (
    "Muistiinpano: huomenna aamulla tulee putkimies. Avaimet ovat keittiön laatikossa ja rahat pöytäliinan alla. "
    "Älä unohda kastella kukkia, ja käy hakemassa isän lääkkeet apteekista ennen kuin se sulkeutuu. Yöllä sää kylmenee."
)
GERMAN = (
    "Notiz: Morgen früh kommt der Klempner. Die Schlüssel liegen in der Küchenschublade, das Geld für das Holz unter "
    "der Tischdecke. Vergiss nicht, die Blumen zu gießen und die Katze zu füttern. Später schließt die Bücherei."
)
LANGUAGES = [
    (POLISH, "cp1250"), (POLISH, "iso8859-2"), (CZECH, "cp1250"), (CZECH, "iso8859-2"), (HUNGARIAN, "cp1250"),
    (HUNGARIAN, "iso8859-2"), (ROMANIAN, "cp1250"), (ROMANIAN, "iso8859-2"), (TURKISH, "cp1254"), (GREEK, "cp1253"),
    (GREEK, "iso8859-7"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (RUSSIAN, "cp866"), (RUSSIAN, "iso8859-5"),
    (UKRAINIAN, "cp1251"), (UKRAINIAN, "koi8-u"), (SPANISH, "cp1252"), (FINNISH, "cp1252"), (GERMAN, "cp1252"),
]  # fmt: skip
LENGTHS = [pytest.param(1, id="about 200 letters"), pytest.param(15, id="about 3,000 letters")]
ASIAN = [
    ("メモ：図書館の鍵は机の引き出しにあります。能力表を予約する。\n", "cp932"),
    ("メモ：図書館の鍵は机の引き出しにあります。能力表を予約する。\n", "euc_jp"),
    ("メモ：図書館の鍵は机の引き出しにあります。能力表を予約する。\n", "iso2022_jp"),
    ("笔记：图书馆明天早上开门，钥匙在抽屉里。\n", "gb18030"),
    ("筆記：圖書館明天早上開門，鑰匙在抽屜裡。\n", "big5"),
    ("메모: 도서관은 내일 아침에 문을 엽니다. 열쇠는 서랍에 있습니다.\n", "cp949"),
]


LITHUANIAN = (
    "Šiandien oras gražus, todėl „ėjome“ į mišką – grybauti. Vakare žaidėme šachmatais ir gėrėme arbatą su medumi."
)
SEVEN_BIT = [
    ("Liebe Grüße aus Köln, schönes Wochenende – wir hören uns.\n", "utf-7"),
    ("Встреча завтра в десять часов.\nПринесите ключи.\n", "utf-7"),
    ("图书馆明天早上开门，钥匙在抽屉里。\nA line of English.\n请预约。\n", "hz"),
]
MEANT_AS_WRITTEN = [
    "1 + 2 = 3, a+b+c, C++ and +44 20 7946 0000\n",
    "x = y +abc- z +def- w\n",
    "foo+bar baz+qux tea+the and+all\n",
    "data:AbC+xyz/09Ab+Qm9+eHk+xyzAbCd+/8=\n" * 3,
    "~{foo bar~} and ~{another one~}\n",
    "LaTeX: Fig.~{\\ref{a}} and Tab.~{\\ref{b}}~}\n",
    "git diff a/b+ADw-c\n",
]


@pytest.mark.parametrize(("text", "encoding"), SEVEN_BIT)
def test_a_note_in_plain_ascii_that_stands_for_other_letters_is_read(text: str, encoding: str) -> None:
    raw = text.encode(encoding)
    assert raw.isascii()
    assert decode(raw) == text


@pytest.mark.parametrize("text", MEANT_AS_WRITTEN)
def test_signs_that_only_look_like_such_an_encoding_stay_as_they_are_written(text: str) -> None:
    assert decode(text.encode()) == text


def test_lithuanian_with_the_quotes_of_windows_is_read() -> None:
    for times in (1, 15):
        assert decode(("\n".join([LITHUANIAN] * times)).encode("cp1257")) == "\n".join([LITHUANIAN] * times)


@pytest.mark.parametrize("times", LENGTHS)
@pytest.mark.parametrize(("text", "encoding"), LANGUAGES)
def test_a_note_in_an_old_encoding_is_read_in_it(text: str, encoding: str, times: int) -> None:
    written = "\n".join([text] * times)
    assert decode(written.encode(encoding)) == written


@pytest.mark.parametrize(("text", "encoding"), ASIAN)
def test_a_note_in_an_asian_encoding_is_read_in_it(text: str, encoding: str) -> None:
    assert is_text(text.encode(encoding))
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Notatka: Zażółć gęślą jaźń. Spotkanie w środę o ósmej.\n", "cp1250"),
        ("Zítra je schůze o střeše, vezmi žebřík a příkrývku.\n", "cp1250"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1250"),
        ("Ťažký deň: kôň, ďateľ, žltá hruška a ľahký vôz.", "cp1250"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy. Žluťoučký kůň, řeka a město.", "iso8859-2"),
        ("Šta je to? Čovjek živi u kući. Đak ide u školu.", "iso8859-2"),
        ("IBM이 HTML을 PDF로 바꾼다", "cp949"),
        ("Yarın çatı için toplantı var, merdiveni getir. Işıklar söndü.\n", "cp1254"),
        ("Meeting notes about the server: call Иванов about backup.\n", "cp1251"),
        ("Short note: крыша\n", "cp1251"),
        ("TODO: call the library (図書館) tomorrow about the overdue book and the new catalogue of maps.\n", "cp932"),
        ("It’s fine and costs 40€ – she said “yes”.\n", "cp1252"),
        ("Bring the book to the café in Zürich.\n", "cp1252"),
    ],
)
def test_a_few_foreign_words_are_enough(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_our_judges_are_right_at_least_as_often_as_charset_normalizer() -> None:
    from charset_normalizer import from_bytes

    ours = theirs = 0
    for text, encoding in LANGUAGES:
        raw = text.encode(encoding)
        best = from_bytes(raw).best()
        ours += decode(raw) == text
        theirs += best is not None and raw.decode(best.encoding, "replace") == text
    assert ours == len(LANGUAGES) >= theirs


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text", ["Plain words.\n", "Привет, мир\n", "安装了集群，然后重启服务器。\n配置文件在目录下。\n"]
)
def test_wide_text_without_a_mark_is_text(text: str, encoding: str) -> None:
    assert is_text(text.encode(encoding))
    assert decode(text.encode(encoding)) == text


# --- lines of two encodings, and damage -------------------------------------------------------------------------------


def test_a_line_in_another_encoding_is_decoded_by_itself() -> None:
    raw = "Das Café Müller öffnet früh.\n".encode() * 5 + "Später schließt es.\n".encode("cp1252")
    assert decode(raw).endswith("früh.\nSpäter schließt es.\n")


def test_one_line_of_utf_8_among_many_older_ones_is_read_too() -> None:
    raw = "Später schließt es früh.\r\n".encode("cp1252") * 9 + "Die Straße – gesperrt.\n".encode()
    assert decode(raw).split("\n")[8:10] == ["Später schließt es früh.", "Die Straße – gesperrt."]


def test_chinese_lines_that_happen_to_be_sound_utf_8_stay_chinese() -> None:
    text = "图书馆明天早上开门，钥匙在抽屉里。\n" * 20 + "模\n"
    raw = text.encode("gb18030")
    assert decode(raw) == text


def test_a_damaged_letter_costs_itself_alone() -> None:
    line = "Größe, Übung, Straße, Käse, Öl, grün, süß, schön\n"
    raw = line.encode() * 2
    assert decode(b"\xff" + raw) == "\ufffd" + line * 2
    assert decode(raw.replace(b"sch\xc3\xb6n", b"sch\xc3n", 1)) == line.replace("schön", "sch\ufffdn") + line


# --- what a text says of itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ('# -*- coding: koi8-r -*-\ns = "Привет"\n', "koi8-r"),
        ('#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\nprice = "5 €"\n', "iso8859-15"),
        ('x = "ёж"\n/* vim: set fenc=cp866: */\n', "cp866"),
        ('<?xml version="1.0" encoding="windows-1250"?>\n<a>ř</a>\n', "cp1250"),
        ('@charset "iso-8859-7";\n.a::before { content: "ώ" }\n', "iso8859-7"),
        ("\\usepackage[latin2]{inputenc}\nř\n", "iso8859-2"),
        ("\\usepackage[applemac]{inputenc}\né\n", "mac_roman"),
        ('"Content-Type: text/plain; charset=ISO-8859-13\\n"\nmsgstr "ž"\n', "iso8859-13"),
        (";; -*- mode: lisp; coding: euc-jp -*-\n; 本\n", "euc_jp"),
    ],
)
def test_what_a_source_declares_is_believed(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_declaration_that_the_bytes_deny_is_not_believed() -> None:
    assert (
        decode("# -*- coding: latin-1 -*-\n# Grüße, 図書館\n".encode())
        == "# -*- coding: latin-1 -*-\n# Grüße, 図書館\n"
    )
    assert decode("# coding: utf-8\n# Grüße\n".encode("cp1252")) == "# coding: utf-8\n# Grüße\n"
    assert decode("# coding: unheard-of\n# Grüße\n".encode("cp1252")) == "# coding: unheard-of\n# Grüße\n"


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("iso-8859-1", "cp1252", "It doesn’t cost 40€ – she said “fine”."),
        ("us-ascii", "cp1252", "It doesn’t cost 40€ – she said “fine”."),
        ("ISO-8859-9", "cp1254", "Türkçe “alıntı”"),
        ("gb2312", "gb18030", "图书馆镕"),
        ("euc-kr", "cp949", "똠방각하"),
        ("Shift_JIS", "cp932", "①髙橋"),
        ("iso-2022-jp", "iso2022_jp", "図書館"),
        ("iso-8859-1", "utf-8", "Grüße, 図書館"),
        ("utf-16", "utf-8", "Grüße"),
        ("utf-16", "utf-16-le", "Grüße"),
        ("unicode_escape", "utf-8", "a \\u0041"),
        ("hex", "utf-8", "6161"),
    ],
)
def test_a_label_means_what_it_means_on_the_web(label: str, encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), label) == text


FINE = "It doesn’t cost 40€ – she said “fine”."


def test_pages_and_mail_are_decoded_as_browsers_do(tmp_path: Path) -> None:
    page = f'<html><head><meta charset="iso-8859-1"></head><body><p>{FINE}</p></body></html>'
    assert read(tmp_path, "a.html", page.encode("cp1252")).text == FINE
    head = b"From: a@x.org\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    quoted = b"It doesn=92t cost 40=80 =96 she said =93fine=94.\r\n"
    mail = head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted
    assert read(tmp_path, "a.eml", mail).text.endswith(FINE)
