"""Address books: each card under the name of the person, with all that it says of them in words."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers.content_lines import Property, properties
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder, line_by_line

_LABELS = {
    "N": "Name",
    "NICKNAME": "Nickname",
    "ORG": "Organization",
    "TITLE": "Title",
    "ROLE": "Role",
    "EMAIL": "E-mail",
    "TEL": "Telephone",
    "ADR": "Address",
    "BDAY": "Birthday",
    "ANNIVERSARY": "Anniversary",
    "CATEGORIES": "Categories",
    "URL": "Web",
    "IMPP": "Messages",
    "RELATED": "Related",
    "LANG": "Language",
    "MEMBER": "Member",
}
_IN_PARTS = frozenset(("N", "ORG", "ADR", "CATEGORIES", "NICKNAME"))
_TOLD_APART = (
    "BEGIN END VERSION PRODID REV UID FN NOTE PHOTO LOGO SOUND KEY SOURCE KIND CLIENTPIDMAP MAILER LABEL AGENT"
)
_SILENT = frozenset(_TOLD_APART.split())  # what programs tell one another, and what has a place of its own
UNNAMED = "(no name)"


def read(source: Source) -> Document:
    """Read vCards of version 2.1, 3 or 4; the title of a single card is the name on it."""
    found = list(properties(source.text()))
    if source.raw.strip() and not any(each.name == "BEGIN" for each in found):
        raise SourceError("no card inside")
    builder, names, card = TextBuilder(), list[str](), list[Property]()
    for each in found:
        if each.name == "BEGIN":
            card = []
        elif each.name == "END":
            names.append(_add_card(builder, card))
            card = []
        else:
            card.append(each)
    if card:  # the file was cut short
        names.append(_add_card(builder, card))
    text, blocks = builder.finish()
    title = names[0] if len(names) == 1 and names[0] != UNNAMED else ""
    return source.document("contacts", text, blocks, title, line_map=builder.line_map)


def _add_card(builder: TextBuilder, card: Sequence[Property]) -> str:
    """Add one card, and return the name on it."""
    by_name = {each.name: each for each in reversed(card)}
    named = by_name.get("FN") or by_name.get("ORG") or by_name.get("N")
    name = " ".join(" ".join(named.parts).split()) if named is not None else ""
    builder.heading(name or UNNAMED, 1, line=named.line if named is not None else 0)
    told = [(f"{_label(each)}: {_said(each)}", each.line) for each in card if _is_told(each)]
    listed = "\n".join(words for words, _ in told)
    builder.add("list", listed, places=line_by_line(listed, [line for _, line in told]))
    for each in card:
        if each.name in ("NOTE", "LABEL") and not each.is_data:
            builder.add("paragraph", each.text, places=[(0, each.line)])
    return name or UNNAMED


def _is_told(each: Property) -> bool:
    return each.name not in _SILENT and not each.is_data and any(map(str.isalnum, _said(each)))


def _label(each: Property) -> str:
    return _LABELS.get(each.name) or each.name.removeprefix("X-").replace("-", " ").capitalize()


def _said(each: Property) -> str:
    if each.name in _IN_PARTS or (each.name.startswith("X-") and ";" in each.value):
        return ", ".join(each.parts)
    return " ".join(each.text.removeprefix("tel:").removeprefix("mailto:").split())
