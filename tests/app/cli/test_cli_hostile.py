"""Nothing that steers a terminal, turns a text around or hides in it reaches one, whatever a name or a note holds.

Every command of the table runs on a library whose every name and text is hostile, into a pipe, onto a terminal and as
JSON; a command that is added without a line in `CALLS` fails here.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import apsw
import click
import pytest
from cli_fakes import Call
from indexed_notes import TitledParser, written_notes

import app.cli
from app.cli import factories
from app.cli.commands import COMMANDS
from app.cli.log_lines import LogLines
from app.cli.output import SafeStream
from app.cli.progress_line import MovingLine, PlainLines
from app.cli.root import root
from app.cli.training_run import Display
from engine import events
from engine.config import change
from engine.harmful_characters import escaped
from engine.library import Library
from engine.records import Block, Document
from engine.retrieval import tier_calibration
from engine.sources import parser
from training import protocol, runs
from training.run_plan import Plan

HOSTILE = (
    "a\x1b]0;pwned\x07b\x1b[8mc\x1b[31md\x9b31me\x7ff\x00g\x08h\u202ei\u202cj\u2066k\u2069l\u200em\u200fn\u061co\u200bp"
    "\u200dq\u200cr\u2060s\ufefft\u2028u\u2029v\xadw\u180ex\U000e0041y\u3164z\ufe0fé"
)
NAME = HOSTILE.replace("\x00", "")  # as far as a file or an argument can bear it
HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
OWN_STYLES = re.compile(
    "\x1b\\[(?:[0-4]|36|32|33|90)m|\r\x1b\\[K|\x1b\\[2J\x1b\\[1;1H|\x1b\\]8;;(?:file://[!-~]*)?\x1b\\\\"
)
NOTE = f"---\ntitle: x\n---\n# starter {HOSTILE}\n\n## {HOSTILE}\n\nFeed the starter {HOSTILE}, twice a day.\n"
PATH = f"notes/{NAME}/{NAME}.md"

CALLS: dict[str, list[list[str]]] = {
    "search": [["starter"], [NAME], ["starter", "--explain"], ["starter", "--plain"], [f"tag:{NAME} {NAME}"]],
    "why": [["starter", PATH], [NAME, "gone"]],
    "show": [[f"{PATH}:1"], [NAME]],
    "open": [[NAME]],
    "mark": [[NAME, PATH], [NAME, PATH, "-"], [NAME, NAME]],
    "marks": [[]],
    "judge": [[NAME], ["--queries", NAME], ["--out", f"{NAME}.jsonl"]],
    "retrain": [["--queries", NAME], ["--follow", NAME], ["--name", NAME], ["--judged", NAME]],
    "runs": [[], ["show", NAME], ["show", NAME], ["note", "mine", NAME], ["examples", "mine"]],
    "promote": [[NAME], ["mine"]],
    "rollback": [[]],
    "log": [[]],
    "add": [[NAME], ["notes"], [f"notes/{NAME}"]],
    "remove": [[NAME], ["notes"], ["--undo", NAME]],
    "folders": [[]],
    "sync": [[], ["--full"], [NAME]],
    "watch": [[]],
    "status": [[]],
    "doctor": [[]],
    "backup": [[NAME], [f"gone/{NAME}"]],
    "restore": [[NAME]],
    "compact": [[]],
    "export": [["-"], [NAME], [f"gone/{NAME}"]],
    "import": [[NAME], ["bad.jsonl"]],
    "models": [[], ["use", NAME], ["remove", NAME], ["build", NAME], ["build", "notes"]],
    "eval": [[NAME], ["notes"], ["notes", "--model", NAME, "--weights", NAME]],
    "demo": [["--library", f"demo-{NAME}"]],
    "completion": [["bash"], [NAME]],
    "pick": [["--filter", "starter"], ["--filter", NAME], ["--filter", "--format", f"{{path}}{NAME}", "starter"]],
    "browse": [[NAME]],
    "init": [["bash"], [NAME]],
    "mcp": [["--folder", NAME], ["--include", NAME]],
    "serve": [["--port", NAME], []],
    "late": [[], ["on", NAME], ["off"], ["remove"]],
    "shadow": [[], [NAME], ["--replay"], ["--empty"], ["review"], ["stop"]],
    "team": [
        [],
        ["join", NAME],
        ["init", f"postgresql://localhost/{NAME}"],
        ["share", NAME],
        ["folder", "add", NAME],
        ["searches", "--share", NAME],
    ],
}


class Terminal(io.StringIO):
    """What a person sees."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class HostileParser(TitledParser):
    """Reads a note with hostile headings, tags and metadata, and fails on some with a hostile reason."""

    def read(self, path: bytes, root: bytes | None = None) -> Document:
        from engine.errors import SourceError

        if path.endswith(b"broken.md"):
            raise SourceError(HOSTILE)
        text = Path(os.fsdecode(path)).read_bytes().decode()
        at = text.index("\n\n") + 2
        blocks = (Block("heading", 0, at - 2, level=1), Block("paragraph", at, len(text)))
        return Document(text, HOSTILE, True, "markdown", blocks, tags=(HOSTILE,), metadata={HOSTILE: HOSTILE})


