"""The lines of the what-if panel, and what a pointer finds in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from textual.content import Content

from app.tui.screens.search.whatif import HIGHEST_COLLAPSE, LOWEST_COLLAPSE, Control, WhatIf
from app.tui.theme import ACCENT, BRIGHT, FAINT, KEY, MEANING, QUIET, WORDS
from app.wording.fusion_constants import differing
from engine.figures import NONE, counted, figure
from engine.lazy_dataclass import dataclass
from engine.records import Fusion

LABEL_CELLS = 10
SLIDER_CELLS = 20
BESIDE_SLIDER = 35  # cells of a line that are not its slider
ROOMY_CELLS = 58  # from here on the legs are called "alone"
# Which controls share a line.
CONTROL_LINES: tuple[tuple[Control, ...], ...] = (
    ("weight",),
    ("fusion",),
    ("feedback", "memory"),
    ("collapse",),
    ("diversity", "cutoff", "fitted", "late"),
)
FUSION_NAMES: dict[Fusion, tuple[str, str]] = {
    "convex": ("convex", ""),
    "rrf": ("rrf", ""),
    "rrf-published": ("rrf-p", "ublished"),
    "vector": ("meaning", " alone"),
    "keyword": ("words", " alone"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A stretch of a line that a pointer can press: what it does, given the state and the column."""

    start: int
    end: int
    control: Control | None
    apply: Callable[[WhatIf, float], WhatIf] | None = None  # the share of the stretch that lies left of the pointer
    press: Literal["keep", "reset", ""] = ""
    slides: bool = False

    def applied(self, state: WhatIf, column: int) -> WhatIf:
        """Return the state after a press at a column."""
        share = (column - self.start + 0.5) / max(1, self.end - self.start)
        return self.apply(state, min(1.0, max(0.0, share))) if self.apply else state


@dataclass(frozen=True, slots=True)
class Line:
    """One line and its targets."""

    content: Content
    targets: tuple[Target, ...] = ()


def target_at(lines: Sequence[Line], column: int, row: int) -> Target | None:
    """Return what stands at a place of the panel."""
    targets = lines[row].targets if 0 <= row < len(lines) else ()
    return next((target for target in targets if target.start <= column < target.end), None)


class _Builder:
    """Puts a line together and remembers where its targets stand."""

    def __init__(self) -> None:
        self.content = Content()
        self.targets: list[Target] = []

    def add(self, text: str, style: str = "", target: Target | None = None) -> _Builder:
        """Put text behind what is there, as a target where it is one, and return the builder."""
        start = self.content.cell_length
        self.content = Content.assemble(self.content, (text, style))
        if target is not None:
            self.targets.append(replace(target, start=start, end=self.content.cell_length))
        return self

    def line(self, width: int) -> Line:
        """Return the line, cut to so many cells."""
        return Line(self.content.truncate(width), tuple(self.targets))


def panel_lines(state: WhatIf | None, width: int, control: Control | None, key: str = "") -> list[Line]:
    """Return the panel: a heading, the controls, and the keys; `key` leads to it while it has no focus."""
    if state is None:
        return []
    controls = _controls(state, width, control)
    return [_heading(state, width), *controls, _keys(state, control, key).line(width)]


