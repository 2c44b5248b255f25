"""The words of files as other people's readers give them, to hold what Carrel's index holds against.

None of it is Carrel's: Markdown by markdown-it-py, reStructuredText by docutils, Org by orgparse, web pages by
html5lib, PDF by pdfminer.six and pypdf, Office files by python-docx, python-pptx, openpyxl and odfpy, RTF by striprtf,
LaTeX by pylatexenc, mail, JSON and CSV by Python itself, and the encoding of plain text by charset-normalizer.
"""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import logging
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote br dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5"
        " h6 header hr li main nav ol option p pre section summary table tbody td tfoot th thead title tr ul",
    )
)
UNSEEN = frozenset(("script", "style", "template", "head"))
LONGEST_WORD = 40  # letters: longer runs are keys and encoded bytes, which nobody types
SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")
PIECE = 4  # letters asked for of a run in a script without spaces


def words(path: Path) -> list[str]:
    """Return the different words of a file in the order of their first place; raises whatever its reader raises.

    A word is a run of letters, marks and digits, two or more; of a script without spaces, the first letters of a run.
    """
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        text = reader_of(path)(path)
    return list(dict.fromkeys(word for run in _runs(text) if (word := _asked(run))))


def reader_of(path: Path) -> Callable[[Path], str]:
    """Return the reader for a file's ending; KeyError where nothing independent reads it."""
    return READERS[path.suffix.lower()]


def _runs(text: str) -> list[str]:
    return "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text).split()


def _asked(run: str) -> str:
    if any(unicodedata.name(letter, "").startswith(SPACELESS) for letter in run):
        run = run[:PIECE]
    return run if 2 <= len(run) <= LONGEST_WORD else ""


def _plain(path: Path) -> str:
    from charset_normalizer import from_bytes

    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        best = from_bytes(content).best()
        return str(best) if best is not None else ""


def _markdown(path: Path) -> str:
    from markdown_it import MarkdownIt

    def said(tokens: list[Any]) -> Iterator[str]:
        for token in tokens:
            if token.type == "inline":
                yield "".join(said(token.children)) + "\n"
            elif token.type in ("html_block", "html_inline"):
                yield _visible(token.content, fragment=True) if token.type == "html_block" else ""
            elif token.type in ("softbreak", "hardbreak"):
                yield "\n"
            elif token.type == "image":
                yield token.content
            elif token.content:
                yield token.content + ("\n" if token.block else "")

    text = _plain(path)
    return "".join(said(MarkdownIt("commonmark").enable("table").parse(text)))


def _restructured(path: Path) -> str:
    from docutils.core import publish_doctree

    settings = {
        "report_level": 5,
        "halt_level": 5,
        "file_insertion_enabled": False,
        "raw_enabled": False,
        "_disable_config": True,
        "warning_stream": io.StringIO(),
    }
    tree = publish_doctree(_plain(path), settings_overrides=settings)
    unread = [node for node in tree.findall() if type(node).__name__ in ("system_message", "problematic", "comment")]
    for node in unread:
        if node.parent is not None and type(node).__name__ != "problematic":
            node.parent.remove(node)
    return tree.astext()


def _org(path: Path) -> str:
    import orgparse

    nodes = list(orgparse.loads(_plain(path)))
    return "\n".join(f"{getattr(node, 'heading', '')}\n{node.get_body(format='plain')}" for node in nodes)


def _visible(source: str | bytes, fragment: bool = False) -> str:
    import html5lib

    tree = (html5lib.parseFragment if fragment else html5lib.parse)(source, namespaceHTMLElements=False)

    def said(element: Any) -> Iterator[str]:
        if not isinstance(element.tag, str) or element.tag in UNSEEN:
            yield element.tail or ""
            return
        edge = "\n" if element.tag in BLOCKS else ""
        yield edge + (element.text or "")
        for child in element:
            yield from said(child)
        yield edge + (element.tail or "")

    return "".join(said(tree))


def _page(path: Path) -> str:
    return _visible(path.read_bytes())


