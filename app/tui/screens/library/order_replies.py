"""Orders to the indexer from this screen: how they are written, and what is said of how they ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.figures import counted

Kind = Literal["sync", "retry", "pause", "resume", "remove", "accept_removals"]
ON_ITS_WAY: Mapping[Kind, str] = {
    "sync": "… looking",
    "retry": "… trying again",
    "pause": "… pausing",
    "resume": "… resuming",
    "remove": "… forgetting",
    "accept_removals": "… letting go",
}
UNSPOKEN = "The name of this folder is no text that an order could carry; use `carrel` in a shell for it."


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked, of which path; b"" stands for everything."""

    kind: Kind
    path: bytes

    @property
    def argument(self) -> str | None:
        """The path as the order carries it; None where it cannot be written as text."""
        try:
            text = os.fsdecode(self.path)
            text.encode()
        except UnicodeError:
            return None
        return text


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of an order that was carried out."""

    text: str
    good: bool = True


def told(order: Order, outcome: Mapping[str, Any]) -> Told:
    """Return the sentence for an outcome, as `engine.indexer.orders` writes it."""
    name = shown_path(order.path) if order.path else "all folders"
    if "error" in outcome:
        return Told(one_line(str(outcome["error"])), good=False)
    match order.kind:
        case "pause":
            return Told(f"{name} is paused. What is indexed of it stays searchable.")
        case "remove":
            forgotten = counted(int(outcome.get("documents", 0)), "document")
            return Told(f"{name} is forgotten, with {forgotten}. z takes it back, until this time tomorrow.")
        case "retry":
            return _retried(order, outcome, name)
    read = int(outcome.get("added", 0)) + int(outcome.get("updated", 0))
    gone = int(outcome.get("removed", 0))
    parts = [f"{counted(read, 'file')} read"] if read else []
    parts += [f"{counted(gone, 'file')} gone"] if gone else []
    return Told(f"Looked at {name}: {', '.join(parts) or 'nothing has changed'}.")


def _retried(order: Order, outcome: Mapping[str, Any], name: str) -> Told:
    failed = [each for each in outcome.get("failed", ()) if isinstance(each, Mapping)]
    mine = next((each for each in failed if os.fsencode(str(each.get("path", ""))) == order.path), None)
    if mine is not None:
        return Told(f"{name} still cannot be read: {one_line(str(mine.get('reason', '')))}.", good=False)
    if failed:
        return Told(f"{counted(len(failed), 'file')} still cannot be read.", good=False)
    read = int(outcome.get("added", 0)) + int(outcome.get("updated", 0))
    return Told(f"{name} was read." if read else f"Nothing in {name} had failed.")
