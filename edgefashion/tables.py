"""Tables as text, with the lines above and below them: for a terminal, and in Markdown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgefashion.escaping import markdown, visible

if TYPE_CHECKING:
    from rich.console import Console

Row = dict[str, Any]
NONE = "–"
"""What stands where there is no figure."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its title and the text of a row's cell. Numbers stand to the right."""

    title: str
    text: Callable[[Row], str]
    number: bool = True


@dataclass(frozen=True)
class Table:
    """A table as text."""

    title: str
    columns: tuple[Column, ...]
    rows: list[Row]

    @property
    def cells(self) -> list[list[str]]:
        """The text of every row's cells."""
        return [[column.text(row) for column in self.columns] for row in self.rows]


@dataclass(frozen=True)
class Page:
    """Tables, the lines above them and those below."""

    header: Sequence[str]
    tables: Sequence[Table]
    notes: Sequence[str]


def print_page(page: Page, console: "Console | None" = None) -> None:
    """Print a page. What is not a terminal gets its tables whole, however wide they are."""
    import rich.box
    import rich.console
    import rich.table
    from rich.text import Text

    page = _escaped(page, visible)
    console = console or rich.console.Console()
    for line in page.header:
        console.print(Text(line), soft_wrap=True)
    for table in page.tables:
        drawn = rich.table.Table(
            title=table.title,
            title_justify="left",
            box=rich.box.SIMPLE_HEAD,
            pad_edge=False,
            collapse_padding=True,
        )
        for column in table.columns:
            title = Text(column.title)
            drawn.add_column(title, justify="right" if column.number else "left", overflow="fold")
        for cells in table.cells:
            drawn.add_row(*map(Text, cells))
        if not console.is_terminal:
            wide = console.options.update(max_width=10_000)
            console.width = max(console.width, console.measure(drawn, options=wide).maximum)
        console.print(drawn)
    for line in page.notes:
        console.print(Text(line), soft_wrap=True)


def to_markdown(page: Page) -> str:
    """The page in Markdown: the lines above and below the tables as lists."""
    page = _escaped(page, markdown)
    parts = [f"- {line}" for line in page.header]
    for table in page.tables:
        parts += ["", f"**{table.title}**", ""]
        parts.append(_markdown_row(column.title.replace("\n", " ") for column in table.columns))
        parts.append(_markdown_row("--:" if column.number else ":--" for column in table.columns))
        parts += [_markdown_row(cells) for cells in table.cells]
    if page.notes:
        parts += ["", *(f"- {line}" for line in page.notes)]
    return "\n".join(parts) + "\n"


def figure(value: float | None, scale: float = 1, form: str = ".2f") -> str:
    """A number times `scale`; NONE for none."""
    return NONE if value is None else f"{value * scale:{form}}"


def time(value: float | None) -> str:
    """Three digits or more, never fewer than are known."""
    return figure(value, form=",.0f" if value is not None and value >= 100 else ".1f")


def _escaped(page: Page, escape: Callable[[str], str]) -> Page:
    """The page with all its text escaped, since much of it comes from files of others."""

    def column(own: Column) -> Column:
        title = "\n".join(map(escape, own.title.split("\n")))
        return replace(own, title=title, text=lambda row: escape(own.text(row)))

    tables = [
        replace(table, title=escape(table.title), columns=tuple(map(column, table.columns)))
        for table in page.tables
    ]
    return replace(page, header=[*map(escape, page.header)], tables=tables, notes=[*map(escape, page.notes)])


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