def compact_lines(state: WhatIf | None, width: int, control: Control | None, key: str = "") -> list[Line]:
    """Return the panel in three lines for a low screen: two of controls, the chosen one among them, and the keys."""
    if state is None:
        return []
    line = next((at for at, controls in enumerate(CONTROL_LINES) if control in controls), 0)
    first = min(line // 2 * 2, len(CONTROL_LINES) - 2)
    return [
        *_controls(state, width, control)[first : first + 2],
        _keys(state, control, key).line(width),
    ]


def single_line(state: WhatIf | None, width: int, control: Control | None, key: str = "") -> list[Line]:
    """Return the panel in one line, for a low screen while the focus is elsewhere."""
    if state is None:
        return []
    builder = _Builder().add("What if  ", f"bold {BRIGHT}")
    builder.add(f"meaning {figure(state.vector_weight, 2)}", MEANING).add("  ")
    builder.add(f"words {figure(1.0 - state.vector_weight, 2)}", WORDS).add("   ")
    if state.changed:
        builder.add(f"trying · {counted(state.moved, 'row')} moved   ", BRIGHT)
    return [builder.add(key, KEY).add(" to change" if key else "", QUIET).line(width)]


def _controls(state: WhatIf, width: int, control: Control | None) -> list[Line]:
    cells = max(4, min(SLIDER_CELLS, width - BESIDE_SLIDER))
    built = (
        _weight(state, _begin("weight", control), cells),
        _fusion(state, _begin("fusion", control), roomy=width >= ROOMY_CELLS),
        _memory(state, _feedback(state, _begin("feedback", control)), control),
        _collapse(state, _begin("collapse", control), cells),
        _last(state, control),
    )
    return [builder.line(width) for builder in built]


def _heading(state: WhatIf, width: int) -> Line:
    said = "as it is set" if not state.changed else f"trying · {counted(state.moved, 'row')} moved"
    room = max(1, width - len("What if") - len(said))
    style = BRIGHT if state.changed else QUIET
    return Line(Content.assemble(("What if", f"bold {BRIGHT}"), " " * room, (said, style)).truncate(width))


def _begin(name: Control, control: Control | None) -> _Builder:
    """Begin a line with its label; the chosen control has a bar before it."""
    chosen = name == control
    builder = _Builder().add("▌" if chosen else " ", ACCENT)
    return builder.add(f"{name:<{LABEL_CELLS}}", f"bold {BRIGHT}" if chosen else QUIET)


def _weight(state: WhatIf, builder: _Builder, cells: int) -> _Builder:
    off = state.tried.fusion in ("vector", "keyword")
    share = state.vector_weight
    filled = round(share * cells)
    slide = Target(0, 0, "weight", lambda state, share: state.weigh(round(share * 20) / 20), slides=True)
    builder.add("meaning ", QUIET).add(figure(share, 2), QUIET if off else f"bold {MEANING}").add(" ▕", FAINT)
    start = builder.content.cell_length
    builder.add("█" * filled, FAINT if off else MEANING)
    builder.add("▒" * (cells - filled), FAINT if off else WORDS)
    builder.targets.append(replace(slide, start=start, end=start + cells))
    return builder.add("▏ ", FAINT).add(figure(1.0 - share, 2), QUIET if off else f"bold {WORDS}").add(" words", QUIET)


def _fusion(state: WhatIf, builder: _Builder, roomy: bool) -> _Builder:
    for number, (fusion, (name, more)) in enumerate(FUSION_NAMES.items()):
        pick = Target(0, 0, "fusion", _picker(fusion))
        _option(builder.add("  " if number else ""), name + more * roomy, state.tried.fusion == fusion, pick)
    return builder


def _picker(fusion: Fusion) -> Callable[[WhatIf, float], WhatIf]:
    return lambda state, share: state.try_settings(replace(state.tried, fusion=fusion))


def _feedback(state: WhatIf, builder: _Builder) -> _Builder:
    for name, value in (("on", True), ("off", False)):
        pick = Target(0, 0, "feedback", _switch(value))
        _option(builder.add("" if value else "  "), name, state.tried.feedback == value, pick)
    return builder


def _switch(value: bool) -> Callable[[WhatIf, float], WhatIf]:
    return lambda state, share: state.try_settings(replace(state.tried, feedback=value))


def _memory(state: WhatIf, builder: _Builder, control: Control | None) -> _Builder:
    """Set the switch of memory beside that of feedback: both are on or off, and both belong to one fusion."""
    chosen = control == "memory"
    builder.add("  ").add("▌" if chosen else " ", ACCENT).add("memory ", f"bold {BRIGHT}" if chosen else QUIET)
    for name, value in (("on", True), ("off", False)):
        pick = Target(0, 0, "memory", _remember(value))
        _option(builder.add("" if value else "  "), name, state.tried.memory == value, pick)
    return builder if state.tried.fusion == "convex" else builder.add("  only with convex", QUIET)


def _remember(value: bool) -> Callable[[WhatIf, float], WhatIf]:
    return lambda state, share: state.try_settings(replace(state.tried, memory=value))


def _option(builder: _Builder, name: str, chosen: bool, target: Target) -> _Builder:
    return builder.add(f"{'●' if chosen else '○'} {name}", f"bold {BRIGHT}" if chosen else QUIET, target)


def _collapse(state: WhatIf, builder: _Builder, cells: int) -> _Builder:
    cosine = state.collapse
    span = HIGHEST_COLLAPSE - LOWEST_COLLAPSE
    filled = cells if not cosine else round((cosine - LOWEST_COLLAPSE) / span * (cells - 1))

    def slide(state: WhatIf, share: float) -> WhatIf:
        return state.collapse_from(1.0 if share > 0.97 else LOWEST_COLLAPSE + share * span)

    builder.add("from    ", QUIET).add(f"{figure(cosine, 2) if cosine else NONE:>3}", f"bold {BRIGHT}")
    builder.add(" ▕", FAINT)
    start = builder.content.cell_length
    builder.add("━" * filled, QUIET).add("┃" if cosine else "", ACCENT)
    builder.add(" " * (cells - filled - bool(cosine)))
    builder.targets.append(Target(start, start + cells, "collapse", slide, slides=True))
    return builder.add("▏", FAINT).add(" alike" if cosine else " never", QUIET)


def _diversity(state: WhatIf, builder: _Builder) -> _Builder:
    share = state.tried.diversity
    return _turned(builder, "diversity", "off" if share is None else f"λ {figure(share, 2)}")


def _cutoff(state: WhatIf, builder: _Builder, control: Control | None) -> _Builder:
    """Set the cut-off beside the diversity: both are off unless a person wants them."""
    chosen, times = control == "cutoff", state.tried.cutoff
    builder.add("  ").add("▌" if chosen else " ", ACCENT).add("cut-off ", f"bold {BRIGHT}" if chosen else QUIET)
    return _turned(builder, "cutoff", "off" if times is None else f"{figure(times, 2)} ×")


def _last(state: WhatIf, control: Control | None) -> _Builder:
    builder = _cutoff(state, _diversity(state, _begin("diversity", control)), control)
    return _late(state, _fitted(state, builder, control), control)


def _fitted(state: WhatIf, builder: _Builder, control: Control | None) -> _Builder:
    """Set the switch between fitted constants and the defaults beside them, where some were fitted."""
    if state.fitted is None:
        return builder
    chosen = control == "fitted"
    builder.add(" ").add("▌" if chosen else " ", ACCENT).add("fitted ", f"bold {BRIGHT}" if chosen else QUIET)
    return _turned(builder, "fitted", "on" if state.tried.constants is None else "off")


def _late(state: WhatIf, builder: _Builder, control: Control | None) -> _Builder:
    """Set the weight of late interaction beside them, where the library has it on."""
    if not state.late:
        return builder
    chosen = control == "late"
    builder.add(" ").add("▌" if chosen else " ", ACCENT).add("late ", f"bold {BRIGHT}" if chosen else QUIET)
    return _turned(builder, "late", figure(state.tried.late, 1) if state.tried.late else "off")


def _turned(builder: _Builder, control: Control, value: str) -> _Builder:
    """Add a value between two arrows, each of which a pointer can press."""
    builder.add("◂", QUIET, Target(0, 0, control, lambda state, share: state.stepped(control, -1)))
    builder.add(f" {value} ", QUIET if value == "off" else f"bold {BRIGHT}")
    return builder.add("▸", QUIET, Target(0, 0, control, lambda state, share: state.stepped(control, 1)))


def _keys(state: WhatIf, control: Control | None, key: str) -> _Builder:
    """Say what keeps and resets; of fitted constants, which they are and what takes them back."""
    if control == "fitted" and state.fitted is not None:
        constants = f"{differing(state.fitted)}; `carrel rollback` takes them back"
        return (
            _Builder()
            .add(" r", f"bold {BRIGHT if state.changed else QUIET}", _RESET)
            .add(f" reset   {constants}", QUIET)
        )
    builder = _Builder().add(" ")
    back = " back to before" if state.kept and not state.changed else " reset"
    for letter, words, press, live in (
        ("K", " keep as my default", _KEEP, state.changed),
        ("r", back, _RESET, state.changed or state.kept),
    ):
        builder.add(letter, f"bold {BRIGHT if live else QUIET}", press).add(words, QUIET, press).add("   ")
    return builder.add(key, KEY).add(" to change", QUIET) if key and control is None else builder


_KEEP = Target(0, 0, None, press="keep")
_RESET = Target(0, 0, None, press="reset")
