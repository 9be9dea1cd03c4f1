"""A page in HTML: what is in it, and that nothing in it is markup of others."""

from edgefashion.tables import Column, Page, Table
from edgefashion.tables.html import to_html

COLUMNS = (Column("Name", str, number=False), Column("Size\nkB", lambda text: str(len(text))))


def test_lines_and_tables_are_there() -> None:
    html = to_html(Page(["above"], [Table("Files", COLUMNS, ["a.onnx"])], ["below"]))
    assert html.splitlines() == [
        "<ul>",
        "<li>above</li>",
        "</ul>",
        "<table><caption>Files</caption>",
        '<thead><tr><th style="text-align: left">Name</th>'
        '<th style="text-align: right">Size<br>kB</th></tr></thead>',
        "<tbody>",
        '<tr><td style="text-align: left">a.onnx</td><td style="text-align: right">6</td></tr>',
        "</tbody></table>",
        "<ul>",
        "<li>below</li>",
        "</ul>",
    ]


def test_text_of_others_is_text() -> None:
    evil = '<script>alert(1)</script>\x1b[31m"&'
    html = to_html(Page([evil], [Table(evil, COLUMNS, [evil])], [evil]))
    assert "<script" not in html and "\x1b" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4
