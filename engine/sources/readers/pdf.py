"""PDF: the text layer page by page, cut into paragraphs by how its lines end; scans and locked files say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pypdfium2 as pdfium
from pypdfium2 import raw as pdfium_c

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import storable
from engine.sources.readers.frontmatter import as_tags
from engine.sources.readers.ocr import DOTS_PER_INCH, MAX_PIXELS, Recogniser, grey_picture
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder

MAX_PAGES = 20_000
POINTS_PER_INCH = 72  # the unit of a page
SHORTEST_PARAGRAPH = 40  # code points: below it lies the debris of formulas and drawings
HEAD_BYTES = 1024  # where readers look for the signature, as some mailers put lines before it
_MADE_BY_MACHINE = re.compile(
    r"(?i)^(?:untitled.*|microsoft (?:word|powerpoint|excel) -.*|"
    r".*\.(?:docx?|pdf|tex|dvi|indd|pptx?|xlsx?|odt|rtf|ps|qxd|fm)|"
    r"(?:about:|https?:|file:).*|document\d*|title|slide \d+|print|noname|\(?anonymous\)?|[\W\d_]*)$"
)
_HYPHENATED = re.compile(r"([\w-]{0,60}[^\W\d_])(?:\ufffe|\x02)\n?")  # how PDFium marks a hyphen at a line's end
_BROKEN_WORD = re.compile(r"(?<![\w-])([^\W\d_]{2,})-\n([a-zß-öø-ÿ]{2,})(?![\w-])")
_ENDS_SENTENCE = re.compile(r"[.!?:;…。！？][\"'”’»)\]]*$")
_STARTS_ITEM = re.compile(r"(?:[•●▪‣–*·-]|\(?\d{1,3}[.)]|\[\d{1,3}\])\s")
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_CONTROLS = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f]")


def read(source: Source) -> Document:
    """Read the text layer of a PDF; every block knows its page."""
    document = _open(source.raw)
    try:
        builder = TextBuilder()
        pages = min(len(document), MAX_PAGES)
        for number in range(pages):
            for paragraph in _paragraphs(_page_text(document, number, source.recogniser)):
                builder.add("paragraph", paragraph, page=number + 1)
        properties = document.get_metadata_dict(skip_empty=True)
    finally:
        document.close()
    text, blocks = builder.finish()
    if not text.strip():
        scanned = "scanned: OCR found no words" if source.recogniser else "scanned: no text layer"
        raise SourceError(scanned if pages else "no pages")
    fields = {name.lower(): " ".join(storable(value).split()) for name, value in properties.items()}
    title = fields.pop("title", "")
    title = "" if _MADE_BY_MACHINE.match(title) or len(title) < 3 or "\ufffd" in title else title
    metadata = {new: fields[old] for old, new in (("author", "author"), ("subject", "subject")) if fields.get(old)}
    if date := _date(fields.get("creationdate", "")):
        metadata["created"] = date
    keywords = fields.get("keywords", "")
    return source.document(
        "pdf",
        text,
        blocks,
        title,
        tags=as_tags(keywords) if "," in keywords else (),
        metadata={**metadata, "pages": str(pages)},
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


def _page_text(document: pdfium.PdfDocument, number: int, recogniser: Recogniser | None) -> str:
    """Return one page's text, from its picture if it has no other; one that is damaged has none, others are read."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return ""
    try:
        textpage = page.get_textpage()
        try:
            text = str(textpage.get_text_bounded())
        finally:
            textpage.close()
        if recogniser is None or text.strip() or not pdfium_c.FPDFPage_CountObjects(page):
            return text
        return recogniser.words(_picture(page))
    except pdfium.PdfiumError:
        return ""
    finally:
        page.close()


def _picture(page: pdfium.PdfPage) -> bytes:
    """Paint a page in grey, as large as recognition needs it and no larger."""
    width, height = page.get_size()
    scale = min(DOTS_PER_INCH / POINTS_PER_INCH, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        return grey_picture(bitmap.width, bitmap.height, bitmap.stride, bytes(bitmap.buffer))
    finally:
        bitmap.close()


def _paragraphs(text: str) -> Iterator[str]:
    """Cut a page where a line ends a sentence short of the usual width, at items of lists, and at blank lines."""
    text = storable(text).translate(_LIGATURES)
    text = _BROKEN_WORD.sub(r"\1\2", _HYPHENATED.sub(_rejoin, text))
    lines = [_CONTROLS.sub(" ", line).rstrip() for line in text.split("\n")]
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


def _rejoin(match: re.Match[str]) -> str:
    return f"{match[1]}-" if "-" in match[1] else match[1]  # a compound keeps its hyphen


def _date(written: str) -> str:
    digits = _DATE.match(written)
    return "-".join(filter(None, digits.groups())) if digits else ""
