"""Links of every part of an office file and of every page are found by their address, on the page that holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import archive, read
from test_readers_office import OFFICE, relations
from test_readers_pdf import pdf

from engine.chunking import PassageRules, cut
from engine.sources.readers.link_targets import MOST

ADDRESS = "https://example.org/quokka?page=2"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"


def word_file_with(body: str, part: str = "") -> bytes:
    """Write a Word file of a body, with a `part` beside it that holds a link to the address."""
    words = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    inside = f'xmlns:w="{words}" xmlns:r="{OFFICE}" xmlns:a="{DRAWING}"'
    link = '<w:p><w:hyperlink r:id="r9"><w:r><w:t>manual</w:t></w:r></w:hyperlink></w:p>'
    name = part if part == "header" else f"{part}s"
    written = {
        "word/document.xml": f"<w:document {inside}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": relations(("r9", "hyperlink", ADDRESS), ("x", name, f"{name}.xml")),
    }
    if part:
        held = link if part == "header" else f"<w:{part}>{link}</w:{part}>"
        written[f"word/{name}.xml"] = f"<w:root {inside}>{held}</w:root>"
        written[f"word/_rels/{name}.xml.rels"] = relations(("r9", "hyperlink", ADDRESS))
    return archive(written)


def run_of(content: str) -> str:
    return f"<w:r>{content}</w:r>"


MANUAL = run_of("<w:t>Read the manual</w:t>")
FIELD = (
    run_of('<w:fldChar w:fldCharType="begin"/>')
    + "".join(run_of(f"<w:instrText>{piece}</w:instrText>") for piece in (' HYPERLINK "', f'{ADDRESS}" '))
    + run_of('<w:fldChar w:fldCharType="separate"/>')
    + MANUAL
    + run_of('<w:fldChar w:fldCharType="end"/>')
)
PICTURE = run_of('<w:drawing><a:docPr><a:hlinkClick r:id="r9"/></a:docPr></w:drawing>')
BARE = f"<w:p><w:fldSimple w:instr=' HYPERLINK  {ADDRESS} \\h '>{MANUAL}</w:fldSimple></w:p>"


def talk(shape: str, notes: str = "") -> bytes:
    """Write a talk of two slides, the first with the shape and the notes."""
    inside = f'xmlns:p="{SLIDES}" xmlns:a="{DRAWING}" xmlns:r="{OFFICE}"'
    text = "<p:sp><p:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:txBody></p:sp>"
    made = {
        "ppt/presentation.xml": f'<p:x {inside}><p:sldId r:id="r1"/><p:sldId r:id="r2"/></p:x>',
        "ppt/_rels/presentation.xml.rels": relations(("r1", "slide", "1.xml"), ("r2", "slide", "2.xml")),
        "ppt/1.xml": f"<p:sld {inside}>{text.format('Read the manual')}{shape}</p:sld>",
        "ppt/2.xml": f"<p:sld {inside}>{text.format('The end')}</p:sld>",
        "ppt/notes.xml": f"<p:notes {inside}>{notes}</p:notes>",
        "ppt/_rels/notes.xml.rels": relations(("r9", "hyperlink", ADDRESS)),
        "ppt/_rels/1.xml.rels": relations(("r9", "hyperlink", ADDRESS), ("n", "notesSlide", "notes.xml")),
    }
    return archive(made)


CLICK = '<a:hlinkClick r:id="r9"/>'
PICTURE_OF_SLIDE = f"<p:pic><p:nvPicPr><p:cNvPr>{CLICK}</p:cNvPr></p:nvPicPr></p:pic>"
IN_NOTES = f"<p:sp><a:p><a:r><a:rPr>{CLICK}</a:rPr><a:t>there</a:t></a:r></a:p></p:sp>"


def page_drawings() -> bytes:
    """Write two pages of a flat drawing, the first with a link."""
    names = ("office", "text", "draw")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    link = f'<text:a xmlns:x="http://www.w3.org/1999/xlink" x:href="{ADDRESS}">manual</text:a>'
    page = "<draw:page><draw:frame><text:p>{}</text:p></draw:frame></draw:page>"
    pages = page.format(f"Read the {link}") + page.format("The end")
    body = f"<office:body><office:drawing>{pages}</office:drawing></office:body>"
    return f"<office:document {spaces}>{body}</office:document>".encode()


def printed(*links: int) -> bytes:
    """Write a PDF with as many links as said on each page, each to another place."""
    pages = tuple(f"BT /F1 12 Tf 50 700 Td (Read the manual {number}) Tj ET" for number in range(len(links)))
    first = 3 + 2 * len(pages)
    lists, objects = [], []
    for page, count in enumerate(links):
        lists.append(f"/Annots[{' '.join(f'{first + len(objects) + index} 0 R' for index in range(count))}]")
        objects += [
            f"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.org/quokka-{page}-{at})>>>>"
            for at in range(count)
        ]
    return pdf(*pages, objects=tuple(objects), each=lists)


# --- pages ----------------------------------------------------------------------------------------------------------


def where(path: Path, name: str, content: bytes, address: str = ADDRESS) -> list[int | None]:
    """Return the pages of the blocks that hold an address."""
    document = read(path, name, content)
    return [each.page for each in document.blocks if address in document.text[each.start : each.end].split("\n")]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pptx", talk(IN_NOTES)), ("a.fodg", page_drawings()), ("a.pdf", printed(1, 0))],
    ids=["pptx", "odg", "pdf"],
)
def test_an_address_stands_on_the_page_of_its_link(tmp_path: Path, name: str, content: bytes) -> None:
    assert where(tmp_path, name, content, "https://example.org/quokka-0-0" if name == "a.pdf" else ADDRESS) == [1]


def test_each_page_has_the_addresses_of_its_own_links_unless_they_are_very_many(tmp_path: Path) -> None:
    content = printed(MOST, MOST + 1, 2)
    assert where(tmp_path, "a.pdf", content, "https://example.org/quokka-0-0") == [1]
    assert where(tmp_path, "a.pdf", content, "https://example.org/quokka-1-0") == []
    assert where(tmp_path, "a.pdf", content, "https://example.org/quokka-2-1") == [3]


def test_the_addresses_of_a_page_are_cut_off_from_the_next_page_and_not_from_their_own(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pdf", printed(1, 1))
    rules = PassageRules.from_dict({"window": 80, "target": 20})
    passages = cut(document, lambda text: [*range(len(text))], rules)
    found = {address: passage for passage in passages for address in passage.text.split("\n") if "quokka" in address}
    assert [passage.page for passage in found.values()] == [1, 2]
    assert all(passage.text.startswith("Read the manual") for passage in found.values())


# --- parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [f"<w:p>{FIELD}</w:p>", BARE, f"<w:p>{PICTURE}</w:p>"], ids=["field", "bare", "picture"]
)
def test_a_link_of_a_word_document_is_found_however_it_is_written(tmp_path: Path, body: str) -> None:
    document = read(tmp_path, "a.docx", word_file_with(f"<w:p>{run_of('<w:t>Here.</w:t>')}</w:p>{body}"))
    assert document.text.count(ADDRESS) == 1
    assert [link.target for link in document.links] == [ADDRESS]


@pytest.mark.parametrize("part", ["footnote", "endnote", "comment", "header"])
def test_a_link_beside_the_body_of_a_word_document_is_found(tmp_path: Path, part: str) -> None:
    body = f"<w:p>{run_of('<w:t>Here.</w:t>')}</w:p>"
    document = read(tmp_path, "a.docx", word_file_with(body, part))
    assert [(link.target, link.text) for link in document.links] == [(ADDRESS, "manual")]
    assert document.text.endswith(ADDRESS)


def test_what_leads_to_a_place_in_a_word_document_or_was_deleted_is_no_address(tmp_path: Path) -> None:
    contents = run_of('<w:instrText> HYPERLINK \\l "_Toc1" </w:instrText>') + MANUAL
    deleted = f"<w:del>{FIELD}</w:del>"
    assert read(tmp_path, "a.docx", word_file_with(f"<w:p>{contents}</w:p>")).links == ()
    assert read(tmp_path, "a.docx", word_file_with(f"<w:p>{MANUAL}{deleted}</w:p>")).links == ()


LINK = f'<{{}} xmlns:x="http://www.w3.org/1999/xlink" x:href="{ADDRESS}"><text:p>manual</text:p></{{}}>'


@pytest.mark.parametrize("element", ["text:a", "draw:a", "draw:area-circle", "presentation:event-listener"])
def test_links_around_the_pages_of_an_open_document_and_of_its_shapes_are_found(tmp_path: Path, element: str) -> None:
    link = LINK.format(element, element)
    names = ("office", "text", "draw", "style", "presentation")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    spaces = spaces.replace("xmlns:draw:1.0", "xmlns:drawing:1.0")
    body = "<office:body><office:text><text:p>Here.</text:p>{}</office:text></office:body>"
    model = "<office:master-styles><style:master-page>{}</style:master-page></office:master-styles>"
    for inside, above in ((link, ""), ("", f"<style:header>{link}</style:header>")):
        written = f"<office:document {spaces}>{model.format(above)}{body.format(inside)}</office:document>"
        document = read(tmp_path, "a.fodt", written.encode())
        assert [each.target for each in document.links] == [ADDRESS]
        assert document.text.endswith(ADDRESS)


@pytest.mark.parametrize(
    ("shape", "notes"), [(PICTURE_OF_SLIDE, ""), (IN_NOTES, ""), ("", IN_NOTES)], ids=["picture", "words", "notes"]
)
def test_a_link_of_a_slide_is_found_on_it_wherever_it_lies(tmp_path: Path, shape: str, notes: str) -> None:
    assert where(tmp_path, "a.pptx", talk(shape, notes)) == [1]
