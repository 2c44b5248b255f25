"""What the right side tells of a team: who is in it and who is there now, or who brings the selected folder."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from app.tui.screens.library.folder_rows import EVERYTHING, Place
from app.tui.theme import GOOD, QUIET
from app.tui.widgets.entry_list import Entry, section
from app.wording.cells import cut, padded
from app.wording.paths import owner_words, shown_path
from app.wording.safe_text import one_line
from app.wording.times import day
from engine.figures import counted
from engine.lazy_dataclass import dataclass
from engine.records.team import Member, TeamFolder, TeamGlance

MOST_NAME_CELLS = 16  # of a login with its machine: what is told of members stands in a column behind it


@dataclass(frozen=True, slots=True)
class ShareMarks:
    """The wish to share one's marks from now on, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class ShareSearches:
    """The wish to share saved searches, or no longer."""


def team_entries(team: TeamGlance | None, place: Place) -> list[Entry]:
    """Return the section of the team for everything, for one folder, or for none where that is not in the team."""
    if team is None:
        return []
    if team.server_away:
        said = "Your own folders are searched until it answers."
        return section("The team's server is away", [_line("away", Content.styled(said, QUIET))])
    if place == EVERYTHING or len(team.people) == 0:
        cells = max((cell_len(_name(each)) for each in team.people), default=0)
        people = [_person(each, team.at, min(cells, MOST_NAME_CELLS)) for each in team.people]
        return section(counted(len(team.people), "member"), [*people, _marks(team), _searches()])
    found = team.bringer(place[0])
    if found is None:
        said = "Nobody in the team sees it. On the command line: carrel team folder add"
        return section("Not in the team library", [_line("alone", Content.styled(said, QUIET))])
    return _folder(*found, team.at, place[0])


def _marks(team: TeamGlance) -> Entry:
    told = "shared" if team.shares_marks else "your own"
    line = Content.assemble(f"Your marks: {told}", ("   enter changes it", QUIET))
    return _line("marks", line, ShareMarks(not team.shares_marks))


def _searches() -> Entry:
    line = Content.assemble("Your saved searches", ("   enter shares one or not", QUIET))
    return _line("searches", line, ShareSearches())


def _name(member: Member) -> str:
    return f"{one_line(member.name)}@{one_line(member.machine)}"


def _person(member: Member, now: float, cells: int) -> Entry:
    changed = max((folder.changed_at for folder in member.folders), default=0.0)
    told = [f"changed {day(changed, now)}"] if changed else []
    told += [counted(len(member.folders), "folder")] if member.folders else []
    shown = padded(cut(_name(member), cells), cells + 2)
    state = _presence(member, now)
    return _line((member.name, member.machine), Content.assemble(shown, state, (_after(told), QUIET)))


def _presence(member: Member, now: float) -> Content:
    if member.own:
        return Content.styled("✓ you", GOOD)
    if member.away(now):
        return Content.styled(f"away since {day(member.last_seen, now)}" if member.last_seen else "left", QUIET)
    return Content.styled("✓ here", GOOD)


def _after(told: Sequence[str]) -> str:
    return "".join(f" · {each}" for each in told)


def _folder(member: Member, folder: TeamFolder, now: float, place: bytes) -> list[Entry]:
    """Return who brings a folder, how fresh it is, and of one's own who sees it."""
    if member.own:
        seen_by = {"private": "you alone", "all": "all members"}.get(folder.visibility)
        whose = f"In the team library, for {seen_by or ', '.join(map(one_line, folder.readers))}"
        state = Content.styled(f"brought {day(folder.changed_at, now)}" if folder.changed_at else "", QUIET)
    else:
        whose = f"From {owner_words(place)}: {shown_path(folder.path)}"
        changed = [f"changed {day(folder.changed_at, now)}"] if folder.changed_at else []
        state = Content.assemble(_presence(member, now), (_after(changed), QUIET))
    return section(whose, [_line("state", state)])


def _line(key: object, line: Content, value: object = None) -> Entry:
    return Entry(("team", key), lambda width: line.truncate(width, ellipsis=True), value)
