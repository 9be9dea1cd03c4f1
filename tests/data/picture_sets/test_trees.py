"""What lies in a folder: hidden names, links, and what may not be read."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from edgefashion.data import load_dataset
from edgefashion.data.picture_sets.trees import Folder, shown
from edgefashion.errors import DataError

Write = Callable[[Mapping[str, bytes]], Path]


def names(folder: Path, follow_links: bool = False) -> dict[str, str]:
    """File → why it is not read."""
    return {each.name: each.defect for each in Folder(folder, follow_links).contents().files}


def test_what_systems_and_editors_leave_is_no_part_of_it(write: Write) -> None:
    kept = {"a/1.png": b"x", "a/deep/2.png": b"x", "a/Thumbs.db.png": b"x"}
    left = (
        "a/.DS_Store",
        "a/Thumbs.db",
        "__MACOSX/a/1.png",
        "a/.ipynb_checkpoints/1.png",
        ".git/x",
        "desktop.ini",
    )
    found = Folder(write(kept | dict.fromkeys(left, b"x"))).contents()
    assert [each.name for each in found.files] == sorted(kept)
    assert found.folders == ["a", "a/deep"]


def test_links_are_followed_where_the_user_says_so(write: Write, tmp_path: Path) -> None:
    folder = write({"a/1.png": b"x", "b/1.png": b"y"})
    outside = tmp_path / "outside"
    (outside / "more").mkdir(parents=True)
    (outside / "2.png").write_bytes(b"z")
    (outside / "more/3.png").write_bytes(b"z")
    (folder / "a/file.png").symlink_to(outside / "2.png")
    (folder / "a/folder").symlink_to(outside / "more")
    (folder / "a/broken.png").symlink_to("nowhere")
    (folder / "b/circle").symlink_to(folder)
    (folder / "b/itself").symlink_to("itself")
    not_followed = "is a link, and links are followed with follow_links=True only"
    broken = {"a/broken.png": "is a link to what is not there", "b/itself": "is a link to what is not there"}
    here = {"a/1.png": "", "b/1.png": ""} | broken
    assert names(folder) == here | dict.fromkeys(("a/file.png", "a/folder", "b/circle"), not_followed)
    circle = {"b/circle": "is a link to a folder that it lies in"}
    assert names(folder, follow_links=True) == here | circle | {"a/file.png": "", "a/folder/3.png": ""}


@pytest.mark.parametrize("name", ["test", "train", "test/b", "train/b"])
@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_split_or_class_that_is_a_link_is_never_just_left_out(
    name: str, target: str, write: Write, classes: Callable[..., dict[str, bytes]], tmp_path: Path
) -> None:
    parts = {"train": classes("a", "b"), "test": classes("a", "b", start=50)}
    folder = write(
        {f"{part}/{name}": content for part, own in parts.items() for name, content in own.items()}
    )
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / target)
    why = (
        "is a link, and links are followed with follow_links=True"
        if target == "elsewhere"
        else "is a link to"
    )
    with pytest.raises(DataError, match=rf"files cannot be used \({name} {why}"):
        load_dataset(folder)
    if target == "elsewhere":
        assert len(load_dataset(folder, follow_links=True).test) == 8


def test_class_folders_that_are_all_links(write: Write, tmp_path: Path) -> None:
    folder = write({"cat/1.png": b"x", "dog/1.png": b"x"})
    (tmp_path / "set").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).symlink_to(folder / name)
    with pytest.raises(DataError, match=r"2 of 2 files cannot be used \(cat is a link"):
        load_dataset(tmp_path / "set")


def test_the_folder_itself_may_be_a_link(write: Write, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(write({"a/1.png": b"x"}))
    assert names(tmp_path / "link") == {"a/1.png": ""}


def test_what_is_no_file_is_not_waited_for(write: Write) -> None:
    folder = write({"a/1.png": b"x"})
    os.mkfifo(folder / "a/2.png")
    assert names(folder)["a/2.png"] == "is not a regular file"


def test_a_file_too_large_for_a_picture_is_not_opened(write: Write) -> None:
    folder = write({"a/1.png": b"x"})
    os.truncate(folder / "a/1.png", 1 << 40)
    assert names(folder) == {"a/1.png": "has 1,099,511,627,776 bytes, too many for a picture"}


def test_a_folder_that_may_not_be_read_is_named(
    write: Write, unprivileged: Callable[..., tuple[int, str]]
) -> None:
    folder = write({"a/1.png": b"x", "b/1.png": b"x"})
    (folder / "b").chmod(0)
    code, said = unprivileged("-m", "edgefashion", "data", folder)
    (folder / "b").chmod(0o755)
    assert code == 2
    assert said.startswith(
        f"edgefashion: {folder}/b cannot be read (Permission denied): its owner can allow it"
    )


def test_names_are_shown_and_never_interpreted() -> None:
    odd = {
        "a b": "'a b'",
        "a.png": "a.png",
        "": "''",
        "a\nb": r"'a\nb'",
        "it's": '"it\'s"',
        "\u202ea": r"'\u202ea'",
    }
    assert {name: shown(name) for name in odd} == odd


def test_a_file_that_changes_while_it_is_read_is_said(
    write: Write, classes: Callable[..., dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(classes("cat", "dog"))
    load = Folder.read
    seen: set[str] = set()

    def read(self: Folder, name: str) -> bytes:
        again = name in seen
        seen.add(name)
        return load(self, name) + b" " * again

    monkeypatch.setattr(Folder, "read", read)
    with pytest.raises(DataError, match="png was changed while it was read: try again"):
        load_dataset(folder)
