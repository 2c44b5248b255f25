"""Reading and cutting a file takes linear time, whatever signs it is made of.

The time is that of the processor in this thread; a quadratic way costs sixteenfold where the text grows fourfold.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from engine.chunking import cut
from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers import read_document

pytestmark = pytest.mark.processes  # half a minute of one core

SIZES, UNMEASURABLE_SECONDS = ((2_500, 10_000), 0.02) if os.environ.get("CARREL_SLOW") else ((1_500, 6_000), 0.012)
GROWTH = 9.0

SUFFIXES = (
    *("md", "txt", "py", "rst", "org", "adoc", "tex", "html", "json", "jsonl", "yaml", "toml", "csv", "tsv", "ipynb"),
    *("srt", "vtt", "rtf", "eml", "log", "bib", "mbox", "mht", "ics", "vcf", "enex", "xml"),
)
RUNS = (
    *("\n", " ", "\t", " \n", "\n\n  ", "a", "a ", "a\n", "1", "#", "# ", "#1", "#\n", "* ", "*", "**", "_"),
    *("__a", "~~a", "[", "[[", "[]", "[](", "[a](b ", "](", "![", "(", "<", "<a", "<a ", "<!--", "&", "&a"),
    *("{", "{\n", "}", "{}", "`", "``a", "```\n", "~~~", "|", "|-", "a|b\n", "> ", ">", ">\n", "- ", "-\n"),
    *("-", "---\n", "=\n", "+", "1. ", "\\", "\\a", "\\'", "$", "$$", "%", "%\n", ":", "::\n", ":a:", ":a: "),
    *("a:", "a:\n", "..\n", ".. _a: ", ".. a::\n", "+a", "<<a", "link:a", "//", '"', "'", '","', '"a": '),
    *("/", "/*", "*/", "--", "-->", "0:0", "00:00:00,0 --> ", "=?", "=?utf-8?q?", "\\par ", "{\\a"),
    *("\\begin{a}", "\\end{a}", "\\section{", "#+a:", "#+BEGIN_a\n", ":a:\n", "[fn:", "\x00", "\x0c"),
    *("\u200b", "\u200b\n\n", "é", "一", "一 ", "ก", "̀", "http://", "a@b", "@", "\r", "\r\n", "\ufeff", "'''"),
    *('"""', "a = [", "[a.", "a.b.", "<p>", "<li>", "<td>", "From a\nA: b\n\n", "BEGIN:VEVENT\n"),
    *("<a href=b>", "<div><a href=b>", "<li><a href=b></li>", "<b><i>", "<dl><dd>", "<table><td>"),
)
BEFORE = ("", "# a\n\n", "---\n", '{"a": "', "[", "a\n") if os.environ.get("CARREL_SLOW") else ("",)
SHARES = 1 if os.environ.get("CARREL_SLOW") else 2  # in a usual run each kind of file meets every second of the runs
TOKEN = re.compile(r"\w{1,7}|[^\w\s]")


def token_starts(text: str) -> list[int]:
    return [match.start() for match in TOKEN.finditer(text)]


def spent(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def grows_too_fast(work: Callable[[int], object]) -> bool:
    """Whether four times the text takes much more than four times as long, also where the texts are larger."""

    def least(size: int) -> float:
        return min(spent(lambda: work(size)) for _ in range(2))

    if spent(lambda: work(SIZES[1])) < UNMEASURABLE_SECONDS:
        return False
    return all(least(4 * size) > GROWTH * max(least(size), 1e-4) for size in (SIZES[0], SIZES[1]))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_reading_and_cutting_takes_linear_time(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"

    def read(text: str) -> None:
        path.write_bytes(text.encode())
        try:
            document = read_document(bytes(path))
        except SourceError:
            return  # refused: what counts is how long that took
        cut(document, token_starts)

    guilty = [
        (before, run)
        for before in BEFORE
        for run in RUNS[SUFFIXES.index(suffix) % SHARES :: SHARES]
        if grows_too_fast(lambda size, b=before, r=run: read(b + r * (size // len(r)) + "\nend"))  # type: ignore[misc]
    ]
    assert guilty == []


STRUCTURES: dict[str, Callable[[int], str]] = {
    **{
        f"headings.{suffix}": (lambda n, piece=piece: piece * n)
        for suffix, piece in (  # type: ignore[misc]
            ("md", "# a\n"),
            ("rst", "a\n=\n\n"),
            ("org", "* a\n"),
            ("adoc", "= a\n"),
            ("html", "<h1>a</h1>"),
        )
    },
    **{
        f"links.{suffix}": (lambda n, piece=piece: piece * n)
        for suffix, piece in (  # type: ignore[misc]
            ("md", "[a](b) "),
            ("rst", "`a <b>`_ "),
            ("org", "[[a][b]] "),
            ("html", '<a href="x">a</a> '),
        )
    },
    **{
        f"deep.{suffix}": (lambda n, piece=piece: piece * n + "a")
        for suffix, piece in (  # type: ignore[misc]
            ("md", "> "),
            ("html", "<div>"),
            ("json", "["),
            ("yaml", "[ "),
            ("toml", "a=["),
            ("tex", "{"),
            ("rtf", "{"),
        )
    },
    "lists.md": lambda n: "".join(" " * (each % 500) + "- a\n" for each in range(n // 50)),
    "nested.md": lambda n: "[" * n + "a" + "]" * n,
    "heading.md": lambda n: "# " + "a b " * n + "\n\ntext",
    "heading.html": lambda n: "<h1>" + "a b " * n + "</h1>text",
    "open.html": lambda n: "<b><i>a " * n,
    "lists.html": lambda n: "<ul><li>a" * (n // 9) + "</li></ul>" * (n // 9),
    "cells.html": lambda n: "<table><tr><td>a<p>b" * (n // 9),
    "parts.eml": lambda n: "Content-Type: multipart/mixed; boundary=B\n\n" + "--B\n\na\n" * (n // 9),
    "alternatives.eml": lambda n: "Content-Type: multipart/alternative; boundary=B\n\n" + "--B\n\na\n" * (n // 9),
    "forwards.eml": lambda n: "Subject: a\nContent-Type: message/rfc822\n\n" * (n // 99) + "\nb",
    "quoted.json": lambda n: '{"a": "' + '\\"' * n,
    "strings.json": lambda n: "[" + '"a\\nb", ' * n,
    "folded.ics": lambda n: "BEGIN:VEVENT\nSUMMARY:a\n" + " b\n" * n,
    "messages.mbox": lambda n: "From a\nSubject: b\n\nc\n\n" * (n // 9),
}


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_many_large_and_deep_structures_take_linear_time(name: str, tmp_path: Path) -> None:
    path = tmp_path / name

    def read(size: int) -> None:
        path.write_text(STRUCTURES[name](size))
        with suppress(SourceError):  # refused: what counts is how long that took
            cut(read_document(bytes(path)), token_starts)

    assert not grows_too_fast(read)


@pytest.mark.parametrize("kind", ["text", "markdown", "code"])
def test_text_without_tokens_is_cut_in_linear_time(kind: str) -> None:
    def work(size: int) -> None:
        cut(Document("\u200b\n\n" * size, "", False, kind), lambda _: [])

    assert not grows_too_fast(work)
