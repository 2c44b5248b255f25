"""What the indexer is doing, folded from its events; pure, so that a screen and a test read the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from engine import events
from engine.lazy_dataclass import dataclass

Phase = Literal[
    "off", "starting", "scanning", "preparing", "indexing", "watching", "following", "restarting", "gone", "dead"
]
TROUBLE_SECONDS = 30.0  # a sync that begins so long after a trouble was told, and tells none itself, ends it


@dataclass(frozen=True, slots=True)
class IndexerState:
    """The indexer at a glance.

    `phase` "following" means that another process indexes this library, whose number is `pid`; `dead` that this one
    was started too often and is left alone until the person asks for it; `gone` that there is no library file to work
    on.
    `remark` says why not all folders are watched, `fix` what can be done about it.
    `files_total` need work, of the `files_found` where the sync looked. `looked` are the counts of the last sync that
    came to its end. `pending` of the `embeddable` passages are found by words only so far, as far as the indexer has
    told, and will have their vectors in `meaning_left` seconds.
    """

    phase: Phase = "off"
    pid: int = 0
    files_done: int = 0
    files_total: int = 0
    files_found: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    path: str = ""
    what: str = ""
    failed: int = 0
    commits: int = 0
    folders: int = 0
    covered: int = 0
    remark: str = ""
    fix: str = ""
    trouble: str = ""
    trouble_at: float = 0.0
    trouble_of: str = ""
    foreign: bool = False
    passages: int = 0
    looked: events.SyncFinished | None = None
    pending: int = 0
    embeddable: int = 0
    meaning_left: float | None = None

    @property
    def busy(self) -> bool:
        """Whether documents may still appear."""
        return self.phase in ("starting", "scanning", "preparing", "indexing", "restarting")


def after(state: IndexerState, event: events.Event) -> IndexerState:
    """Return the state once `event` has happened."""
    match event:
        case events.IndexerStarted():
            state = replace(state, pending=0, embeddable=0, meaning_left=None)  # told of another run
            return replace(state, phase="scanning", pid=event.pid, failed=0, trouble="")
        case events.FollowsAnother():
            return IndexerState(phase="following", pid=event.pid, foreign=True)
        case events.Scanned():
            return _scanned(state, event)
        case events.Progress():
            return replace(
                state,
                phase="indexing" if event.files_done < event.files_total else state.phase,
                files_done=event.files_done,
                files_total=event.files_total,
                rate=event.rate,
                seconds_left=event.seconds_left,
                path=event.path,
                passages=event.passages,
            )
        case events.MeaningProgress():
            left = event.seconds_left
            return replace(state, pending=event.pending, embeddable=event.passages, meaning_left=left)
        case events.FileFailed():
            return replace(state, failed=state.failed + 1)
        case events.Committed():
            return replace(state, commits=state.commits + 1)
        case events.Preparing():
            return replace(state, phase="preparing", what=event.what)
        case events.SyncFinished():
            return replace(
                state,
                phase="watching",
                files_done=0,
                files_total=0,
                seconds_left=None,
                path="",
                failed=event.failed,
                looked=event,
            )
        case events.Watching():
            phase = state.phase if state.phase in ("scanning", "indexing") else "watching"
            state = replace(state, phase=phase, folders=event.folders, covered=event.covered)
            return replace(state, remark=event.remark, fix=event.fix)
        case events.Trouble():
            if event.over:
                return replace(state, trouble="", trouble_of="") if state.trouble_of == event.of else state
            told = f"{event.message} {event.fix}".strip()
            return replace(state, trouble=told, trouble_at=event.at, trouble_of=event.of)
        case events.Stopped():
            return replace(state, phase="off")
        case _:
            return state


def _scanned(state: IndexerState, event: events.Scanned) -> IndexerState:
    """Return the state at the beginning of a sync; a trouble that was told long ago is over."""
    over = event.at - state.trouble_at > TROUBLE_SECONDS
    if event.to_do:  # what comes now is to be embedded too, so what was told of that no longer holds
        state = replace(state, pending=0, embeddable=0, meaning_left=None)
    return replace(
        state,
        phase="indexing" if event.to_do else "watching",
        files_done=0,
        files_total=event.to_do,
        files_found=event.files,
        passages=0,
        rate=0.0,
        seconds_left=None,
        path="",
        trouble="" if over else state.trouble,
    )
