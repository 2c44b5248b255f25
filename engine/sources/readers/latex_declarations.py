r"""What a LaTeX file says of its text: where it begins and ends, who wrote it, what its own commands mean.

A `%` takes the rest of its line away, so that a commented `\end{document}` ends nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_ARGUMENT = 20_000  # code points searched for the end of an argument
MAX_MEANING = 500  # code points of a command's meaning that is written out where the command stands
MAX_SEARCHED = 2_000_000  # code points searched for the ends of all arguments
VERBATIM = frozenset(("verbatim", "lstlisting", "minted", "Verbatim", "alltt", "comment"))
_OPTIONS = re.compile(r"[ \t]*\[[^\[\]\n]{0,1000}\]")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_DECLARATION = re.compile(
    r"\\(begin|end)[ \t]{0,9}\{([a-zA-Z]+)\*?\}|\\([a-zA-Z@]+)\*?|\\.|%[^\n]*+", re.DOTALL
)  # the escaped and the commented are matched so as to be passed over
_MACRO_NAME = re.compile(r"[ \t]*+\{?[ \t]*+\\([a-zA-Z@]++)[ \t]*+\}?")
_THEOREM_NAME = re.compile(r"[ \t]*+\{([a-zA-Z]++)\*?\}")
_TAKEN = re.compile(r"[ \t]*+(?:\[([1-9])\]|(?:#[1-9]){0,8}#([1-9]))[ \t]*+(?=\{)")
_PARAMETERS = re.compile(r"[^{}\n]{0,100}")
_SAID_WRITTEN = (
    "title author date keywords subtitle institute affiliation affil address email subject publishers dedication"
)
_SAID = frozenset(_SAID_WRITTEN.split())
DEFINING = {
    **dict.fromkeys(("newcommand", "renewcommand", "providecommand", "DeclareRobustCommand"), False),
    **dict.fromkeys(("def", "gdef", "edef", "xdef"), True),
}
"""Commands that give a command its meaning, and whether they do it in TeX's own way."""
_THEOREMS = (
    "theorem lemma proposition corollary definition remark example proof claim conjecture exercise problem question "
    "note assumption axiom notation fact observation"
)


@dataclass(frozen=True, slots=True)
class Declarations:
    """The span of the text, and what is declared anywhere in the file.

    `said` are the spans of what commands such as `\\author` say, in order. `macros` gives, for each command of the
    file's own that takes no argument, where its meaning begins; `linking` the same for those that take some and make a
    link of them, behind how many they take.
    """

    start: int
    end: int
    said: list[tuple[str, int, int]] = field(default_factory=list)
    macros: dict[str, int] = field(default_factory=dict)
    linking: dict[str, tuple[int, int]] = field(default_factory=dict)
    theorems: frozenset[str] = frozenset(_THEOREMS.split())


def declarations(written: str) -> Declarations:
    """Find what a file declares, in one pass. A part of a larger text has no body of its own: all of it is text."""
    start, end = 0, len(written)
    said: list[tuple[str, int, int]] = []
    macros: dict[str, int] = {}
    linking: dict[str, tuple[int, int]] = {}
    theorems = set(_THEOREMS.split())
    endless: set[str] = set()  # verbatim environments that nothing closes
    at = searched = 0
    while match := _DECLARATION.search(written, at):
        at = match.end()
        edge, environment, command = match.groups()
        if edge and environment == "document":
            if edge == "end" and start:
                end = match.start()
                break
            start = match.end() if edge == "begin" and not start else start
        elif edge == "begin" and environment in VERBATIM and environment not in endless:
            close = written.find(f"\\end{{{environment}}}", at)
            endless.update([environment] if close < 0 else ())
            at = max(close, at)
        elif command in _SAID and searched < MAX_SEARCHED:
            span = _argument_after_options(written, at)
            searched += MAX_ARGUMENT if span is None else span[1] - span[0]
            if span is not None:
                said.append((command, *span))
                at = span[1]
        elif command in DEFINING and (name := _MACRO_NAME.match(written, at)):
            at = name.end()
            if written[at : at + 1] == "{":
                macros[name[1]] = at
            elif takes := _takes(written, at):
                linking[name[1]] = takes
        elif command in ("newtheorem", "declaretheorem") and (name := _THEOREM_NAME.match(written, at)):
            theorems.add(name[1])
    return Declarations(start, end, said, macros, linking, frozenset(theorems))


def _takes(written: str, at: int) -> tuple[int, int] | None:
    """Return how many arguments a command takes, and where its meaning begins; None where that makes no link."""
    taken = _TAKEN.match(written, at)
    if taken is None or "\\href" not in written[taken.end() : taken.end() + MAX_MEANING]:
        return None
    return int(taken[1] or taken[2]), taken.end()


def _argument_after_options(written: str, at: int) -> tuple[int, int] | None:
    options = _OPTIONS.match(written, at)
    return argument_at(written, options.end() if options else at)


def options_at(written: str, at: int, end: int) -> re.Match[str] | None:
    """Return the options in brackets that follow a place before an end, None where none do."""
    return _OPTIONS.match(written, at, end)


def argument_at(text: str, at: int) -> tuple[int, int] | None:
    """Return the span inside the braces that follow a place, white space between; None where none do."""
    while at < len(text) and text[at] in " \t\n":
        at += 1
    if at >= len(text) or text[at] != "{":
        return None
    depth = 0
    for sign in _BRACE.finditer(text, at, at + MAX_ARGUMENT):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if not depth:
            return at + 1, sign.start()
    return None


def definition_end(written: str, at: int, tex: bool) -> int:
    r"""Return where a definition ends whose command ends at a place; `tex` for `\def` and its like."""
    name = _MACRO_NAME.match(written, at)
    at = name.end() if name else at
    if tex and (parameters := _PARAMETERS.match(written, at)):
        at = parameters.end()
    while not tex and (options := _OPTIONS.match(written, at)):
        at = options.end()
    meaning = argument_at(written, at)
    return meaning[1] + 1 if meaning else at
