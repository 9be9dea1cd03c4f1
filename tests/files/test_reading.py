import os
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import pytest

from edgefashion.errors import BadInput, RunError
from edgefashion.files import reading


class Named(TypedDict):
    name: str


def read(path: Path) -> object:
    return reading.read_json(path, "a test's file", RunError, at_most=100_000)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" * 50_000, "nests deeper"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "nests deeper"),
        (b"10e400", "out of range"),
        (b"1" + b"0" * 400, "too large"),
        (b"1" * 5_000, "out of range"),
        (b"NaN", "malformed"),
        (b"[1, Infinity]", "malformed"),
        (b'"\\ud800"', "damaged"),
        (b'"\xed\xa0\x80"', "decode"),
        (b"", "truncated"),
        (b"\x00" * 10, "malformed"),
        (b" " * 200_000, "more than 100,000 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
    ],
)
def test_json_of_others_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=reason) as error:
        read(path)
    assert "\n" not in str(error.value)


def test_json_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(b'\xef\xbb\xbf{"name": "\xc3\xa9", "more": [1.5]}')
    assert read(tmp_path / "file.json") == {"name": "é", "more": [1.5]}


def test_a_field_of_another_type_is_named(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text('{"name": 5}')
    with pytest.raises(BadInput, match=r"\(name: expected a text, got a whole number\)"):
        reading.read_json(tmp_path / "file.json", "a test's file", BadInput, kind=Named)


@pytest.mark.parametrize("path", ["/dev/zero", "fifo", "folder", "none", "nul\0"])
def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match="cannot be read"):
        read(tmp_path / path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" + ".a" * 25_000 + " = 1", "parts"),
        ("x = {" + "a." * 25_000 + "a = 1}", "parts"),
        ("a = " + "[" * 3_000, "deeper"),
        ("a = " + "1" * 4_301, "digits"),
        ("a = 1e999", "not finite"),
        ("a = nan", "not finite"),
        ("a = ", "Invalid value"),
    ],
)
def test_toml_of_others_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=reason) as error:
        reading.read_toml(path, "a recipe", BadInput)
    assert "\n" not in str(error.value)


def test_toml_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "file.toml").write_bytes(b"\xef\xbb\xbfepochs = 3\n")
    assert reading.read_toml(tmp_path / "file.toml", "a recipe", BadInput) == ({"epochs": 3}, "epochs = 3\n")


_REFUSAL = """
import sys
from pathlib import Path
from edgefashion.errors import BadInput
from edgefashion.files.reading import *
for function in (read_text, open_file, sha256, is_file, is_folder, entries):
    what = () if function in (is_file, is_folder, entries) else ("a file",)
    try:
        print(function(Path(sys.argv[1]), *what, BadInput))
    except BadInput as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("closed", "path", "mode", "said", "advice"),
    [
        ("inner/file", "inner/file", 0o200, [True, True, True, False, False, False], "+r {}/inner/file"),
        ("inner", "inner/file", 0o600, [True] * 6, "+x {}/inner"),
        ("inner", "inner", 0o300, [True, True, True, False, False, True], "+rx {}/inner"),
    ],
)
def test_what_may_not_be_read_says_who_can_allow_it(
    tmp_path: Path,
    unprivileged: Callable[..., tuple[int, str]],
    closed: str,
    path: str,
    mode: int,
    said: list[bool],
    advice: str,
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/file").write_text("{}")
    (tmp_path / closed).chmod(mode)
    code, out = unprivileged("-c", _REFUSAL, tmp_path / path)
    (tmp_path / closed).chmod(0o700)
    expected = (
        f"{tmp_path / path} cannot be read (Permission denied):"
        f" its owner can allow it with chmod {advice.format(tmp_path)}"
    )
    assert (code, [line == expected for line in out.splitlines()]) == (0, said), out


def test_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("link")
    os.mkfifo(tmp_path / "fifo")
    found = {
        name: (reading.is_file(tmp_path / name, BadInput), reading.is_folder(tmp_path / name, BadInput))
        for name in ("file", ".", "fifo", "link", "none", "file/below", "nul\0", "x" * 300)
    }
    assert found.pop("file") == (True, False)
    assert found.pop(".") == (False, True)
    assert set(found.values()) == {(False, False)}
    assert [path.name for path in reading.entries(tmp_path, BadInput)] == ["fifo", "file", "link"]
    assert reading.entries(tmp_path / "none", BadInput) == reading.entries(tmp_path / "file", BadInput) == []