def emitted(kind: type[Any]) -> Any:
    """An event of one kind with hostile words in all its fields."""
    return kind(**{each.name: filled(str(each.type)) for each in fields(kind) if each.init and each.name != "type"})


def filled(type_name: str) -> Any:
    if re.search("mapping|dict", type_name, re.IGNORECASE):
        return {HOSTILE: 7}
    if "tuple" in type_name.lower() or "sequence" in type_name.lower():
        return ()
    return {"str": HOSTILE, "int": 7, "bool": True}.get(type_name.split(" ")[0], 7.0)


def watched(_path: Path, on_event: Callable[[events.Event], None], _stop: object) -> None:
    """An indexer of which every event is hostile."""
    for kind in events.EVENT_TYPES.values():
        on_event(emitted(kind))


@pytest.fixture
def hostile(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """A library of which every name and text is hostile, and a way to call `carrel` on it."""
    monkeypatch.setattr(parser, "configured_parser", HostileParser)
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)  # seconds a library, and it only reads
    monkeypatch.setattr(factories, "run_indexer", watched)
    monkeypatch.setattr(factories, "interactive", lambda: False)
    monkeypatch.setattr(factories, "serve_page", lambda library, port, started: started("http://127.0.0.1:1/x/"))
    monkeypatch.setattr(factories, "serve_programs", lambda tools: None)
    written_notes({f"{NAME}/{NAME}.md": NOTE, f"{NAME}/broken.md": "x\n\ny", "b.md": NOTE}, monkeypatch)
    Path("bad.jsonl").write_text(json.dumps({"type": HOSTILE, "format": HOSTILE}) + "\n" + HOSTILE)
    assert carrel("add", "notes").code == 0
    change({"search_log": True})
    assert carrel("sync").code == 0
    for name in ("mine", NAME):
        plan = Plan(name="mine", recipe=HOSTILE, base=HOSTILE, sources=(HOSTILE,))
        run = runs.Run(runs.folder() / name)
        run.folder.mkdir(parents=True)
        run.write(runs.Record(plan, state=HOSTILE, verdict=HOSTILE, note=HOSTILE, model=HOSTILE, former=HOSTILE))
    library = Library.open(None)
    path = library.path
    library.close()
    connection = apsw.Connection(os.fspath(path))
    connection.execute("UPDATE model SET name = ?", (HOSTILE,))
    logged = "INSERT INTO search_log(at, query, verdict, fusion, milliseconds, results) VALUES(1, ?, ?, ?, 1, '[]')"
    connection.execute(logged, (HOSTILE, HOSTILE, HOSTILE))
    connection.close()
    return carrel


def test_every_command_is_tried() -> None:
    assert set(CALLS) == set(COMMANDS)


