"""Tables: whatever stands in them comes out as it is."""

import io

from rich.console import Console

from edgefashion.report import tables
from edgefashion.report.tables import Column, Page, Table

PAGE = Page(
    ["above [red]"],
    [Table("Times", (Column("[board] A|B", lambda row: row["name"], number=False),), [{"name": "a|b [1]"}])],
    ["below"],
)


def test_brackets_in_a_title_are_no_markup() -> None:
    text = io.StringIO()
    tables.print_page(PAGE, Console(file=text))
    for expected in ("above [red]", "[board] A|B", "a|b [1]", "below"):
        assert expected in text.getvalue()


def test_markdown_escapes_what_would_end_a_cell() -> None:
    assert tables.to_markdown(PAGE).splitlines() == [
        "- above \\[red\\]",
        "",
        "**Times**",
        "",
        "| \\[board\\] A\\|B |",
        "| :-- |",
        "| a\\|b \\[1\\] |",
        "",
        "- below",
    ]


def test_a_page_of_lines_only_ends_with_them() -> None:
    assert tables.to_markdown(Page(["one"], [], [])) == "- one\n"


def test_figures_keep_what_is_known() -> None:
    assert [tables.time(value) for value in (None, 12.34, 99.96, 1234.5)] == ["–", "12.3", "100.0", "1,234"]


def test_brackets_in_a_table_s_title_are_no_markup() -> None:
    text = io.StringIO()
    tables.print_page(Page([], [Table("[b]x[/b]", PAGE.tables[0].columns, [])], []), Console(file=text))
    assert "[b]x[/b]" in text.getvalue()
