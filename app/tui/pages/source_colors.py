"""The colours of source code, found for a part of it at a time: a large file is never read whole for them."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app.tui.pages.units import Units
from app.tui.theme import BRIGHT, GOOD, MEANING, QUIET

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

CHUNK = 100  # units coloured together
LEAD = 60  # units read before them, so that a text in quotes that began there is known
MOST_CHARACTERS = 40_000  # of a chunk: what is longer is made by a machine
KEPT = 32
Styles = tuple[tuple[int, int, str], ...]
_NO_STYLES: Styles = ()
# Languages that Pygments knows by another name.
_LEXERS = {
    "visual-basic": "vb.net",
    "elisp": "emacs-lisp",
    "shell": "bash",
    "starlark": "python",
    "batch": "bat",
    "assembly": "nasm",
}
# The token types of Pygments by their names, the more special first.
_STYLES: tuple[tuple[str, str], ...] = (
    ("Comment", f"italic {QUIET}"),
    ("Literal.String.Doc", f"italic {QUIET}"),
    ("Literal.String", GOOD),
    ("Literal.Number", MEANING),
    ("Keyword.Constant", MEANING),
    ("Keyword", "bold"),
    ("Operator.Word", "bold"),
    ("Name.Function", f"bold {BRIGHT}"),
    ("Name.Class", f"bold {BRIGHT}"),
    ("Name.Tag", "bold"),
    ("Name.Decorator", MEANING),
    ("Name.Builtin", MEANING),
    ("Name.Attribute", MEANING),
    ("Generic.Heading", f"bold {BRIGHT}"),
    ("Generic.Inserted", GOOD),
    ("Generic.Deleted", "$alarm"),
)


@lru_cache(maxsize=16)
def lexer_for(language: str) -> Lexer | None:
    """Return Pygments' lexer of a language, None where it has none."""
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]  # 20 ms, only for code
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(_LEXERS.get(language, language), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _style_of(token: Any) -> str:
    name = str(token).removeprefix("Token.")
    return next((style for prefix, style in _STYLES if name == prefix or name.startswith(prefix + ".")), "")


class SourceColours:
    """The colours of the code among a document's units, in chunks that are kept for a while."""

    def __init__(self, units: Units, language: str = "") -> None:
        self._units = units
        self._language = language
        self._kept: OrderedDict[tuple[int, int], dict[int, Styles]] = OrderedDict()

    def of(self, unit: int) -> Styles:
        """Return the styled spans of a unit of code."""
        fence = self._units.fence_of(unit)
        first, last = (fence.first, fence.last) if fence else (0, len(self._units))
        language = fence.language.lower() if fence else self._language
        lexer = lexer_for(language) if language else None
        if lexer is None:
            return _NO_STYLES
        key = (first, (unit - first) // CHUNK)
        if key not in self._kept:
            begin = first + key[1] * CHUNK
            lead = max(first, begin - LEAD)
            self._kept[key] = self._chunk(lexer, lead, begin, min(last, begin + CHUNK))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key].get(unit, _NO_STYLES)

    def _chunk(self, lexer: Lexer, lead: int, begin: int, last: int) -> dict[int, Styles]:
        """Colour the units from `begin` to before `last`, reading from `lead` on."""
        starts, ends = self._units.starts, self._units.ends
        base, limit = starts[lead], ends[last - 1]
        if starts[begin] - base > MOST_CHARACTERS:
            base = starts[begin]
        if limit - base > MOST_CHARACTERS:
            return {}
        found: dict[int, list[tuple[int, int, str]]] = {}
        tokens: Any = lexer
        for index, token, value in tokens.get_tokens_unprocessed(self._units.text[base:limit]):
            style = _style_of(token)
            start, end = base + index, base + index + len(value)
            if not style or end <= starts[begin]:
                continue
            unit = max(begin, bisect_right(starts, start) - 1)
            while unit < last and starts[unit] < end:
                inside = max(start, starts[unit]) - starts[unit], min(end, ends[unit]) - starts[unit]
                if inside[0] < inside[1]:
                    found.setdefault(unit, []).append((*inside, style))
                unit += 1
        return {unit: tuple(sorted(spans)) for unit, spans in found.items()}
