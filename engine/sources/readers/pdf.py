"""PDF: the text layer page by page, under the headings of its outline, and what was written into forms and notes.

A page is cut into paragraphs by how its lines end. Scans and locked files say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import sin

import pypdfium2 as pdfium
from pypdfium2 import raw as pdfium_c

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.attached_files import add_attached
from engine.sources.readers.frontmatter import as_keywords
from engine.sources.readers.line_end_hyphens import rejoined, words_of
from engine.sources.readers.link_targets import addresses
from engine.sources.readers.ocr import DOTS_PER_INCH, MAX_PIXELS, Recogniser, grey_picture
from engine.sources.readers.pdf_annotations import Annotations, annotations_of, attached_files
from engine.sources.readers.pdf_outline import Entry, outline_of, pieces
from engine.sources.readers.pdf_right_to_left import in_reading_order
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder

MAX_PAGES = 20_000
POINTS_PER_INCH = 72  # the unit of a page
SAMPLED_CHARACTERS = 64  # of a page, whose direction is asked for
TURNED_SHARE = 0.2  # of them, above which a page is read as one of lines that run upwards
SHORTEST_PARAGRAPH = 40  # code points: below it lies the debris of formulas and drawings
HEAD_BYTES = 1024  # where readers look for the signature, as some mailers put lines before it
_MADE_BY_MACHINE = re.compile(
    r"(?i)^(?:untitled.*|microsoft (?:word|powerpoint|excel) -.*|"
    r".*\.(?:docx?|pdf|tex|dvi|indd|pptx?|xlsx?|odt|rtf|ps|qxd|fm)|"
    r"(?:about:|https?:|file:).*|document\d*|title|slide \d+|print|noname|\(?anonymous\)?|[\W\d_]*)$"
)
_ENDS_SENTENCE = re.compile(r"[.!?:;…。！？][\"'”’»)\]]*$")
_STARTS_ITEM = re.compile(r"(?:[•●▪‣–*·-]|\(?\d{1,3}[.)]|\[\d{1,3}\])\s")
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_CONTROLS = re.compile("[\x01\x03-\x08\x0b\x0e-\x1f\x7f]")  # without the mark of a hyphen at a line's end


@dataclass(frozen=True, slots=True)
class _Page:
    text: str
    annotations: Annotations
    cut_off: str = ""  # what stands on the paper, outside the box that is shown of it

    def has_words(self) -> bool:
        """Whether anything can be read of the page."""
        return bool(self.text.strip() or self.cut_off.strip() or self.annotations.values or self.annotations.notes)


def read(source: Source) -> Document:
    """Read the text layer of a PDF; every block knows its page."""
    document = _open(source.raw)
    try:
        outline = outline_of(document)
        pages = list(_pages(document, source.recogniser))
        properties = document.get_metadata_dict(skip_empty=True)
        pinned = ((number, index) for number, page in enumerate(pages) for index in page.annotations.files)
        attached = list(attached_files(document, pinned))
    finally:
        document.close()
    builder, links = TextBuilder(), list[Link]()
    known = words_of(page.text for page in pages)
    for number, page in enumerate(pages):
        _add(builder, page, number + 1, outline.get(number, ()), known)
        links += page.annotations.links
    add_attached(source, builder, attached)
    text, blocks = builder.finish()
    if not any(page.has_words() for page in pages):
        scanned = "scanned: OCR found no words" if source.recogniser else "scanned: no text layer"
        raise SourceError(scanned if pages else "no pages")
    fields = {name.lower(): " ".join(storable(value).split()) for name, value in properties.items()}
    title = fields.pop("title", "")
    title = "" if _MADE_BY_MACHINE.match(title) or len(title) < 3 or "\ufffd" in title else title
    metadata = {new: fields[old] for old, new in (("author", "author"), ("subject", "subject")) if fields.get(old)}
    if date := _date(fields.get("creationdate", "")):
        metadata["created"] = date
    return source.document(
        "pdf",
        text,
        blocks,
        title,
        tags=as_keywords(fields.get("keywords", "")),
        links=links[:MAX_LINKS],
        metadata={**metadata, "pages": str(len(pages))},
    )


def _open(raw: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(raw)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium_c.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise SourceError("encrypted") from None
        if getattr(error, "err_code", None) == pdfium_c.FPDF_ERR_SECURITY:
            raise SourceError("encrypted in an unknown way") from None
        is_pdf = b"%PDF-" in raw[:HEAD_BYTES]
        raise SourceError("truncated or damaged PDF" if is_pdf else "not a PDF") from None


def _pages(document: pdfium.PdfDocument, recogniser: Recogniser | None) -> Iterator[_Page]:
    """Read the pages one by one; one that is damaged is empty, others are read."""
    with suppress(pdfium.PdfiumError):
        document.init_forms()
    for number in range(min(len(document), MAX_PAGES)):
        try:
            yield _read_page(document, number, recogniser)
        except pdfium.PdfiumError:
            yield _Page("", Annotations())


def _read_page(document: pdfium.PdfDocument, number: int, recogniser: Recogniser | None) -> _Page:
    """Read one page: its text, from its picture if it has no other, and what lies on it."""
    page = document[number]
    try:
        textpage = page.get_textpage()
        try:
            text = in_reading_order(_text_of(page, textpage), textpage)
            cut_off = _outside(page, textpage)
            annotations = annotations_of(document, page, textpage)
        finally:
            textpage.close()
        if recogniser is not None and not text.strip() and pdfium_c.FPDFPage_CountObjects(page):
            text = recogniser.words(_picture(page))
    finally:
        page.close()
    return _Page(_plain(text), annotations, _plain(cut_off))


def _plain(text: str) -> str:
    return _CONTROLS.sub(" ", storable(text).translate(_LIGATURES))


def _text_of(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> str:
    """Return the text of a page line by line.

    Text inside a box keeps indices beside what they belong to, but PDFium takes the box as the page is shown and ends
    lines by their height on the page: of a turned page it gives a part, and of text that runs upwards one line.
    """
    if page.get_rotation() in (90, 270) or _runs_upwards(textpage):
        return str(textpage.get_text_range())
    return str(textpage.get_text_bounded(*page.get_bbox()))


def _outside(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> str:
    """Return what stands beside, above and below the box that is shown of a page, within its paper."""
    left, bottom, right, top = page.get_bbox()
    paper = page.get_mediabox()
    if page.get_rotation() in (90, 270) or paper == (left, bottom, right, top):
        return ""
    strips = (
        (paper[0], top, paper[2], paper[3]),
        (paper[0], bottom, left, top),
        (right, bottom, paper[2], top),
        (paper[0], paper[1], paper[2], bottom),
    )
    found = (str(textpage.get_text_bounded(*strip)) for strip in strips if strip[0] < strip[2] and strip[1] < strip[3])
    return "\n".join(filter(str.strip, found))


def _runs_upwards(textpage: pdfium.PdfTextPage) -> bool:
    """Whether much of a page stands on lines that run up or down, as a wide table does, and not a stamp at its edge."""
    count = textpage.count_chars()
    asked = range(0, count, max(1, count // SAMPLED_CHARACTERS))
    turned = sum(abs(sin(pdfium_c.FPDFText_GetCharAngle(textpage, index))) > 0.7 for index in asked)
    return turned > TURNED_SHARE * len(asked)


def _picture(page: pdfium.PdfPage) -> bytes:
    """Paint a page in grey, as large as recognition needs it and no larger."""
    width, height = page.get_size()
    scale = min(DOTS_PER_INCH / POINTS_PER_INCH, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        return grey_picture(bitmap.width, bitmap.height, bitmap.stride, bytes(bitmap.buffer))
    finally:
        bitmap.close()


def _add(builder: TextBuilder, page: _Page, number: int, entries: Sequence[Entry], known: frozenset[str]) -> None:
    """Add a page: its headings and paragraphs, what was typed into its fields, its notes, and where its links lead."""
    for piece in pieces(rejoined(page.text, known).split("\n"), entries):
        if piece.level:
            builder.heading(piece.lines[0], piece.level, page=number)
        else:
            for paragraph in _paragraphs(piece.lines):
                builder.add("paragraph", paragraph, page=number)
    builder.add("paragraph", "\n".join(page.annotations.values), page=number)
    for note in page.annotations.notes:
        builder.add("paragraph", note, page=number)
    builder.add("meta", page.cut_off, page=number)  # crop marks and names of files, mostly: found by words alone
    builder.add("meta", "\n".join(addresses(page.annotations.links, page.text)), page=number)


def _paragraphs(written: Sequence[str]) -> Iterator[str]:
    """Cut lines where one ends a sentence short of the usual width, at items of lists, and at blank lines."""
    lines = [line.rstrip() for line in written]
    widths = sorted(len(line) for line in lines if line)
    usual = widths[len(widths) * 3 // 4] if widths else 0
    paragraph: list[str] = []
    length = 0
    for line in lines:
        if length >= SHORTEST_PARAGRAPH and (not line or _STARTS_ITEM.match(line)):
            yield "\n".join(paragraph)
            paragraph, length = [], 0
        if line:
            paragraph.append(line)
            length += len(line)
            if length >= SHORTEST_PARAGRAPH and len(line) < 0.8 * usual and _ENDS_SENTENCE.search(line):
                yield "\n".join(paragraph)
                paragraph, length = [], 0
    if paragraph:
        yield "\n".join(paragraph)


def _date(written: str) -> str:
    digits = _DATE.match(written)
    return "-".join(filter(None, digits.groups())) if digits else ""
