"""A .zip file of a stranger."""

import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from edgefashion.data import load_dataset
from edgefashion.data.picture_sets.examining import examine, tree_of
from edgefashion.errors import DataError

Zipped = Callable[[Mapping[str, bytes]], Path]


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        tree_of(path).contents()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_its_names_are_those_of_a_folder(zipped: Zipped) -> None:
    path = zipped({"set/b/1.png": b"x", "set/a/2.png": b"xy", "__MACOSX/a/1.png": b"x", "set/.DS_Store": b""})
    with zipfile.ZipFile(path, "a") as file:
        file.mkdir("set/empty")
    found = tree_of(path).contents()
    assert [(each.name, each.size) for each in found.files] == [("set/a/2.png", 2), ("set/b/1.png", 1)]
    assert found.folders == ["set", "set/a", "set/b", "set/empty"]
    assert tree_of(path).read("set/a/2.png") == b"xy"


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "a/../../b.png", "a\\..\\b.png"])
def test_members_that_lead_out_are_not_opened(name: str, zipped: Zipped, tmp_path: Path) -> None:
    assert "which leads out of it: it is not opened" in refusal(zipped({"a/1.png": b"x", name: b"x"}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos.zip"]


def test_two_members_of_one_name(zipped: Zipped) -> None:
    path = zipped({"a/1.png": b"x"})
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("a/1.png", b"y")
    assert "has two members of one name: it is not opened" in refusal(path)


def test_a_split_that_is_a_link(zipped: Zipped, classes: Callable[..., dict[str, bytes]]) -> None:
    path = zipped({f"train/{name}": content for name, content in classes("cat", "dog").items()})
    with zipfile.ZipFile(path, "a") as file:
        link = zipfile.ZipInfo("test")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "train")
    with pytest.raises(DataError, match=r"1 of 9 files cannot be used \(test is a link\)"):
        load_dataset(path)


def test_names_that_a_folder_would_write_otherwise(
    zipped: Zipped, classes: Callable[..., dict[str, bytes]]
) -> None:
    files = classes("cat", "dog", each=9)
    odd = {
        f"./{name}" if "cat" in name else name.replace("/", "//./"): content
        for name, content in files.items()
    }
    plain = load_dataset(zipped(files)).checksums
    path = zipped(odd)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("./", b"")
    assert load_dataset(path).checksums == plain
    twice = zipped({"a/1.png": b"x", "b/1.png": b"x", "./a/1.png": b"y"})
    assert "has two members of one name, 'a/1.png' and './a/1.png': it is not opened" in refusal(twice)


def test_an_archive_that_was_mended_is_looked_into_again(
    zipped: Zipped, classes: Callable[..., dict[str, bytes]]
) -> None:
    path = zipped(classes("cat", "dog", each=9))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[damaged.index(b"IDAT") + 20] ^= 1
    path.write_bytes(damaged)
    assert len(examine(path).bad) == 1
    path.write_bytes(whole)
    assert not examine(path).bad


def test_a_bomb_of_members_that_lie_in_one_another(zipped: Zipped) -> None:
    path = zipped({f"a/{number}.png": bytes(2000) for number in range(3)})
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\1\2")
    for _ in range(3):
        struct.pack_into("<I", content, start + 20, 1 << 20)
        start = content.find(b"PK\1\2", start + 4)
    path.write_bytes(content)
    assert "has members that overlap: it is not opened" in refusal(path)


def test_a_member_larger_than_any_picture_and_one_that_says_less_than_it_has(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/big.png", bytes(1 << 22))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, 1 << 30)
    path.write_bytes(content)
    assert [each.defect for each in tree_of(path).contents().files] == [
        "has 1,073,741,824 bytes, too many for a picture"
    ]
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, 1 << 10)
    other = tmp_path / "liar.zip"
    other.write_bytes(content)
    with pytest.raises(DataError, match=r"liar.zip/a/big.png is damaged in the archive"):
        tree_of(other).read("a/big.png")


def test_links_and_encrypted_members(zipped: Zipped) -> None:
    path = zipped({"a/1.png": b"x"})
    with zipfile.ZipFile(path, "a") as file:
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    assert [each.defect for each in tree_of(path).contents().files] == ["", "is a link"]
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    assert "has 'a/1.png' encrypted: it is not opened" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip file at all" * 100])
def test_what_is_no_zip_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    path.write_bytes(content)
    assert "photos.zip is truncated, damaged or no .zip file" in refusal(path)


def test_a_damaged_member_is_a_bad_picture(zipped: Zipped, classes: Callable[..., dict[str, bytes]]) -> None:
    path = zipped(classes("cat", "dog", each=9))
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 20] ^= 1
    path.write_bytes(content)
    lines: list[str] = []
    with pytest.raises(DataError, match="1 of 18 files cannot be used"):
        load_dataset(path, lines.append)
    what = "is damaged in the archive (Bad CRC-32 for file 'cat/0.png'): copy photos.zip again"
    assert lines[-1] == f"bad: {path}/cat/0.png {what}"
