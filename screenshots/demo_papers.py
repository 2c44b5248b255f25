"""Makes the PDF and the DOCX of the demo vault from the words below, byte for byte the same each time.

    python screenshots/demo_papers.py

They are written by hand rather than by a library, so that they stay small and nobody wonders what is in them.
"""

from __future__ import annotations

import textwrap
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

VAULT = Path(__file__).resolve().parents[1] / "app" / "demo" / "vault"
LINE_CHARACTERS = 84
LINE_POINTS = 15
MIDNIGHT = (2024, 3, 1, 0, 0, 0)

RULES = (
    (
        "Rules of the Hillside Allotment Society",
        "As agreed at the annual meeting. Please keep this with your tenancy.",
        "1. Plots",
        "The rent is due on the first of October and not in the spring as some remember. A plot that is left "
        "uncultivated for a season gets a friendly letter, after two seasons an unfriendly one, and then it goes to "
        "the next name on the waiting list. Three quarters of the ground should be growing something that can be "
        "eaten, picked or admired.",
        "Paths between plots are shared, sixty centimetres wide, and mown by both neighbours. Nobody moves a "
        "boundary peg, not even back to where it was.",
        "2. Sheds, ponds and trees",
        "One shed of up to two metres by three, in a colour that does not shout. Ponds up to two square metres, with "
        "a plank so that hedgehogs can climb out. Fruit trees on dwarfing stock only; the old apple on plot 14 was "
        "there before the society and has rights of its own.",
    ),
    (
        "3. Water",
        "The tanks are filled from April to September. Fill a can, do not lift the float. Hoses are allowed while a "
        "hand is on them; sprinklers and hoses left running are not. In a drought the committee hangs a red card on "
        "the gate, and then it is cans only, before ten and after six.",
        "4. Fires",
        "Bonfires between the first of November and the end of March, on dry material, never within thirty metres of "
        "the houses in Crimicar Lane, and never alone. Look for hedgehogs first: move the heap before you light it.",
        "5. Animals",
        "Up to six hens, no cockerels. Bees after a course and a word with the neighbours. Dogs on a lead. Cats come "
        "and go as they always have.",
        "6. When we disagree",
        "Talk over the fence. If that does not help, talk to Beatrice Okafor, who has heard it all before.",
    ),
)

LETTER = (
    ("Heading1", "A light for the cycle path behind the station"),
    ("", "To the Highways Department, City Council"),
    ("", "Dear Sir or Madam,"),
    (
        "",
        "Between the bridge and the station car park the cycle path has had no working lamp since September. About two "
        "hundred people use it after dark in winter, on foot and on wheels. I have counted them, on three evenings, "
        "with a flask of tea.",
    ),
    ("Heading2", "What has happened so far"),
    (
        "",
        "In October a colleague of mine rode into a shopping trolley there and broke her wrist. In November I reported "
        "the lamp by your web form and received a number. In January the number was closed with the remark "
        "“resolved”. The lamp was not told.",
    ),
    ("Heading2", "What I ask for"),
    (
        "",
        "Repair the two lamps, numbers 14 and 15. Cut back the brambles, which have narrowed the path to the width of "
        "a handlebar. And please say who is responsible for the stretch below the railway arch, because your office "
        "and the railway each say that it is the other.",
    ),
    ("", "I would be glad to walk the path with whoever decides this, on an evening of their choice."),
    ("", "Yours faithfully, Nora Whitlock"),
)


def main() -> None:
    """Write both files into the vault."""
    pdf, docx = VAULT / "garden" / "allotment rules.pdf", VAULT / "letters" / "Letter to the council.docx"
    docx.parent.mkdir(exist_ok=True)
    pdf.write_bytes(pdf_of(RULES))
    write_docx(docx)
    for path in (pdf, docx):
        print(f"{path.name}: {path.stat().st_size} bytes")


def pdf_of(pages: tuple[tuple[str, ...], ...]) -> bytes:
    """Return a PDF with one page for each tuple of paragraphs; short ones are set as headings."""
    streams = [page_stream(page) for page in pages]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> "
        b"/F2 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >> >>",
    ]
    for number, stream in enumerate(streams):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font 3 0 R >> "
            f"/Contents {5 + 2 * number} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    title = b"<< /Title (Rules of the Hillside Allotment Society) >>"
    return assembled([*objects, title])


def page_stream(paragraphs: tuple[str, ...]) -> bytes:
    """Return the drawing orders of one page."""
    orders = [b"BT", b"%d TL" % LINE_POINTS, b"64 770 Td"]
    for paragraph in paragraphs:
        heading = len(paragraph) < 45
        orders.append(b"/F2 13 Tf" if heading else b"/F1 11 Tf")
        for line in textwrap.wrap(paragraph, LINE_CHARACTERS):
            written = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            orders.append(b"(%s) Tj T*" % written.encode("cp1252"))
        orders.append(b"T*")
    return b"\n".join([*orders, b"ET"])


def assembled(objects: list[bytes]) -> bytes:
    """Return a PDF file of numbered objects with its table of contents; the last object is the information."""
    body, places = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, written)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
        + b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, count - 1, len(body))
    )


def write_docx(path: Path) -> None:
    """Write the letter as a DOCX file of the few parts that one needs."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    paragraphs = "".join(
        f"<w:p>{style_of(style)}<w:r><w:t>{escape(words)}</w:t></w:r></w:p>" for style, words in LETTER
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        f'<w:pPr><w:outlineLvl w:val="{level - 1}"/></w:pPr></w:style>'
        for level in (1, 2)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}.document.main+xml"/>'
        f'<Override PartName="/word/styles.xml" ContentType="{kind}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "word/styles.xml": f'<w:styles xmlns:w="{word}">{styles}</w:styles>',
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{paragraphs}</w:body></w:document>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, written in parts.items():
            entry = zipfile.ZipInfo(name, MIDNIGHT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + written)


def style_of(style: str) -> str:
    """Return the properties of a paragraph of a style, "" for plain text."""
    return f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""


if __name__ == "__main__":
    main()
