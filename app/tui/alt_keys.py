"""Keys held with alt, as terminals send them: an escape and the character, of which only the key is meant."""

from __future__ import annotations

from textual import events

ESCAPE = "\x1b"


def tell_alt_digits() -> None:
    """Have alt+1 to alt+9 read as these keys and not as ¡ ™ £ ¢ ∞ § ¶ • ª, so that they can be bound.

    WezTerm, for which Textual maps them, sends the same for alt as every terminal; where the option key of a Mac
    writes signs, the terminal sends the signs themselves.
    """
    from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

    for digit in "123456789":
        ANSI_SEQUENCES_KEYS.pop(ESCAPE + digit, None)  # type: ignore[attr-defined]


def writes_nothing(event: events.Key) -> None:
    """Take its character from a key that is held with alt: a line of text would write it, and no binding be asked."""
    if event.key.startswith("alt+") and event.character is not None and event.character.isascii():
        event.character = None
