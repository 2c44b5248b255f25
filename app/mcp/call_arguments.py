"""Holds the arguments of a call against the schema of its tool: the few rules of JSON Schema that our schemas use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


class ArgumentError(ValueError):
    """Arguments that do not fit, in a sentence for the model."""


def checked(arguments: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return the arguments with the defaults of those that are missing. Raises ArgumentError."""
    properties: Mapping[str, Schema] = schema["properties"]
    if unknown := [name for name in arguments if name not in properties]:
        raise ArgumentError(f"There is no argument {unknown[0]}. There are: {', '.join(properties)}.")
    if missing := [name for name in schema["required"] if name not in arguments]:
        raise ArgumentError(f"The argument {missing[0]} is missing.")
    for name, value in arguments.items():
        _check(name, value, properties[name])
    return {name: rule["default"] for name, rule in properties.items() if "default" in rule} | dict(arguments)


def _check(name: str, value: object, rule: Schema) -> None:
    if rule["type"] == "string":
        if not isinstance(value, str):
            raise ArgumentError(f"{name} is a string.")
        if len(value) > rule["maxLength"]:
            raise ArgumentError(f"{name} has at most {rule['maxLength']} characters.")
        return
    least, most = rule["minimum"], rule["maximum"]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ArgumentError(f"{name} is a whole number from {least} to {most}.")
