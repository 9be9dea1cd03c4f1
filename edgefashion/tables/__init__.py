"""Tables as text, with the lines above and below them: for a terminal, and in Markdown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from edgefashion.errors.wording import few
from edgefashion.escaping import markdown, visible
from edgefashion.tables.terminal import fitted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Drawn

Record = TypeVar("Record")
"""What a line of a table is made of."""
Row = dict[str, Any]
"""Of what has no record of its own."""
NONE = "–"
"""What is shown in place of a missing figure."""


ALWAYS = 10
"""The importance of a column that no terminal is too narrow for."""
SHORTEST = 8
"""Characters that a shortened name has at least."""
PER_CELL = 4
"""Characters that a cell of a terminal may hold: a letter and its marks."""
GAP = 2
LISTED = 12
"""Columns that are named as left out."""
LONGEST, LONGEST_ELSEWHERE = 1_000, 10_000
"""Rows of a table that are printed in a terminal, and where something else reads them."""


@dataclass(frozen=True)
class Column(Generic[Record]):
    """A column of a table: its title and the text of a row's cell. Numbers stand to the right.

    Where a terminal is too narrow for all, titles are `brief` where they can be, and then the columns of the
    least `importance` are left out, the last first.
    """

    title: str
    text: Callable[[Record], str]
    number: bool = True
    importance: int = ALWAYS
    brief: str | None = None


@dataclass(frozen=True)
class Table(Generic[Record]):
    """A table as text."""

    title: str
    columns: tuple[Column[Record], ...]
    rows: Sequence[Record]

    @cached_property
    def cells(self) -> list[list[str]]:
        """The text of every row's cells."""
        return [[column.text(row) for column in self.columns] for row in self.rows]


@dataclass(frozen=True)
class Page:
    """Tables, the lines above them and those below, and the options that show what a terminal is too narrow
    for.
    """

    header: Sequence[str]
    tables: Sequence[Table[Any]]
    notes: Sequence[str]
    elsewhere: str = ""


def print_page(page: Page, console: "Console | None" = None) -> None:
    """Print a page, of a long table its first rows. What is not a terminal gets all columns, however wide
    they are. In a terminal no cell is ever broken: columns are left out, and a line says which.
    """
    import rich.console

    page = _escaped(page, visible)
    console = console or rich.console.Console()
    width = console.width if console.is_terminal else None
    _print_lines(page.header, console, width)
    longest = LONGEST_ELSEWHERE if width is None else LONGEST
    for table in page.tables:
        shown, left_out = _fitting(replace(table, rows=table.rows[:longest]), width)
        drawn = _drawn(shown, _widest(shown, width))
        if width is None:
            console.width = max(console.width, sum(_widths(shown)) + GAP * len(shown.columns))
        console.print(drawn)
        if len(table.rows) > longest:
            cut = f"The first {longest:,} of {len(table.rows):,} rows; files have all of them."
            _print_lines([cut], console, width)
        if left_out:
            _print_lines([_left_out(left_out, width, page.elsewhere)], console, width)
    _print_lines(page.notes, console, width)


def to_text(page: Page, width: int | None = None) -> str:
    """The page as text, for a terminal of this width, or whole."""
    import io

    import rich.console

    text = io.StringIO()
    terminal = width is not None
    print_page(page, rich.console.Console(file=text, force_terminal=terminal, width=width, color_system=None))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _print_lines(lines: Iterable[str], console: "Console", width: int | None) -> None:
    from rich.text import Text

    for line in lines:
        console.print(Text(fitted(line, width)), soft_wrap=True)


