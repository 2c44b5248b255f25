"""The watched folders as a tree: which rows there are, what state each is in, and how a row is written."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from app.tui.status_line import StatusView
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.wording.cells import cut, cut_front
from app.wording.paths import home_path, person_of, shown_path
from app.wording.safe_text import one_line
from app.wording.times import day
from engine.figures import NONE, count
from engine.paths import display, owner_of
from engine.records import Folder, FolderNode
from engine.records.team import TeamGlance

Place = tuple[bytes, bytes]  # a watched folder, and a path relative to it; b"" for the folder itself
EVERYTHING: Place = (b"", b"")
COLUMNS = (("documents", 10), ("passages", 9), ("failed", 7))  # with the cells that each takes
STATE_CELLS = 16
NOT_IN_TEAM = "not in team"  # of a folder of the reader's that nobody finds in the library that is searched
LEAST_NAME_CELLS = 16  # a column is left out before a name has less room


@dataclass(frozen=True, slots=True)
class State:
    """How fresh what is known of a folder is, in words with a sign, and the colour on top of them."""

    words: str
    ink: str = QUIET


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One folder. `folded` is None where nothing lies below it."""

    place: Place
    name: str
    depth: int
    documents: int
    passages: int
    failed: int
    folded: bool | None
    state: State


def tree_rows(
    view: StatusView,
    trees: Mapping[bytes, Sequence[FolderNode]],
    opened: Collection[Place],
    pending: Mapping[bytes, str],
    now: float,
) -> list[TreeRow]:
    """Return the rows in order: everything, then each watched folder with what is unfolded below it.

    `pending` are orders on their way, in words, by folder. A folder within says when the last of it was indexed.
    """
    folders = view.status.folders if view.status else ()
    rows = []
    if len(folders) > 1:
        found = [each for each in folders if root_state(each, view).words != NOT_IN_TEAM]
        documents = sum(each.documents for each in found)
        passages, failed = sum(each.passages for each in found), sum(each.failed for each in found)
        rows.append(TreeRow(EVERYTHING, "everything", 0, documents, passages, failed, None, State("")))
    for folder in folders:
        state = State(pending[folder.path], BRIGHT) if folder.path in pending else root_state(folder, view)
        rows += _below(folder, trees.get(folder.path, ()), opened, state, now)
    return rows


def _below(
    folder: Folder,
    nodes: Sequence[FolderNode],
    opened: Collection[Place],
    state: State,
    now: float,
) -> list[TreeRow]:
    """Return the row of a watched folder and of what is unfolded below it."""
    root = folder.path
    parents = {os.path.dirname(node.path) for node in nodes if node.path}
    folded = None if b"" not in parents else (root, b"") not in opened
    person = person_of(root)
    name = f"{display(os.path.basename(root))} · {person}" if person else shown_path(root)
    rows = [TreeRow((root, b""), name, 0, folder.documents, folder.passages, folder.failed, folded, state)]
    shown = {b""} if folded is False else set()
    for node in nodes:
        if not node.path or os.path.dirname(node.path) not in shown:
            continue
        place = root, node.path
        inner = place not in opened if node.path in parents else None
        if inner is False:
            shown.add(node.path)
        name = display(os.path.basename(node.path))
        state = State(day(node.indexed_at, now) if node.indexed_at else "")
        rows.append(TreeRow(place, name, node.depth, node.documents, node.passages, node.failed, inner, state))
    return rows


def to_unfold(nodes: Sequence[FolderNode]) -> list[bytes]:
    """Return what to unfold of a folder at first: itself, and on while there is nothing but one folder in it."""
    unfolded = [b""]
    while True:
        inner = [node.path for node in nodes if node.path and os.path.dirname(node.path) == unfolded[-1]]
        if len(inner) != 1:
            return unfolded
        unfolded.append(inner[0])


