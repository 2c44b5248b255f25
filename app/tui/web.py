"""Web pages and mail addresses, which are shown by the program that a person has for them."""

from __future__ import annotations


def visit(address: str) -> bool:
    """Show an address in the person's web browser; False where there is none. May take seconds: for a thread."""
    import webbrowser  # 3 ms, and most sessions follow no such link

    return webbrowser.open(address)
