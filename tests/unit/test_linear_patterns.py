"""Every regular expression of the package takes linear time on the worst text that can be made from its own parts.

For each repeat in a pattern the text that leads up to it is made, then what it repeats, many times over, then something
that lets the match fail. What a quadratic pattern costs grows sixteenfold where the text grows fourfold. The time is
that of the processor in this thread, so that other work on the machine does not count.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from app.tui.screens.reader.text_find import find_all
from engine.harmful_characters import in_context
from engine.sources.ignore_files import to_regex

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
SIGNS = " \t\na0A_-*[](){}<>#.:;/\\|'\"`~=+@$&%!?,^é一"
ENDS = ("", "\x00", "\n", "\n!", "a", "]")  # what stands behind the run, so that the match fails there
SIZES = (500, 2_000)
LARGER_SIZES = (4_000, 16_000)  # where a repeat with a bound of hundreds shows itself linear
UNMEASURABLE_SECONDS = 0.002  # of the larger text: a quadratic pattern takes ten times as long
HOPELESS_SECONDS = 0.1  # of 2,000 signs, when the growth is clear as well: the larger sizes need not be tried
GROWTH = 9.0  # for four times the text: 4 where it is linear, 16 where it is quadratic
LONG_REPEAT = 400  # a bound below it keeps a pattern linear, whatever it repeats
MADE_OF_WHAT_IS_TYPED = {  # patterns made at run time, and where they are tried
    "app/tui/screens/reader/text_find.py",  # test_finding_in_a_document_takes_linear_time
    "engine/harmful_characters.py",  # compiled when first needed: test_characters_in_context_are_found_in_linear_time
    "engine/sources/ignore_files.py",  # test_a_glob_takes_linear_time
    "app/tui/screens/search/why_not/remedies.py",  # words between escapes, without a repeat
    "engine/retrieval/snippet.py",  # a term between escapes, without a repeat
}
ANCHORED = {"match", "fullmatch"}
SEARCHING = {"search", "finditer", "findall", "sub", "subn", "split", "scanner"}


def modules() -> Iterator[str]:
    """The modules, as paths below the root, that may call `re`; each process of a run asks, so none is parsed here."""
    for path in (path for room in ("app", "engine", "training") for path in sorted((ROOT / room).rglob("*.py"))):
        if "vault" not in path.parts and re.search(r"\bre\.\w", path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT))


MODULES = list(modules())


@cache
def tree_of(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def module_name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def calls_of_re(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "re" and node.func.attr != "escape":
                yield node


def module_level(tree: ast.Module) -> set[int]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inside = {id(inner) for node in ast.walk(tree) if isinstance(node, functions) for inner in ast.walk(node)}
    return {id(call) for call in calls_of_re(tree) if id(call) not in inside}


def late_names(tree: ast.Module) -> set[str]:
    """The names of a module whose text is given to `re` where it is first needed, since compiling it costs a start."""
    first = [call.args[0] for call in calls_of_re(tree) if call.args]
    return {each.id for each in first if isinstance(each, ast.Name) and each.id.strip("_").isupper()}


def late_functions(tree: ast.Module) -> dict[str, set[int]]:
    """The functions of a module that compile its patterns when first called, and the calls of `re` within each."""
    made = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.endswith("_patterns")]
    return {node.name: {id(call) for call in calls_of_re(node)} for node in made if not node.args.args}


def test_every_pattern_is_compiled_where_this_test_finds_it():
    strays = []
    for path in MODULES:
        tree = tree_of(path)
        top = module_level(tree).union(*late_functions(tree).values())
        late = late_names(tree)
        for call in calls_of_re(tree):
            compiled_at_top = isinstance(call.func, ast.Attribute) and call.func.attr == "compile" and id(call) in top
            named = call.args and isinstance(call.args[0], ast.Name) and call.args[0].id in late
            if not (compiled_at_top or named) and path not in MADE_OF_WHAT_IS_TYPED:
                strays.append(f"{path}:{call.lineno}")
    assert strays == []


def patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for each in (*value.keys(), *value.values()):
            yield from patterns_in(each)
    elif isinstance(value, (tuple, list, set, frozenset)):
        for each in value:
            yield from patterns_in(each)


def uses_in(tree: ast.Module) -> dict[str, set[str]]:
    """The methods that are called on each name of a module."""
    uses: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            uses.setdefault(node.value.id, set()).add(node.attr)
    return uses


@dataclass(frozen=True)
class Tried:
    place: str
    pattern: re.Pattern[Any]
    anchored: bool


def patterns_of(path: str) -> Iterator[Tried]:
    """The patterns of a module and of those that it imports by name."""
    tree = tree_of(path)
    if not any(calls_of_re(tree)):
        return
    module, uses = importlib.import_module(module_name(path)), uses_in(tree)
    late: dict[str, Any] = {name: re.compile(getattr(module, name)) for name in late_names(tree)}
    late |= {name: getattr(module, name)() for name in late_functions(tree)}
    for name, value in (vars(module) | late).items():
        methods = uses.get(name, set())
        private = name.startswith("_") and isinstance(value, re.Pattern)  # else others may search with it
        anchored = private and bool(methods & ANCHORED) and not methods & SEARCHING
        for number, pattern in enumerate(patterns_in(value)):
            place = f"{module_name(path)}.{name}" + (f"[{number}]" if number else "")
            yield Tried(place, pattern, anchored)


def test_no_pattern_is_missed():
    compiled = 0
    for path in MODULES:
        top = module_level(tree_of(path))
        compiled += sum(id(call) in top for call in calls_of_re(tree_of(path)))
    found = {id(each.pattern) for path in MODULES for each in patterns_of(path)}
    assert len(found) >= 0.9 * compiled  # equal ones are one object
    assert compiled > 100


# --- texts made of a pattern's own parts -----------------------------------------------------------------------------


def holds(items: list[tuple[Any, Any]], sign: str) -> bool:
    """Whether a set of the parsed pattern holds a sign."""
    negated = bool(items) and items[0][0] is sre.NEGATE
    found = False
    for kind, value in items[1:] if negated else items:
        if kind is sre.LITERAL:
            found |= ord(sign) == value
        elif kind is sre.RANGE:
            found |= value[0] <= ord(sign) <= value[1]
        elif kind is sre.CATEGORY:
            found |= _in_category(value, sign)
    return found != negated


def _in_category(category: Any, sign: str) -> bool:
    letter = {
        sre.CATEGORY_DIGIT: r"\d",
        sre.CATEGORY_NOT_DIGIT: r"\D",
        sre.CATEGORY_SPACE: r"\s",
        sre.CATEGORY_NOT_SPACE: r"\S",
        sre.CATEGORY_WORD: r"\w",
        sre.CATEGORY_NOT_WORD: r"\W",
    }[category]
    return re.fullmatch(letter, sign) is not None


def samples(node: tuple[Any, Any]) -> list[str]:
    """A few texts that one node of a parsed pattern matches, the plainest first."""
    kind, value = node
    if kind is sre.LITERAL:
        return [chr(value)]
    if kind is sre.NOT_LITERAL:
        return [sign for sign in SIGNS if ord(sign) != value][:8]
    if kind is sre.ANY:
        return ["a", " ", "[", "*", "(", "\n"]
    if kind is sre.IN:
        chosen = [sign for sign in SIGNS if holds(value, sign)]
        return (
            chosen
            or [
                chr(item[1] if item[0] is sre.LITERAL else item[1][0])
                for item in value[:1]
                if item[0] in (sre.LITERAL, sre.RANGE)
            ]
            or ["\u4e00"]
        )
    if kind is sre.SUBPATTERN:
        return texts_of(value[3])
    if kind is sre.ATOMIC_GROUP:
        return texts_of(value)
    if kind is sre.BRANCH:
        return [text for branch in value[1] for text in texts_of(branch)[:2]]
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, _, body = value
        return [""] if least == 0 else [text * least for text in texts_of(body)[:3]]
    return [""]


def texts_of(nodes: Any) -> list[str]:
    """A few texts that a sequence of nodes matches."""
    choices = [samples(node) for node in nodes]
    plain = "".join(choice[0] for choice in choices if choice)
    others = [
        "".join(text if n == place else (each[0] if each else "") for n, each in enumerate(choices))
        for place, choice in enumerate(choices)
        for text in choice[1:6]
    ]
    return [plain, *others][:16]


def runs(nodes: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Each repeat of a parsed pattern, as the text that leads up to it and what is repeated."""
    for node in nodes:
        kind, value = node
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, body = value
            if most is sre.MAXREPEAT or most > LONG_REPEAT:
                for text in texts_of(body):
                    if text:
                        yield before, text
            yield from runs(body, before)
        elif kind is sre.SUBPATTERN:
            yield from runs(value[3], before)
        elif kind is sre.ATOMIC_GROUP:
            yield from runs(value, before)
        elif kind is sre.BRANCH:
            for branch in value[1]:
                yield from runs(branch, before)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            yield from runs(value[1], before)
        before += (samples(node) or [""])[0]


