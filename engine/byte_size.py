"""How large something is, as a person reads it: in steps of 1,000, as disks and model hubs count."""

from __future__ import annotations

MEGABYTE = 1_000_000
UNITS = ("bytes", "KB", "MB", "GB", "TB")


def size(octets: int) -> str:
    """Return a number of bytes in its largest unit: 1 byte, 640 bytes, 5.2 KB, 61 MB."""
    if octets < 1000:
        return "1 byte" if octets == 1 else f"{octets} bytes"
    value, unit = float(octets), 0
    while round(value) >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if round(value, 1) < 10 else f"{value:,.0f} {UNITS[unit]}"
