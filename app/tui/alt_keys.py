"""Keys held with alt, as terminals send them: an escape and the character, of which only the key is meant."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser

ESCAPE = "\x1b"
_read_keys = XTermParser._sequence_to_key_events


def tell_alt_signs() -> None:
    """Have alt with a digit or a sign read as that key, so that it can be bound, and not as ¡ ™ £ ¢ or as the sign.

    Textual knows alt with letters alone. For some signs it has what WezTerm writes, which sends for alt the same as
    every terminal; where the option key of a Mac writes signs, the terminal sends the signs themselves.
    """
    for sign in "0123456789-=":
        ANSI_SEQUENCES_KEYS.pop(ESCAPE + sign, None)  # type: ignore[attr-defined]
    XTermParser._sequence_to_key_events = _keys_of  # type: ignore[method-assign]


def _keys_of(self: XTermParser, sequence: str, alt: bool = False) -> Iterable[events.Key]:
    """Yield the keys that a sequence means; one that came behind an escape is held with alt, a sign too."""
    for event in _read_keys(self, sequence, alt):
        if alt and event.is_printable and event.character and not event.character.isalnum():
            yield events.Key(f"alt+{event.key}", event.character)
        else:
            yield event


def writes_nothing(event: events.Key) -> None:
    """Take its character from a key that is held with alt: a line of text would write it, and no binding be asked."""
    if event.key.startswith("alt+") and event.character is not None and event.character.isascii():
        event.character = None
