"""Reads the head of a model card, the YAML before the README of a model: which languages, which licence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LONGEST_HEAD = 64 * 1024  # bytes; cards with tables of results have some 40,000
NAMED = 3  # languages that are named one by one


def card_facts(folder: Path) -> tuple[str, str]:
    """Return the languages and the licence of a model, each "unknown" where its card does not say."""
    head = _head(folder / "README.md")
    return _languages(_words(head.get("language"))), _licence(head)


def _languages(found: list[str]) -> str:
    if len(found) > NAMED or "multilingual" in found:
        others = len([each for each in found if each != "multilingual"])
        return f"multilingual ({others})" if others else "multilingual"
    return ", ".join(found) or "unknown"


def _licence(head: dict[str, Any]) -> str:
    """Return the licence; one that is none of the known names stands as `other`, with its name beside it."""
    named = [each for each in _words(head.get("license")) if each != "other"] or _words(head.get("license_name"))
    return ", ".join(named) or ("other" if head.get("license") else "unknown")


def _words(value: Any) -> list[str]:
    """Return what stands under a key as words; YAML reads the language code of Norwegian as False."""
    values = value if isinstance(value, list) else [value]
    return ["no" if each is False else str(each).strip() for each in values if each is False or _is_word(each)]


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= 60 and value.isprintable()


def _head(card: Path) -> dict[str, Any]:
    """Return the YAML between the first two lines of three dashes; {} where there is none, or none that can be read."""
    import yaml

    try:
        with card.open("rb") as stream:
            text = stream.read(LONGEST_HEAD).decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError:
        return {}
    if not text.startswith("---"):
        return {}
    try:
        head = yaml.safe_load(text.split("\n---", 1)[0].removeprefix("---"))
    except (yaml.YAMLError, ValueError, RecursionError):  # a date that is none is a ValueError
        return {}
    return head if isinstance(head, dict) else {}