def _brought(folder: Folder, team: TeamGlance) -> State:
    """Say how fresh a folder of another member is: as fresh as their files while their machine is heard of."""
    member, _ = team.bringer(folder.path) or (None, None)
    if member is None or member.away(team.at):
        return State(f"away: {day(member.last_seen, team.at)}" if member and member.last_seen else "away")
    return State("✓ up to date", GOOD)


def root_state(folder: Folder, view: StatusView) -> State:
    """Say how far what is known of a watched folder can be trusted."""
    indexer = view.indexer
    if folder.state == "paused":
        return State("‖ paused", BRIGHT)
    team = view.status.team if view.status else None
    if team is not None and not team.server_away:
        if owner_of(folder.path) is not None:
            return _brought(folder, team)
        if team.bringer(folder.path) is None:
            return State(NOT_IN_TEAM)
    if folder.state == "missing":
        return State("✗ not there", ALARM)
    if folder.held:
        return State("✗ files gone", ALARM)
    if view.read_only:
        return State("as indexed")
    if indexer.phase in ("dead", "gone", "restarting"):
        return State("✗ not followed", ALARM)
    if indexer.phase == "indexing":
        here = os.fsencode(indexer.path).startswith(folder.path + b"/")
        return State("… indexing", BRIGHT) if here else State("… in the queue")
    if indexer.phase == "watching":
        return State("✓ up to date", GOOD)
    return State("… looking" if indexer.phase in ("scanning", "preparing") else "…")


def head_line(width: int) -> Content:
    """Return the heading of the columns."""
    figures = "".join(f"{name:>{cells}}" for name, cells in _columns(width))
    room = max(0, width - len(figures) - STATE_CELLS)
    name = Content.styled("Folders", f"bold {BRIGHT}").truncate(room)
    return Content.assemble(name, " " * (room - name.cell_length), (f"{figures}  {'fresh':<{STATE_CELLS - 2}}", QUIET))


def row_line(row: TreeRow, width: int) -> Content:
    """Return a row in the columns of the heading."""
    columns = _columns(width)
    figures = (row.documents, row.passages, row.failed)[: len(columns)]
    room = max(1, width - sum(cells for _, cells in columns) - STATE_CELLS)
    sign = {None: " ", True: "▸", False: "▾"}[row.folded]
    lead = "  " * row.depth + sign + " "
    left = room - cell_len(lead) - 1
    name = cut_front(one_line(row.name), left) if row.depth == 0 else cut(one_line(row.name), max(1, left))
    line = Content.assemble((lead, QUIET), (name, BRIGHT if row.depth == 0 else ""))
    line = Content.assemble(line, " " * max(0, room - line.cell_length))
    for place, figure in enumerate(figures):
        shown = NONE if place == 2 and not figure else count(figure)
        ink = ALARM if place == 2 and figure else (QUIET if place else "")
        line = Content.assemble(line, (f"{shown:>{columns[place][1]}}", ink))
    return Content.assemble(line, "  ", (row.state.words, row.state.ink)).truncate(width, ellipsis=True)


def _columns(width: int) -> Sequence[tuple[str, int]]:
    """Return the columns that have room beside a name, one at least."""
    room = width - STATE_CELLS - LEAST_NAME_CELLS
    fitting = [place for place in range(1, len(COLUMNS) + 1) if sum(cells for _, cells in COLUMNS[:place]) <= room]
    return COLUMNS[: max(fitting, default=1)]


def absolute(place: Place) -> bytes:
    """Return the absolute path of a folder."""
    return os.path.join(*place) if place[1] else place[0]


def query_inside(place: Place) -> str:
    """Return the filter that keeps a search inside a folder; "" for everything."""
    if place == EVERYTHING:
        return ""
    path = home_path(absolute(place)) + "/"
    if '"' in path or "*" in path:
        path = os.path.expanduser(path).replace('"', "?") + "*"  # a pattern, in which ? stands for any character
    return f'path:"{path}" '
