"""A page in HTML, as notebooks show it, with all text escaped: much of it comes from untrusted files."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from edgefashion.escaping import visible
from edgefashion.tables import Page, Table


def to_html(page: Page) -> str:
    """The page as HTML without scripts, styles of its own or links."""
    return "\n".join([*_lines(page.header), *map(_table, page.tables), *_lines(page.notes)])


def to_document(page: Page) -> str:
    """The page as an HTML file, whose title is the page's first line."""
    title = _text(page.header[0]) if page.header else "edgefashion"
    head = f'<meta charset="utf-8">\n<title>{title}</title>'
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n<body>\n{to_html(page)}\n</body>\n</html>\n'


def _table(table: Table[Any]) -> str:
    caption = f"<caption>{_text(table.title)}</caption>" if table.title else ""
    head = _row("th", table, [column.title for column in table.columns])
    body = "\n".join(_row("td", table, cells) for cells in table.cells)
    return f"<table>{caption}\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody></table>"


def _row(tag: str, table: Table[Any], cells: Sequence[str]) -> str:
    ends = ("right" if column.number else "left" for column in table.columns)
    pairs = zip(ends, cells, strict=True)
    parts = [f'<{tag} style="text-align: {end}">{_text(cell)}</{tag}>' for end, cell in pairs]
    return f"<tr>{''.join(parts)}</tr>"


def _lines(lines: Iterable[str]) -> list[str]:
    found = [f"<li>{_text(line)}</li>" for line in lines]
    return ["<ul>", *found, "</ul>"] if found else []


def _text(text: str) -> str:
    return "<br>".join(escape(visible(line)) for line in text.split("\n"))
