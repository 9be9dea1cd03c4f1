"""Checks of the figures that a kernel prints, which may be nonsense."""

import re


def number(text: str | None, scale: float = 1, low: float = 0, high: float = float("inf")) -> float | None:
    """The number that a text starts with, times `scale`; None for none, or one that is not in low..high."""
    found = re.match(r"\s*(-?\d+(\.\d+)?)", text or "")
    value = round(float(found[1]) * scale, 2) if found else None
    return value if value is not None and low <= value <= high else None


def field(text: str | None, name: str) -> str | None:
    """The value of the first `name : value` line."""
    return next(iter(fields(text, name)), None)


def fields(text: str | None, name: str) -> list[str]:
    """The values of all `name : value` lines."""
    found = re.findall(rf"^{re.escape(name)}[ \t]*:[ \t]*(.+)$", text or "", re.MULTILINE)
    return [value.strip() for value in found]
