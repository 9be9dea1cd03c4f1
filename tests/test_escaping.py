import csv
import io

import pytest

from edgefashion import escaping


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cnn-64k", "cnn-64k"),
        ("größe 日本 👍", "größe 日本 👍"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
        ("line\u2028", "line\\u2028"),
    ],
)
def test_what_would_act_on_a_terminal_is_shown(text: str, shown: str) -> None:
    assert escaping.visible(text) == shown


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", " =1", "\t=1"])
def test_a_spreadsheet_computes_nothing(text: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escaping.csv_cell(text)])
    assert next(csv.reader([file.getvalue()]))[0].strip()[0] not in "=+-@"


def test_numbers_stay_numbers_in_a_spreadsheet() -> None:
    assert [escaping.csv_cell(text) for text in ("-0.03", "+1,024", "cnn")] == ["-0.03", "+1,024", "cnn"]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("cnn_64k-int8", "cnn_64k-int8"),
        ("<img src=x onerror=a()>", "&lt;img src=x onerror=a()&gt;"),
        ("[a](https://example.org)", "\\[a\\](https&#58;//example.org)"),
        ("see www.example.org", "see www&#46;example.org"),
        ("a | b", "a \\| b"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("12. item", "12\\. item"),
        ("a\r# b", "a\\\\r# b"),
        ("*b* _i_ `c`", "\\*b\\* \\_i\\_ \\`c\\`"),
    ],
)
def test_markdown_is_text_alone(text: str, escaped: str) -> None:
    assert escaping.markdown(text) == escaped


def test_rows_of_other_fields_are_rows_of_one_csv() -> None:
    text = escaping.csv([{"a": 1, "b": None}, {"a": "=2", "=c": "x\ny"}])
    assert text.splitlines() == ["a,b,'=c", "1,,", "'=2,,x\\ny"]
