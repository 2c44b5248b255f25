"""The constants of the fusion in words: what each is called, and which of them are not the defaults."""

from __future__ import annotations

from dataclasses import asdict

from engine.config import Config
from engine.figures import figure
from engine.records import DEFAULT_CONSTANTS, FittedConstants, FusionConstants

NAMES = {
    "meaning": "weight of meaning",
    "around": "what stands around",
    "keep": "query kept by feedback",
    "sharpness": "sharpness of feedback",
    "rare": "rare words",
    "collapse": "near-duplicates from",
}
SHORT = {
    "meaning": "meaning",
    "around": "around",
    "keep": "keep",
    "sharpness": "sharpness",
    "rare": "rare words",
    "collapse": "alike from",
}


def value(name: str, number: float) -> str:
    """Return one constant as it is shown."""
    if name == "collapse" and not number:
        return "never"
    return figure(number, 0 if name == "sharpness" else 2)


def differing(constants: FusionConstants) -> str:
    """Return the constants that are not the defaults, as in "meaning .70, around .30"; "" where all are."""
    default = asdict(DEFAULT_CONSTANTS)
    return ", ".join(
        f"{SHORT[name]} {value(name, number)}" for name, number in asdict(constants).items() if number != default[name]
    )


def overruled(config: Config) -> list[str]:
    """Return what a person's own settings say otherwise, which wins over fitted constants."""
    told = []
    if config.fusion != "convex":
        told.append(f"Your settings rank by {config.fusion}, to which the constants do not belong.")
    if config.weights is not None:
        told.append("Your settings name weights of their own, which win.")
    if config.collapse is not None:
        told.append("Your settings say from when near-duplicates are folded, which wins.")
    if not config.feedback:
        told.append("Your settings have feedback off, so its constants do nothing.")
    return told


def in_use(fitted: FittedConstants, model: str) -> str:
    """Return what a library's fitted constants are, and whether searches with its present model go by them."""
    said = differing(fitted.constants) or "the defaults"
    if fitted.model != model:
        return f"fitted by {fitted.run} for {fitted.model}, so not in use: {said}"
    return f"fitted by {fitted.run}: {said}; `carrel rollback` goes back"
