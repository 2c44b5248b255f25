"""A list of one-line entries of which one is selected; headings among them are passed over."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from app.tui.theme import ACCENT, BAR, BRIGHT, QUIET
from app.tui.widgets.line_views import paint
from app.tui.widgets.row_list import RowList

MARGIN_CELLS = 2  # the bar of the selected line, and a mark or a space


@dataclass(frozen=True, slots=True)
class Entry:
    """A line, made for a width in cells. `key` tells it from others; one without a `value` cannot be selected."""

    key: Hashable
    build: Callable[[int], Content]
    value: object = None


def section(title: str, entries: Sequence[Entry], note: str = "") -> list[Entry]:
    """Return entries below a heading, with a blank line behind them; nothing where there are none."""
    if not entries:
        return []
    head = Content.assemble((title, f"bold {BRIGHT}"), (f"  {note}" if note else "", QUIET))
    blank = Entry(("blank", title), lambda width: Content())
    return [Entry(("head", title), lambda width: head.truncate(width, ellipsis=True)), *entries, blank]


class EntryList(RowList):
    """Entries, drawn line by line. The selection stays on its entry when others come and go."""

    COMPONENT_CLASSES = {"entries--chosen"}
    DEFAULT_CSS = """
    EntryList { overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable; background: $background; }
    EntryList:focus > .entries--chosen { background: $chosen; }
    """

    @dataclass
    class Selected(Message):
        """Another entry is selected."""

        entries: EntryList
        entry: Entry | None

        @property
        def control(self) -> EntryList:
            """The list."""
            return self.entries

    @dataclass
    class Opened(Message):
        """An entry was clicked twice."""

        entries: EntryList
        entry: Entry

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()
        self._announced: Hashable = None
        self._marked: set[Hashable] = set()  # keys of the entries that are acted on together

    @property
    def entry(self) -> Entry | None:
        """The selected entry."""
        found = self._entries[self.selected] if 0 <= self.selected < len(self._entries) else None
        return found if found is not None and found.value is not None else None

    @property
    def taken(self) -> tuple[Entry, ...]:
        """The marked entries from top to bottom, or the selected one where none is marked."""
        marked = tuple(entry for entry in self._entries if entry.key in self._marked)
        return marked or ((self.entry,) if self.entry is not None else ())

    def mark(self) -> None:
        """Mark the selected entry, or take its mark away."""
        if self.entry is not None:
            self._marked ^= {self.entry.key}
            self._paint_anew()

    def unmark(self) -> None:
        """Take all marks away."""
        if self._marked:
            self._marked.clear()
            self._paint_anew()

    def _paint_anew(self) -> None:
        self.strips.clear()
        self.paint_changes()

    @property
    def shown_lines(self) -> list[str]:
        """The lines as plain text, for tests."""
        return [entry.build(self._room).plain for entry in self._entries]

    @property
    def page(self) -> int:
        """How many lines are in sight."""
        return max(1, self.size.height - 1)

    @property
    def _room(self) -> int:
        return max(1, self.scrollable_content_region.width - MARGIN_CELLS)

    def show(self, entries: Sequence[Entry]) -> None:
        """Show other entries; the selection stays on its key, else on its place."""
        key = self.entry.key if self.entry else None
        self._entries = tuple(entries)
        places = {entry.key: place for place, entry in enumerate(self._entries) if entry.value is not None}
        self._marked &= places.keys()
        place = places.get(key, self._nearest(self.selected))
        self.set_reactive(EntryList.selected, place)
        self.lay_out()
        self.reveal()
        self.paint_changes()
        self.announce()

    def move(self, by: int) -> None:
        """Select the entry so many lines on; headings do not count."""
        selectable = [place for place, entry in enumerate(self._entries) if entry.value is not None]
        if not selectable:
            self.scroll_to(y=self.scroll_offset.y + by, animate=False)
            return
        at = min(range(len(selectable)), key=lambda index: abs(selectable[index] - self.selected))
        self.selected = selectable[max(0, min(at + by, len(selectable) - 1))]

    def choose(self, key: Hashable) -> None:
        """Select the entry with this key, if there is one."""
        for place, entry in enumerate(self._entries):
            if entry.key == key and entry.value is not None:
                self.selected = place

    def _nearest(self, place: int) -> int:
        selectable = [at for at, entry in enumerate(self._entries) if entry.value is not None]
        return min(selectable, key=lambda at: abs(at - place)) if selectable else 0

    def announce(self) -> None:
        """Tell the selected entry where another one was told last."""
        key = self.entry.key if self.entry else None
        if key != self._announced:
            self._announced = key
            self.post_message(self.Selected(self, self.entry))

    def count_lines(self) -> int:
        """Return how many entries there are."""
        return len(self._entries)

    def reveal(self) -> None:
        """Scroll as little as shows the selected entry, and the heading above the first of its section."""
        top, height = self.scroll_offset.y, self.size.height
        first = self.selected
        while first > 0 and self._entries and self._entries[first - 1].value is None:
            first -= 1
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif self.selected >= top + height > 0:
            self.scroll_to(y=self.selected - height + 1, animate=False)

    def look(self, line: int) -> str:
        """Return how the selected entry is marked: strongly while the list has the focus."""
        chosen = line == self.selected and self.entry is not None
        return ("chosen" if self.has_focus else "kept") if chosen else ""

    def paint_line(self, line: int, look: str, width: int) -> Strip:
        """Return the line of an entry."""
        if line >= len(self._entries):
            return Strip.blank(width, self.rich_style)
        sign = Content.styled("✓", f"bold {ACCENT}") if self._entries[line].key in self._marked else " "
        margin = Content.assemble((BAR if look else " ", ACCENT if look == "chosen" else QUIET), sign)
        built = Content.assemble(margin, self._entries[line].build(self._room))
        return paint(self, built, width, "entries--chosen" if look == "chosen" else "")

    def on_click(self, event: events.Click) -> None:
        """Select the line that was clicked; a second click opens it."""
        place = event.y + self.scroll_offset.y
        if 0 <= place < len(self._entries) and self._entries[place].value is not None:
            self.selected = place
            if event.chain == 2:
                self.post_message(self.Opened(self, self._entries[place]))
