"""The styles of the browser, each source parsed once for each theme."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class KeptStylesheet(Stylesheet):
    """A stylesheet that keeps what it has parsed until a variable has another value.

    Textual parses every source anew when a screen brings styles of its own, and twice more before the screen shows.
    Its list of parsed sources depends on them and on the variables only.
    """

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take the values of a theme; those that hold already change nothing."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse the sources that have not been parsed with these variables."""
        self.parse()
