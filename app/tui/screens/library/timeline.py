"""The right side of the screen: what failed and why, what changed today, what is left out; all for one folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from rich.cells import cell_len
from textual.content import Content

from app.tui.screens.library.folder_rows import EVERYTHING, Place
from app.tui.screens.library.library_contents import MOST_CHANGES, Contents, lies_in, root_of
from app.tui.screens.library.team_entries import team_entries
from app.tui.theme import ALARM, GOOD, QUIET
from app.tui.widgets.entry_list import Entry, section
from app.wording.cells import cut_front
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from app.wording.times import clock
from engine.figures import count
from engine.paths import display
from engine.records import Check, DocumentChange, Failure

TIME_CELLS = 7
COUNT_CELLS = 8
TITLE_CELLS = 40
LEAST_PATH_CELLS = 12  # beside a reason, which has all the room that it needs: it is what can be acted on


@dataclass(frozen=True, slots=True)
class Skipped:
    """A reason for which files of a folder are left out."""

    place: Place
    reason: str
    files: int


def story(contents: Contents | None, place: Place, checks: Sequence[Check] = ()) -> list[Entry]:
    """Return the sections that have something to tell of a folder, what wants attention first.

    Where there is nothing to tell a line says so, once the library was read.
    """
    faults = section("Faults in the library file", [_fault(check) for check in checks if not check.ok])
    if contents is None:
        return faults
    sections = [*faults, *team_entries(contents.team, place)]
    sections += [*_failed(contents, place), *_skipped(contents, place)]
    sections += _changed(contents, place)  # last, for it is the longest
    return sections or [Entry("nothing", partial(_nothing, contents, place))]


def _fault(check: Check) -> Entry:
    line = Content.assemble((f"✗ {one_line(check.name)}  ", ALARM), one_line(check.detail))
    return Entry(("fault", check.name), lambda width: line.truncate(width, ellipsis=True))


def _failed(contents: Contents, place: Place) -> list[Entry]:
    failures = [failure for failure in contents.failures if lies_in(failure.path, place)]
    entries = [
        Entry(("failed", failure.path), partial(_failure_line, failure, _relative(failure.path, contents)), failure)
        for failure in failures
    ]
    return section(f"Failed {count(len(failures))}", entries, "r tries again")


def _failure_line(failure: Failure, path: str, width: int) -> Content:
    reason = one_line(failure.reason)
    name = cut_front(path, max(LEAST_PATH_CELLS, width - 2 - cell_len(reason) - 2))
    return Content.assemble(("✗ ", ALARM), name, "  ", (reason, QUIET)).truncate(width, ellipsis=True)


def _changed(contents: Contents, place: Place) -> list[Entry]:
    changes = [change for change in contents.changes if lies_in(change.path, place)]
    entries = [
        Entry(("changed", change.path), partial(_change_line, change, _relative(change.path, contents)), change)
        for change in changes
    ]
    unlisted = " or more" if len(contents.changes) >= MOST_CHANGES else ""
    return section(f"Read today {count(len(changes))}{unlisted}", entries)


def _change_line(change: DocumentChange, path: str, width: int) -> Content:
    sign, ink = ("✓", GOOD) if change.what == "indexed" else ("✗", ALARM)
    lead = Content.assemble((f"{clock(change.at):<{TIME_CELLS}}", QUIET), (f"{sign} ", ink))
    left = width - lead.cell_length
    title = Content(one_line(change.title) or one_line(display(os.path.basename(change.path))))
    room = max(8, min(TITLE_CELLS, left // 2))
    title = title.truncate(room, ellipsis=True)
    rest = max(0, left - room - 2)
    where = cut_front(path, rest) if rest > 6 else ""
    return Content.assemble(lead, title, " " * (room - title.cell_length + 2), (where, QUIET))


def _skipped(contents: Contents, place: Place) -> list[Entry]:
    """Return why files are left out; that is known of whole watched folders, by the last sync of them."""
    roots = [root for root in contents.left_out if place == EVERYTHING or root == place[0]]
    reasons: Counter[str] = Counter()
    for root in roots:
        reasons.update(contents.left_out[root])
    scope = place if place == EVERYTHING else (place[0], b"")
    skipped = [Skipped(scope, reason, files) for reason, files in reasons.most_common()]
    entries = [Entry(("skipped", each.reason), partial(_skipped_line, each), each) for each in skipped]
    note = f"in all of {shown_path(place[0])}" if place[1] else "enter lists them"
    return section(f"Left out {count(sum(reasons.values()))}", entries, note)


def _skipped_line(skipped: Skipped, width: int) -> Content:
    figure = f"{count(skipped.files):>{COUNT_CELLS}}  "
    return Content.assemble((figure, ""), (one_line(skipped.reason), QUIET)).truncate(width, ellipsis=True)


def _relative(path: bytes, contents: Contents) -> str:
    """Return a path below its watched folder, and with that folder's name where there are several."""
    root = root_of(path, contents.trees)
    if root is None:
        return shown_path(path)
    relative = display(os.path.relpath(path, root))
    several = len(contents.trees) > 1
    return one_line(f"{display(os.path.basename(root))}/{relative}" if several else relative)


def _nothing(contents: Contents, place: Place, width: int) -> Content:
    where = "" if place == EVERYTHING else " in this folder"
    said = f"Nothing failed, nothing is left out, and nothing was read today{where}." if contents.trees else ""
    return Content.styled(said, QUIET).truncate(width, ellipsis=True)
