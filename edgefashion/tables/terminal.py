"""Lines in a terminal: as wide as it is, and broken between words."""

import os
import re
from typing import TextIO

USUAL_WIDTH = 80


def width_of(stream: TextIO) -> int | None:
    """How many characters a line of the terminal has that `stream` goes to; None where that is none."""
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except OSError:
        return USUAL_WIDTH


def fitted(text: str, width: int | None) -> str:
    """The text with its lines broken between words; a word that is longer than a line stays whole."""
    if width is None:
        return text
    return "\n".join(part for line in text.split("\n") for part in _broken(line, width))


def _broken(line: str, width: int) -> list[str]:
    """A line in parts. Where it has columns, what follows stands under the last of them."""
    if _cells(line) <= width:
        return [line]
    column = line.rstrip().rfind("  ", 0, width // 2) + 2
    indent = _cells(line[:column]) if column > 1 else 2
    parts, taken = [""], 0
    for word in re.findall(r"\s*\S+", line):
        if parts[-1].strip() and taken + _cells(word) > width:
            parts.append(" " * indent + word.lstrip())
            taken = _cells(parts[-1])
        else:
            parts[-1] += word
            taken += _cells(word)
    return parts


def _cells(text: str) -> int:
    """How many cells of a terminal the text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
