"""Calendars and invitations: each event, task and journal entry under its name, with when, where and who."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers.content_lines import Property, properties
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder, line_by_line

_ENTRIES = ("VEVENT", "VTODO", "VJOURNAL")
_LABELS = {
    "DTSTART": "Begins",
    "DTEND": "Ends",
    "DUE": "Due",
    "COMPLETED": "Completed",
    "LOCATION": "Where",
    "ORGANIZER": "Organizer",
    "ATTENDEE": "With",
    "CONTACT": "Contact",
    "CATEGORIES": "Categories",
    "RESOURCES": "Resources",
    "STATUS": "Status",
    "RRULE": "Repeats",
    "URL": "Address",
    "CONFERENCE": "Address",
    "X-GOOGLE-CONFERENCE": "Address",
    "COMMENT": "Comment",
    "ATTACH": "Attachment",
}
_PROSE = ("DESCRIPTION", "COMMENT")
_MOMENT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})\d{0,2}(Z?))?")
UNNAMED = "(no name)"


def read(source: Source) -> Document:
    """Read iCalendar (RFC 5545); its title is the name of the calendar, or of the only entry in it."""
    found = list(properties(source.text()))
    if source.raw.strip() and not any(each.name == "BEGIN" for each in found):
        raise SourceError("not a calendar")
    builder, entry, inside = TextBuilder(), list[Property](), list[str]()
    names: list[str] = []
    calendar = ""
    for each in found:
        if each.name == "BEGIN":
            inside.append(each.value.strip().upper())
            if inside[-1] in _ENTRIES:
                entry = []
        elif each.name == "END":
            if inside and inside.pop() in _ENTRIES:
                names.append(_add_entry(builder, entry))
                entry = []
        elif inside and inside[-1] in _ENTRIES:
            entry.append(each)
        elif each.name in ("X-WR-CALNAME", "NAME"):
            calendar = calendar or " ".join(each.text.split())
        elif each.name == "X-WR-CALDESC" and not each.is_data:
            builder.add("paragraph", each.text, places=[(0, each.line)])
    if entry:  # the file was cut short
        names.append(_add_entry(builder, entry))
    text, blocks = builder.finish()
    title = calendar or (names[0] if len(names) == 1 and names[0] != UNNAMED else "")
    return source.document("calendar", text, blocks, title, line_map=builder.line_map)


def _add_entry(builder: TextBuilder, entry: Sequence[Property]) -> str:
    """Add one entry, and return its name."""
    name = next((" ".join(each.text.split()) for each in entry if each.name == "SUMMARY"), "") or UNNAMED
    builder.heading(name, 1, line=next((each.line for each in entry if each.name == "SUMMARY"), 0))
    told = [(f"{_LABELS[each.name]}: {_said(each)}", each.line) for each in entry if _is_told(each)]
    listed = "\n".join(words for words, _ in told)
    builder.add("list", listed, places=line_by_line(listed, [line for _, line in told]))
    for each in entry:
        if each.name in _PROSE and not each.is_data:
            builder.add("paragraph", each.text, places=[(0, each.line)])
    return name


def _is_told(each: Property) -> bool:
    return each.name in _LABELS and each.name not in _PROSE and not each.is_data and bool(each.value.strip())


def _said(each: Property) -> str:
    if each.name in ("ORGANIZER", "ATTENDEE"):
        address = each.value.removeprefix("mailto:").removeprefix("MAILTO:")
        name = each.parameters.get("CN", "")
        return f"{name} <{address}>" if name and name != address else address
    if moment := _MOMENT.fullmatch(each.value.strip()):
        day = f"{moment[1]}-{moment[2]}-{moment[3]}"
        zone = "UTC" if moment[6] else each.parameters.get("TZID", "")
        return f"{day} {moment[4]}:{moment[5]} {zone}".strip() if moment[4] else day
    return " ".join(each.text.split())