def _pdf(path: Path) -> str:
    """Return the words that two readers agree on: each alone glues and parts some; hyphens at line ends are closed."""
    from pdfminer.high_level import extract_text
    from pypdf import PdfReader

    for name in ("pdfminer", "pypdf"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    readings = extract_text(str(path)) or "", "\n".join(page.extract_text() for page in PdfReader(path).pages)
    one, other = (_runs(re.sub(r"-\s*\n\s*", "", text)) for text in readings)
    agreed = set(other)
    return "\n".join(word for word in one if word in agreed)


def _docx(path: Path) -> str:
    import docx
    from docx.text.paragraph import Paragraph

    body = docx.Document(str(path)).element.body
    return "\n".join(Paragraph(node, None).text for node in body.iter() if node.tag.endswith("}p"))  # type: ignore[arg-type]


def _pptx(path: Path) -> str:
    import pptx

    def texts(shapes: Any) -> Iterator[str]:
        for shape in shapes:
            if shape.has_text_frame:
                yield shape.text_frame.text
            if getattr(shape, "has_table", False) and shape.has_table:
                yield from (cell.text for row in shape.table.rows for cell in row.cells)
            if hasattr(shape, "shapes"):
                yield from texts(shape.shapes)

    slides = pptx.Presentation(str(path)).slides
    notes = (slide.notes_slide.notes_text_frame.text for slide in slides if slide.has_notes_slide)
    return "\n".join([*(text for slide in slides for text in texts(slide.shapes)), *notes])


def _xlsx(path: Path) -> str:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    cells = (value for sheet in book.worksheets for row in sheet.iter_rows(values_only=True) for value in row)
    return "\n".join([*book.sheetnames, *(value for value in cells if isinstance(value, str))])


def _odt(path: Path) -> str:
    from odf import teletype, text
    from odf.opendocument import load

    document = load(str(path))
    kinds = (text.P, text.H)
    return "\n".join(teletype.extractText(node) for kind in kinds for node in document.getElementsByType(kind))


def _rtf(path: Path) -> str:
    from striprtf.striprtf import rtf_to_text

    return rtf_to_text(path.read_bytes().decode("latin-1"), errors="ignore")


def _latex(path: Path) -> str:
    from pylatexenc.latex2text import LatexNodes2Text

    written = _plain(path).replace("\\today", "")  # which would become the day of the audit
    return LatexNodes2Text(math_mode="verbatim").latex_to_text(written)


def _mail(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    said = [str(message.get(name, "")) for name in ("subject", "from", "to")]
    body = message.get_body(("plain", "html"))
    if body is not None:
        content = str(body.get_content())
        said.append(_visible(content) if body.get_content_subtype() == "html" else content)
    return "\n".join(said)


def _json(path: Path) -> str:
    def said(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield str(key)
                yield from said(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from said(inner)
        elif isinstance(value, str):
            yield value

    text = _plain(path)
    values = (json.loads(line) for line in text.split("\n") if line.strip()) if path.suffix != ".json" else ()
    return "\n".join(said(json.loads(text) if path.suffix == ".json" else list(values)))


def _notebook(path: Path) -> str:
    cells = json.loads(_plain(path)).get("cells", [])
    return "\n".join("".join(cell.get("source", "")) for cell in cells)


def _table(path: Path) -> str:
    text = _plain(path)
    rows = csv.reader(io.StringIO(text), delimiter="\t" if path.suffix == ".tsv" else ",")
    return "\n".join("\n".join(row) for row in rows)


def _book(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        pages = [name for name in archive.namelist() if name.lower().endswith((".xhtml", ".html", ".htm"))]
        return "\n".join(_visible(archive.read(name)) for name in pages)


def _xml(path: Path) -> str:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    return "\n".join(str(text) for text in etree.fromstring(path.read_bytes(), parser).itertext())


READERS: dict[str, Callable[[Path], str]] = {
    **dict.fromkeys((".md", ".markdown"), _markdown),
    **dict.fromkeys((".txt", ".text", ".log", ".py", ".js", ".ts", ".rs", ".go", ".c", ".h", ".sh"), _plain),
    **dict.fromkeys((".html", ".htm", ".xhtml"), _page),
    **dict.fromkeys((".json", ".ndjson", ".jsonl"), _json),
    **dict.fromkeys((".csv", ".tsv"), _table),
    ".rst": _restructured,
    ".org": _org,
    ".pdf": _pdf,
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".odt": _odt,
    ".rtf": _rtf,
    ".tex": _latex,
    ".eml": _mail,
    ".ipynb": _notebook,
    ".epub": _book,
    ".xml": _xml,
}
