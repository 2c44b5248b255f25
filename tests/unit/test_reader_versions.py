"""A reader that reads differently needs a new version, else libraries keep what its older one read."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

import pytest
from reading import read

from engine.sources.parser_protocol import document_to_json
from engine.sources.readers import file_types
from engine.sources.readers.file_types import READER_VERSIONS

CELLS = [
    {"cell_type": "markdown", "source": ["# Foxes\n", "They run."]},
    {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": "1\n"}]},
]
EVENT = "BEGIN:VEVENT\nSUMMARY:Den\nDTSTART:20240501T100000Z\nLOCATION:Wood\nDESCRIPTION:Dig\\nin.\nEND:VEVENT\n"
CARD = "BEGIN:VCARD\nFN:Ann Fox\nORG:Den;Deep\nTEL:1\nNOTE:Digs.\nEND:VCARD\n"
SAMPLES = {
    "xml": ("a.xml", "<a><title>Foxes</title><b c='They run'>Den &amp; <i>wood</i></b></a>"),
    "calendar": ("a.ics", EVENT),
    "contacts": ("a.vcf", CARD),
    "mbox": ("a.mbox", "From a\nFrom: a@x.org\nSubject: Tea\n\nHello.\n\nFrom b\nSubject: Cake\n\nMore.\n"),
    "mhtml": ("a.mht", "Subject: Foxes\nContent-Type: text/html\n\n<h1>Run</h1><p>They run.\n"),
    "asciidoc": (
        "a.adoc",
        "= Foxes\nAnn\n:keywords: red\n\nSee https://x.org[it].\n\n== Den\n\n----\nx\n----\n* one\n",
    ),
    "bibtex": ("a.bib", '@book{x,\n  title = {The {F}ox},\n  author = "M{\\"u}ller",\n}\n'),
    "code": ("a.py", '"""Foxes."""\n\n\ndef run():\n    return 1\n'),
    "csv": ("a.csv", 'name,seen\nrobin,3\n"wren, small",1\n'),
    "email": ("a.eml", "From: a@x.org\nSubject: Tea\n\nHello.\n\n> At four?\n\nhttps://x.org/tea\n"),
    "enex": ("a.enex", "<en-export><note><title>Foxes</title><content>Run</content><tag>red</tag></note></en-export>"),
    "html": (
        "a.html",
        "<title>Foxes</title><h1>Run</h1><p>They <b>run</b> <a href=https://x.org/y>by</a>.<ul><li>one<li>two</ul><pre>x</pre>",
    ),
    "keyed": ("a.yaml", "name: fox\nhabits:\n  food: mice\n  den:\n    - deep\n    - dry\n"),
    "latex": ("a.tex", "\\title{Foxes}\\begin{document}\\section{Run}They \\emph{run}.\n\n$x^2$\\end{document}\n"),
    "markdown": (
        "a.md",
        "---\ntags: [red]\n---\n# Foxes\n\nThey [run](x.md).\n\n- one\n- two\n\n```\nx\n```\n> said\n",
    ),
    "notebook": ("a.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": CELLS})),
    "org": (
        "a.org",
        "#+TITLE: Foxes\n* TODO Run :red:\n:PROPERTIES:\n:ID: 1\n:END:\nThey [[x][run]].\n#+BEGIN_SRC\nx\n#+END_SRC\n",
    ),
    "rst": (
        "a.rst",
        "Foxes\n=====\n\n:author: Ann\n\nThey `run <x>`_::\n\n  x\n\n=== ===\na   b\n=== ===\n1   2\n=== ===\n",
    ),
    "rtf": ("a.rtf", r"{\rtf1\ansi{\info{\title Foxes}}\pard They {\b run}.\par \'e9t\'e9\par}"),
    "subtitles": ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nA fox\n\n2\n00:00:03,000 --> 00:00:04,000\nruns.\n"),
    "text": ("a.txt", "Foxes run.\n\nThey are red.\n"),
}
READ = {
    "enex": (5, "2e2161d0c458813a"),
    "calendar": (3, "62d944daa307b5e3"),
    "contacts": (2, "2f42569bc218e2ed"),
    "xml": (3, "b3437306f647cab8"),
    "mbox": (6, "a5f176f48d660459"),
    "mhtml": (6, "a0c08754d0d471db"),
    "bibtex": (1, "f0da30f1a4e6159a"),
    "asciidoc": (3, "3caca8736b334b13"),
    "code": (2, "c00fd179cc41d23e"),
    "csv": (2, "5dc643c033bc094a"),
    "email": (8, "9a08cb98eec9e32b"),
    "html": (10, "e65a256d09186176"),
    "keyed": (7, "21713950b0470c96"),
    "latex": (5, "fb313535d0cfdbe8"),
    "markdown": (3, "edd2337535d7206c"),
    "notebook": (6, "bed022bcff7ab16d"),
    "org": (3, "67f71fb5c1b7c00f"),
    "rst": (4, "c74c42dc399a590d"),
    "rtf": (6, "652bd8ae11be48b6"),
    "subtitles": (3, "f4778a5c7d01b5cb"),
    "text": (6, "6accd8b70ce040bd"),
}
"""The version of each reader, and a hash of what it makes of its sample."""


def test_every_reader_has_a_version() -> None:
    names = [b"x" + suffix for suffix in file_types._BY_SUFFIX] + [b"x.unheard", *file_types._BY_NAME]
    assert {file_types.reader_of(name) for name in names} == READER_VERSIONS.keys()


@pytest.mark.parametrize("reader", SAMPLES)
def test_a_reader_that_reads_differently_has_a_new_version(tmp_path: Path, reader: str) -> None:
    name, content = SAMPLES[reader]
    assert file_types.reader_of(name.encode()) == reader
    written = document_to_json(read(tmp_path, name, content))
    del written["content_hash"]  # of the file, not of what its reader makes of it
    document = json.dumps(written, sort_keys=True)
    found = (READER_VERSIONS[reader], blake2b(document.encode(), digest_size=8).hexdigest())
    advice = f"raise the version of {reader} in READER_VERSIONS, and write {found} here with that version"
    assert found == READ[reader], advice
