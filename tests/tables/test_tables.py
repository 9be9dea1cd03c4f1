"""Tables: whatever stands in them comes out as it is."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from edgefashion import tables
from edgefashion.tables import Column, Page, Table, terminal

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


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(
    "name", ["模型" * 60, "e\u0301" * 200, "a" + "\u0301" * 5_000, "é日" * 50, "x" * 200]
)
def test_wide_and_combining_characters_keep_a_table_in_its_terminal(name: str, width: int) -> None:
    columns = (
        Column("Model", lambda row: row["name"], number=False),
        Column("p50", lambda row: "12.3"),
    )
    text = tables.to_text(
        Page([f"{name[:20]} word " * 20], [Table("", columns, [{"name": name}])], []), width
    )
    assert all(cell_len(line) <= width for line in text.splitlines())
    (row,) = [line for line in text.splitlines() if line.endswith("12.3")]
    assert "…" in row or cell_len(name) < width
    assert len(row) <= tables.PER_CELL * width


def test_lines_are_broken_by_the_cells_they_take() -> None:
    lines = terminal.fitted("日本 " * 30, 20).split("\n")
    assert all(cell_len(line) <= 20 for line in lines)
    assert terminal.fitted("e\u0301" * 15 + " e", 20) == "e\u0301" * 15 + " e"
    assert terminal.fitted("ab  one two three", 12) == "ab  one two\n    three"


def test_of_a_long_table_the_first_rows_are_printed_and_a_line_says_so() -> None:
    rows = [{"name": f"row {number}"} for number in range(20_000)]
    page = Page([], [Table("", (Column("Name", lambda row: row["name"]),), rows)], [])
    lines = tables.to_text(page, 80).splitlines()
    assert sum("row " in line for line in lines) == tables.LONGEST
    assert lines[-1] == "The first 1,000 of 20,000 rows; files have all of them."
    assert tables.to_markdown(page).count("row ") == 20_000