GENERAL = (*" \n\ta0-*_[(<{`\\.&|", " \n", "a ", "a.", "[]", "[](", "[[")


def attacks(pattern: re.Pattern[Any]) -> Iterator[Callable[[int], str]]:
    tree = sre_parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    made = {(before, text) for before, text in runs(tree)} | {("", text) for text in GENERAL}
    for before, text in sorted(made):
        for end in ENDS:
            yield lambda n, b=before, t=text, e=end: b + t * (n // len(t)) + e  # type: ignore[misc]
        if before:
            yield lambda n, b=before, t=text: (b + t) * (n // len(b + t))  # type: ignore[misc]


def seconds(tried: Tried, text: str | bytes) -> float:
    began = time.thread_time()
    if tried.anchored:
        tried.pattern.match(text)
        tried.pattern.fullmatch(text)
    else:
        for _ in tried.pattern.finditer(text):
            pass
    return time.thread_time() - began


def slow(tried: Tried, text: Callable[[int], str]) -> bool:
    """Whether a pattern's time grows faster than the text."""

    def spent(size: int, harmless: float = 0.0) -> float:
        """Return the shorter of two times, or one that is harmless already."""
        made: str | bytes = text(size)
        if isinstance(tried.pattern.pattern, bytes):
            made = made.encode() if isinstance(made, str) else made
        once = seconds(tried, made)
        return once if once < harmless else min(once, seconds(tried, made))

    for small, large in pairwise((12, 18, 24)):  # what doubles with each sign must not be tried on more
        if spent(large, 0.02) > 0.02 > spent(small, 0.02):
            return True
    for small, large in (SIZES, LARGER_SIZES):
        longest = spent(large, UNMEASURABLE_SECONDS)
        if longest < UNMEASURABLE_SECONDS or longest < GROWTH * spent(small):
            return False
        if longest > HOPELESS_SECONDS:
            break
    return True


@pytest.mark.parametrize("path", MODULES)
def test_the_patterns_of_a_module_take_linear_time(path: str) -> None:
    for tried in patterns_of(path):
        guilty = next((text(24) for text in attacks(tried.pattern) if slow(tried, text)), None)
        assert guilty is None, f"{tried.place}: {tried.pattern.pattern!r} on {guilty!r}"


@pytest.mark.parametrize(
    "glob", ["*a*a*a*a*b", "**/a/**/a/**/b", "a*?*?*?b", "[!b]*[!b]*[!b]*b", "*" * 30 + "b", "**/" * 20 + "b"]
)
def test_a_glob_takes_linear_time(glob: str) -> None:
    source = to_regex(glob, anchored="/" in glob)
    assert source is not None
    tried = Tried(glob, re.compile(source, re.DOTALL), anchored=True)
    assert not any(slow(tried, lambda n, t=text: t * (n // len(t))) for text in ("a", "a/", "aa/a", "ab", "/"))  # type: ignore[misc]


def test_finding_in_a_document_takes_linear_time() -> None:
    def spent(size: int) -> float:
        began = time.thread_time()
        find_all(" a" * size, "a a a b")
        find_all(" " * size, "a b")
        return time.thread_time() - began

    assert spent(16_000) < max(GROWTH * spent(4_000), UNMEASURABLE_SECONDS)


def test_characters_in_context_are_found_in_linear_time() -> None:
    tried = Tried("in_context", in_context(), anchored=False)
    assert not any(slow(tried, text) for text in attacks(tried.pattern))
