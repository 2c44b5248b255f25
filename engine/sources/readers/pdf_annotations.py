"""What lies on the pages of a PDF and not in them: values of forms, notes, text boxes, links and attached files."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pypdfium2 as pdfium
from pypdfium2 import raw as pdfium_c

from engine.records import Link
from engine.sources.encodings import storable

MAX_ANNOTATIONS = 2000  # of one page
MAX_BYTES = 200_000  # of one text
MAX_ATTACHED = 100  # files inside one
MAX_ATTACHED_BYTES = 64 * 2**20  # of them together
_TYPED = frozenset(
    (pdfium_c.FPDF_FORMFIELD_TEXTFIELD, pdfium_c.FPDF_FORMFIELD_COMBOBOX, pdfium_c.FPDF_FORMFIELD_LISTBOX)
)
_TICKED = frozenset((pdfium_c.FPDF_FORMFIELD_CHECKBOX, pdfium_c.FPDF_FORMFIELD_RADIOBUTTON))
_SAYS_NOTHING = frozenset(("", "off", "on", "yes", "no", "1", "0", "true", "false", "choice"))  # values of ticked boxes
_SILENT = frozenset((pdfium_c.FPDF_ANNOT_POPUP, pdfium_c.FPDF_ANNOT_WIDGET, pdfium_c.FPDF_ANNOT_LINK))


@dataclass(slots=True)
class Annotations:
    """What was found on one page: each value of a form with its label, each note with its author, each link.

    `files` are the places of the annotations that a file hangs on.
    """

    values: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    files: list[int] = field(default_factory=list)


def annotations_of(document: pdfium.PdfDocument, page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> Annotations:
    """Return what lies on a page; a damaged annotation is passed over."""
    found = Annotations()
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
            if kind == pdfium_c.FPDF_ANNOT_WIDGET:
                found.values += _value(document, annotation)
            elif kind == pdfium_c.FPDF_ANNOT_LINK:
                found.links += _link(document, annotation, textpage)
            elif kind == pdfium_c.FPDF_ANNOT_FILEATTACHMENT:
                found.files.append(index)
            if kind not in _SILENT and (words := _entry(annotation, b"Contents").strip()):
                author = _entry(annotation, b"T").strip()
                found.notes.append(f"{author}: {words}" if author else words)
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)
    found.values = list(dict.fromkeys(found.values))
    found.notes = list(dict.fromkeys(found.notes))
    return found


def attached_files(document: pdfium.PdfDocument, pinned: Iterable[tuple[int, int]] = ()) -> Iterator[tuple[str, bytes]]:
    """Give the files that lie inside a PDF by name, each once; one that is too large, or damaged, is empty.

    `pinned` are the pages that files hang on, from 0, with the places of their annotations.
    """
    room = MAX_ATTACHED_BYTES
    given = set()
    for _, attachment in zip(range(MAX_ATTACHED), _attachments(document, pinned), strict=False):
        try:
            name = " ".join(storable(attachment.get_name()).split())
            size = ctypes.c_ulong()
            pdfium_c.FPDFAttachment_GetFile(attachment, None, 0, size)
            content = bytes(attachment.get_data()) if 0 < size.value <= room else b""
        except pdfium.PdfiumError:
            continue
        if (name, content) not in given:
            given.add((name, content))
            room -= len(content)
            yield name, content


def _attachments(document: pdfium.PdfDocument, pinned: Iterable[tuple[int, int]]) -> Iterator[pdfium.PdfAttachment]:
    """Give the files of the whole, then those of its pages, each of which is open only until the next is asked for."""
    for index in range(document.count_attachments()):
        attachment = pdfium_c.FPDFDoc_GetAttachment(document, index)
        if attachment:
            yield pdfium.PdfAttachment(attachment, document)
    for number, index in pinned:
        page = document[number]
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        try:
            attachment = pdfium_c.FPDFAnnot_GetFileAttachment(annotation)
            if attachment:
                yield pdfium.PdfAttachment(attachment, document)
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)
            page.close()


def _value(document: pdfium.PdfDocument, annotation: object) -> Iterator[str]:
    """Give what a person typed or chose in a field, behind the label that the form shows for it."""
    form = document.formenv
    if form is None:
        return
    kind = pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in _TYPED:
        value = _text(lambda *room: pdfium_c.FPDFAnnot_GetFormFieldValue(form, annotation, *room))
    elif kind in _TICKED and pdfium_c.FPDFAnnot_IsChecked(form, annotation):
        value = _text(lambda *room: pdfium_c.FPDFAnnot_GetFormFieldExportValue(form, annotation, *room))
        value = "" if value.strip().casefold() in _SAYS_NOTHING else value
    else:
        return
    if value.strip():
        label = _text(lambda *room: pdfium_c.FPDFAnnot_GetFormFieldAlternateName(form, annotation, *room)).strip()
        yield f"{label}: {value.strip()}" if label else value.strip()


def _link(document: pdfium.PdfDocument, annotation: object, textpage: pdfium.PdfTextPage) -> Iterator[Link]:
    link = pdfium_c.FPDFAnnot_GetLink(annotation)
    action = pdfium_c.FPDFLink_GetAction(link) if link else None
    if not action or pdfium_c.FPDFAction_GetType(action) != pdfium_c.PDFACTION_URI:
        return
    size = pdfium_c.FPDFAction_GetURIPath(document, action, None, 0)
    if not 1 < size <= MAX_BYTES:
        return
    room = ctypes.create_string_buffer(size)
    pdfium_c.FPDFAction_GetURIPath(document, action, room, size)
    place = pdfium_c.FS_RECTF()
    words = ""
    if pdfium_c.FPDFAnnot_GetRect(annotation, place):
        words = textpage.get_text_bounded(place.left, place.bottom, place.right, place.top)
    yield Link(storable(room.value.decode("utf-8", "replace")), " ".join(storable(words).split()))


def _entry(annotation: object, key: bytes) -> str:
    return _text(lambda *room: pdfium_c.FPDFAnnot_GetStringValue(annotation, key, *room))


def _text(get: Callable[..., int]) -> str:
    """Ask PDFium for a text: first for its size in bytes, then for its UTF-16."""
    size = get(None, 0)
    if not 2 < size <= MAX_BYTES:
        return ""
    room = (ctypes.c_ushort * (size // 2 + 1))()
    get(room, size)
    return storable(bytes(room)[: size - 2].decode("utf-16-le", "replace")).strip("\x00")
