"""Untrusted text on its way to people: shown as it is, and never interpreted by what shows it.

Names of models, layers, labels, devices and files come from whoever wrote them. A terminal acts on escape
sequences, a spreadsheet on a leading `=`, Markdown on nearly everything, matplotlib on dollars.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

_ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode's categories of what acts instead of being seen: control, format (as bidirectional overrides and
zero width), surrogates, private use, unassigned, separators of lines.
"""
_MARKDOWN = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"^(?:#|[-+](?=\s|$)|-{2}|={2}|\d+(?=[.)](?:\s|$)))")
_NUMBER = re.compile(r"[-+]?[\d,.]+$")
_LINK = re.compile(r":(?=//)|(?<=[Ww]{3})\.|@")


def visible(text: str) -> str:
    """The text in one line, with what would act on a terminal written as an escape: `\\x1b`, `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _ACTING:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def csv_cell(text: str) -> str:
    """The text as a spreadsheet shows it instead of computing it: behind an apostrophe where it would."""
    text = visible(text)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) and not _NUMBER.match(text) else text


def csv(rows: Sequence[dict[str, Any]]) -> str:
    """CSV of rows under the names of their fields; None, and what a row lacks, is an empty cell."""
    import csv as format
    import io

    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = format.DictWriter(text, names, lineterminator="\n")
    writer.writerow({name: csv_cell(name) for name in names})
    for row in rows:
        writer.writerow(
            {name: csv_cell(value) if isinstance(value, str) else value for name, value in row.items()}
        )
    return text.getvalue()


def markdown(text: str) -> str:
    """The text in one line of Markdown: no markup, no HTML, no link, nothing that ends a table's cell."""
    text = visible(text)
    start = _BLOCK.match(text)
    text = _MARKDOWN.sub(lambda found: f"\\{found[0]}", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _LINK.sub(lambda found: f"&#{ord(found[0])};", text)
    if start is None:
        return text
    place = start.end() - 1 if start[0][-1:].isdigit() else 0
    return f"{text[: place + 1]}\\{text[place + 1 :]}" if place or start[0].isdigit() else f"\\{text}"
