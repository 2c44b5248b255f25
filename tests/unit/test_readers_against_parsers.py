"""Our readers find the sections that the formats' own parsers find, in made and in real notes."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import orgparse
import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document
from markdown_it import MarkdownIt
from reading import read

from engine.records import Document
from engine.sources.readers import read_document
from engine.sources.readers.frontmatter import read_front_matter, read_properties

NOTES = Path(os.environ.get("CARREL_DATA", os.devnull)) / "notes"
REAL = pytest.mark.skipif(not NOTES.is_dir(), reason="CARREL_DATA holds no notes")
MARKDOWN = MarkdownIt("commonmark").enable("table")

MARKDOWN_NOTES = (
    "# A\n\n- ```\n  x\n  ```\n\n## B\n\n1. a\n\n   ~~~\n   # no\n   ~~~\n\n# C\n",
    "- a\n\n  ```sh\n  # no\n\n# A\n\n## B\n",
    "<pre>\n# no\n\n# no\n</pre>\n# A\n",
    "<script>\n# no\n</script>\n\n<!-- # no\n# no --> \n# A\n",
    "<details>\n<summary>s</summary>\n# no\n\n# A\n\n</details>\n",
    "A\n=\n\n> # no\n\nB\n---\n\n    # no\n\n***\n# C #\n#no\n####### no\n",
    "> ```\n> # no\n\n# A\n",
)
RST_NOTES = (
    "AB\n==\n\n- one\n- two\n\n2. B\n----\n\n1. one\n2. two\n\nC. D\n....\n\n* x\n\nE\n::::\n\nF\n",
    "=====\n A B\n=====\n\nx\n\nC\n-----\n\n(a) b\n\n(c) d\n-----\n\n::\n\n  code\n\nE\n-----\n\nx\n",
    "A\n===\n\n.. note::\n\n   x\n\nB\n===\n\n:field: x\n\nC\n===\n\n1. x\n   y\n\n#. z\n\nD\n===\n",
)


def real(suffix: str) -> Iterator[tuple[Path, str]]:
    """Give the real notes with a suffix that are UTF-8."""
    for path in sorted(NOTES.rglob(f"*{suffix}")):
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def markdown_sections(text: str) -> list[tuple[int, int]]:
    """Return the line and the level of each heading at the top of a Markdown note, as markdown-it has them."""
    front = read_front_matter(text) or read_properties(text)
    body = "\n" * text.count("\n", 0, front.end) + text[front.end :] if front else text
    return [
        (token.map[0], int(token.tag[1]))
        for token in MARKDOWN.parse(body)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def our_sections(document: Document) -> list[tuple[int, int]]:
    """Return the line and the level of each heading, as our reader has them."""
    headings = [block for block in document.blocks if block.kind == "heading"]
    return [(document.text.count("\n", 0, block.start), block.level) for block in headings]


@pytest.mark.parametrize("text", MARKDOWN_NOTES)
def test_markdown_headings_are_those_of_commonmark(tmp_path: Path, text: str) -> None:
    assert our_sections(read(tmp_path, "a.md", text)) == markdown_sections(text)


@REAL
@pytest.mark.realdata
def test_the_headings_of_real_markdown_are_those_of_commonmark() -> None:
    differing = []
    for path, text in real(".md"):
        ours = {(line, level) for line, level in our_sections(read_document(os.fsencode(path)))}
        if missed := [section for section in markdown_sections(text) if section not in ours]:
            differing.append((path.name, missed[:3]))
    assert not differing


def squeezed(words: str) -> str:
    """Return the letters and figures of a heading alone."""
    return re.sub(r"[\W_]+", "", re.sub(r":[\w:]+:`", "", words)).casefold()


def rst_sections(text: str) -> set[str]:
    """Return the section titles of a reStructuredText file, as docutils has them."""
    settings = get_default_settings(Parser)
    settings.report_level, settings.halt_level, settings.warning_stream = 5, 6, io.StringIO()
    settings.file_insertion_enabled = settings.raw_enabled = False
    document = new_document("a.rst", settings)
    Parser().parse(text, document)
    titles = [each for each in document.findall(nodes.title) if isinstance(each.parent, nodes.section)]
    return {squeezed(each.astext()) for each in titles}


def labels(document: Document) -> set[str]:
    return {squeezed(block.label) for block in document.blocks if block.kind == "heading"}


@pytest.mark.parametrize("text", RST_NOTES)
def test_sections_of_restructured_text_are_those_of_docutils(tmp_path: Path, text: str) -> None:
    assert labels(read(tmp_path, "a.rst", text)) == rst_sections(text)


@REAL
@pytest.mark.realdata
@pytest.mark.processes
def test_the_sections_of_real_restructured_text_are_those_of_docutils() -> None:
    every = 1 if os.environ.get("CARREL_SLOW") else 8
    files = list(real(".rst"))[::every]
    differing = [
        (path.name, difference)
        for path, text in files
        if (difference := labels(read_document(os.fsencode(path))) ^ rst_sections(text))
    ]
    assert not differing


def org_differences(document: Document, text: str) -> list[str]:
    """Return what orgparse finds of the depths of headings and of their tags that our reader has otherwise."""
    theirs = list(orgparse.loads(text))[1:]
    ours = [block for block in document.blocks if block.kind == "heading"]
    if [each.level for each in theirs] != [block.level for block in ours]:
        return ["the levels of the headings"]
    tags = {tag for each in theirs for tag in each.shallow_tags} - set(document.tags)
    return sorted(tags)


def test_org_headings_and_tags_are_those_of_orgparse(tmp_path: Path) -> None:
    text = "* TODO [#A] One :a:b:\n** Two [[x][words]]\n#+BEGIN_SRC\n,* no\n#+END_SRC\n*bold*\n* Three :c:\n"
    document = read(tmp_path, "a.org", text)
    assert not org_differences(document, text)
    assert [block.label for block in document.blocks if block.kind == "heading"] == ["One", "Two words", "Three"]


@REAL
@pytest.mark.realdata
def test_the_headings_and_tags_of_real_org_are_those_of_orgparse() -> None:
    found = [
        (path.name, found[:3])
        for path, text in real(".org")
        if (found := org_differences(read_document(os.fsencode(path)), text))
    ]
    assert not found