def shown(call: Callable[[], object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a person at a terminal sees of a call, without Carrel's own styles."""
    with monkeypatch.context() as patch:
        seen = Terminal()
        patch.setattr(sys, "stdout", seen)
        patch.setattr(sys, "stderr", seen)
        call()
    return OWN_STYLES.sub("", seen.getvalue())


def through(said: str) -> list[str]:
    """What of some output is harmful, or says that a command failed of itself."""
    return HARMFUL.findall(said) + re.findall("Something unexpected.*", said)


def test_no_command_lets_a_hostile_name_or_text_through(
    hostile: Call, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = {}
    for call in ([name, *arguments] for name, calls in CALLS.items() for arguments in calls):
        piped = hostile(*call)
        assert piped.code == 0 or piped.out + piped.err or (call[0], piped.code) == ("pick", 1), (
            call
        )  # no match: as fzf has it
        seen = shown(lambda call=call: app.cli.main(call), capsys, monkeypatch)  # type: ignore[misc]
        faults[" ".join(call)] = through(piped.out + piped.err), through(seen)
    assert {call: fault for call, fault in faults.items() if fault != ([], [])} == {}


def test_wrong_usage_of_every_command_is_said_cleanly(hostile: Call) -> None:
    faults = {}
    for name in COMMANDS:
        for call in ([name, f"--{NAME}"], [name, *(["x"] * 9), NAME], [name, "--library", NAME, *CALLS[name][0]]):
            ended = hostile(*call)
            faults[" ".join(call)] = through(ended.out + ended.err)
    assert {call: fault for call, fault in faults.items() if fault} == {}


def test_json_escapes_what_is_hostile(hostile: Call) -> None:
    faults = {}
    for call in ([name, *arguments, "--json"] for name, calls in CALLS.items() for arguments in calls):
        ended = hostile(*call)
        faults[" ".join(call)] = through(ended.out + ended.err)
    assert {call: fault for call, fault in faults.items() if fault} == {}


def test_json_gives_the_hostile_words_back(hostile: Call) -> None:
    [hit, *_] = hostile("search", "starter", "--json").json["results"]
    assert hit["title"] == HOSTILE
    exported = [json.loads(line) for line in hostile("export", "-", "--no-vectors").out.splitlines()]
    assert HOSTILE in [record.get("title") for record in exported]


def test_escaping_changes_no_value() -> None:
    value = {HOSTILE: [HOSTILE, "\U0001f468\u200d\U0001f373 \ud83d ❤\ufe0f می\u200cخواهم"]}
    written = json.dumps(value, ensure_ascii=False, indent=2)
    assert json.loads(escaped(written)) == value
    assert "\u200c" in escaped(written)
    assert "\u200d" in escaped(written)


@pytest.mark.parametrize("show", [LogLines, MovingLine, PlainLines])
def test_progress_of_every_kind_is_clean(show: type[PlainLines]) -> None:
    seen = Terminal()
    watched(Path(), show(SafeStream(seen)), None)  # type: ignore[arg-type]
    assert seen.getvalue()
    assert HARMFUL.findall(OWN_STYLES.sub("", seen.getvalue())) == []


def test_a_training_run_is_shown_cleanly(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        with app.cli.output.safe_output():
            show = Display(sys.stderr)
            for kind in protocol.TYPES.values():
                show(emitted(kind))

    text = shown(run, capsys, monkeypatch)
    assert "Training" in text or "step" in text
    assert HARMFUL.findall(text) == []


def test_what_a_shell_completes_is_clean(hostile: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "carrel show a")
    monkeypatch.setenv("COMP_CWORD", "2")
    monkeypatch.setenv("_CARREL_COMPLETE", "bash_complete")
    ended = hostile("show")
    assert HARMFUL.findall(ended.out + ended.err) == []


def test_a_question_is_asked_cleanly(hostile: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("ask")
    def ask() -> None:
        click.confirm(f"Remove {HOSTILE}?", err=True)

    monkeypatch.setitem(root.commands, "ask", ask)
    monkeypatch.setattr("app.cli.root.CarrelGroup.resolve_command", lambda *_: ("ask", ask, []))
    ended = hostile("ask")
    assert "Remove a" in ended.err
    assert HARMFUL.findall(ended.out + ended.err) == []


def test_show_gives_a_pipe_the_text_as_it_is(hostile: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert hostile("show", "notes/b.md").out == NOTE
