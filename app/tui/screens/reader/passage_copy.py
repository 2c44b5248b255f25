"""The passage that is read, on the clipboard: in a form of the person's choice, or its text."""

from __future__ import annotations

from app.tui.browser import CarrelScreen
from app.tui.clipboard import copy
from app.tui.screens.reader.actions import COPY
from app.tui.screens.reader.book import Book


def choose_copy(screen: CarrelScreen, book: Book, offset: int) -> None:
    """Ask in which form the passage at an offset of a book is copied."""
    from app.tui.copied_forms import BY_LETTER, FORMS
    from app.tui.screens.closing_keys import closed_again
    from app.tui.screens.letter_choice import LetterScreen

    read, text = book.copied_at(offset)

    def chosen(letter: str | None) -> None:
        if letter is not None:
            form = BY_LETTER[letter]
            copy(screen.app, form.make(read, text), f"the {form.name}")

    forms = LetterScreen("Copy", [(form.letter, form.name) for form in FORMS])
    screen.carrel.push_screen(closed_again(forms, COPY), chosen)


def copy_passage(screen: CarrelScreen, book: Book, offset: int) -> None:
    """Copy the text of the passage at an offset of a book."""
    passage = book.passage_at(offset)
    if passage is not None:
        at = f" at line {passage.line_start}" if passage.line_start else ""
        copy(screen.app, passage.text, f"the passage{at}")