def _drawn(table: Table[Any], widest: int) -> "Drawn":
    import rich.box
    import rich.table
    from rich.text import Text

    drawn = rich.table.Table(
        title=Text(table.title) if table.title else None,
        title_justify="left",
        box=rich.box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for column in table.columns:
        drawn.add_column(Text(column.title), justify="right" if column.number else "left", no_wrap=True)
    for cells in table.cells:
        texts = zip(table.columns, cells, strict=True)
        drawn.add_row(*(Text(cell if column.number else _short(cell, widest)) for column, cell in texts))
    return drawn


def _widths(table: Table[Any]) -> list[int]:
    """The cells of a terminal that each column takes."""
    from rich.cells import cell_len

    columns = zip(*table.cells, strict=True) if table.rows else ((),) * len(table.columns)
    return [
        max(cell_len(line) for text in (column.title, *cells) for line in text.split("\n"))
        for column, cells in zip(table.columns, columns, strict=True)
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * len(widths)


def _fitting(table: Table[Any], width: int | None) -> tuple[Table[Any], list[Column[Any]]]:
    """The table with as many columns as fit, and those left out, as they stood."""
    if width is not None and _total(_widths(table)) > width:
        titled = (replace(column, title=column.brief or column.title) for column in table.columns)
        table = replace(table, columns=tuple(titled))
    widths = _widths(table)
    total = _total(widths)
    order = sorted(range(len(widths)), key=lambda place: (table.columns[place].importance, -place))
    left_out: set[int] = set()
    for place in order:
        if width is None or total <= width or table.columns[place].importance >= ALWAYS:
            break
        left_out.add(place)
        total -= widths[place] + GAP
    kept = tuple(column for place, column in enumerate(table.columns) if place not in left_out)
    return Table(table.title, kept, table.rows), [table.columns[place] for place in sorted(left_out)]


def _widest(table: Table[Any], width: int | None) -> int:
    """How many cells of a terminal a cell of words may have at most, so that the table fits."""
    widths = _widths(table)
    most = max(widths, default=0)
    words = [not column.number for column in table.columns]
    if width is not None:
        most = min(most, max(width, SHORTEST))
    while width is not None and most > SHORTEST:
        now = [min(own, most) if of_words else own for own, of_words in zip(widths, words, strict=True)]
        if sum(now) + GAP * len(now) <= width:
            break
        most -= 1
    return most


def _short(text: str, widest: int) -> str:
    """The text without its middle, where it is too wide: how a name ends often tells it from others."""
    from rich.cells import cell_len

    if cell_len(text) <= widest and len(text) <= PER_CELL * max(widest, 1):
        return text
    end = (widest - 1) // 2
    return f"{_start(text, widest - 1 - end)}…{_start(text[::-1], end)[::-1]}"


def _start(text: str, cells: int) -> str:
    """As much of the start as these cells have room for, with no more combining marks than `PER_CELL`."""
    from rich.cells import get_character_cell_size

    taken, room = 0, cells
    for character in text[: PER_CELL * cells]:
        room -= get_character_cell_size(character)
        if room < 0:
            break
        taken += 1
    return text[:taken]


def _left_out(columns: Sequence[Column[Any]], width: int | None, elsewhere: str) -> str:
    titles = [" ".join(column.title.split()) or NONE for column in columns]
    names = few(titles, LISTED)
    shown = f", and so does {elsewhere}" if elsewhere else ""
    return f"Left out at {width} columns: {names}; a wider terminal shows them{shown}."


def to_markdown(page: Page) -> str:
    """The page in Markdown: the lines above and below the tables as lists."""
    page = _escaped(page, markdown)
    parts = [f"- {line}" for line in page.header]
    for table in page.tables:
        parts += ["", *([f"**{table.title}**", ""] if table.title else [])]
        parts.append(_markdown_row(column.title.replace("\n", " ") for column in table.columns))
        parts.append(_markdown_row("--:" if column.number else ":--" for column in table.columns))
        parts += [_markdown_row(cells) for cells in table.cells]
    if page.notes:
        parts += ["", *(f"- {line}" for line in page.notes)]
    return "\n".join(parts).lstrip("\n") + "\n"


def figure(value: float | None, scale: float = 1, form: str = ".2f") -> str:
    """A number times `scale`; NONE for none."""
    return NONE if value is None else f"{value * scale:{form}}"


def kilobytes(size: int | None) -> str:
    """A number of bytes in kB, of which each is 1,000; NONE for none."""
    return figure(size, 1 / 1000, ",.0f")


def time(value: float | None) -> str:
    """Three digits or more, never fewer than are known."""
    return figure(value, form=",.0f" if value is not None and value >= 100 else ".1f")


def _escaped(page: Page, escape: Callable[[str], str]) -> Page:
    """The page with all its text escaped, since much of it comes from untrusted files."""

    def column(own: Column[Any]) -> Column[Any]:
        title = "\n".join(map(escape, own.title.split("\n")))
        return replace(own, title=title, text=lambda row: escape(own.text(row)))

    tables = [
        replace(table, title=escape(table.title), columns=tuple(map(column, table.columns)))
        for table in page.tables
    ]
    return replace(page, header=[*map(escape, page.header)], tables=tables, notes=[*map(escape, page.notes)])


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
