"""The minus sign of figures that a person reads. Numbers for programs keep the hyphen of ASCII."""

from __future__ import annotations

MINUS = "−"


def with_minus(figure: str) -> str:
    """Return a figure with the sign that is as wide as a plus, and that a voice reads: −.020."""
    return figure.replace("-", MINUS)
