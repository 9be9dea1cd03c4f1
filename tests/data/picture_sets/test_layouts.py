"""How folders are taken for classes and splits."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from edgefashion.data.picture_sets import layouts
from edgefashion.data.picture_sets.trees import Folder
from edgefashion.errors import DataError

Write = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture
def read(write: Write) -> Callable[..., tuple[set[str], list[str]]]:
    """The files `class split name`, and what was said, of a folder with these names."""

    def found(*names: str, folders: tuple[str, ...] = ()) -> tuple[set[str], list[str]]:
        folder = write({name: b"x" for name in names})
        for name in folders:
            (folder / name).mkdir(parents=True)
        layout = layouts.read(Folder(folder))
        return {f"{each.label} {each.split} {each.file.name}" for each in layout.entries}, layout.notes

    return found


Read = Callable[..., tuple[set[str], list[str]]]


def test_a_folder_is_a_class_with_all_that_lies_below(read: Read) -> None:
    assert read("cat/1.png", "dog/a/b/2") == ({"cat None cat/1.png", "dog None dog/a/b/2"}, [])


@pytest.mark.parametrize("train", ["train", "Training", "TRAIN"])
@pytest.mark.parametrize("validation", ["val", "valid", "VALIDATION", "dev"])
@pytest.mark.parametrize("test", ["test", "testing", "Eval", "evaluation"])
def test_splits_have_several_names(train: str, validation: str, test: str, read: Read) -> None:
    entries, notes = read(f"{train}/a/1", f"{validation}/a/2", f"{test}/a/3")
    assert entries == {f"a train {train}/a/1", f"a validation {validation}/a/2", f"a test {test}/a/3"}
    folders = {"train": train, "validation": validation, "test": test}
    called = {name if name == split else f"{name} ({split})" for split, name in folders.items()}
    assert set(notes[0].removeprefix("folders of the splits: ").split(", ")) == called


def test_two_folders_of_one_split_are_refused(read: Read) -> None:
    with pytest.raises(DataError, match="train and training are both the train split: make them one"):
        read("train/a/1", "training/a/2")


def test_classes_may_be_called_as_splits_are(read: Read) -> None:
    entries, _ = read("train/1.png", "bus/2.png", "test/3.png")
    assert {each.split()[0] for each in entries} == {"train", "bus", "test"}


def test_a_set_that_lies_in_one_folder_more(read: Read) -> None:
    entries, notes = read("set/photos/cat/1", "set/photos/dog/2")
    assert {each.split()[0] for each in entries} == {"cat", "dog"}
    assert notes == ["taken from the folder inside: set/photos"]


def test_what_is_left_out_is_named(read: Read) -> None:
    entries, notes = read("cat/1", "dog/2", "notes.txt", "a.png", folders=("bird", "fish/deep"))
    assert len(entries) == 2
    assert notes == ["left out, beside the classes: a.png, notes.txt", "left out, empty: bird, fish"]
    _, notes = read("train/a/1", "test/a/2", "other/b/3", "train/x.png")
    assert notes[1:] == [
        "left out, beside the classes: train/x.png",
        "left out, beside the splits: other/b/3",
    ]


def test_letters_written_in_two_ways_are_one_class(read: Read) -> None:
    entries, _ = read("train/caf\u00e9/1", "test/cafe\u0301/2")
    assert {each.split()[0] for each in entries} == {"caf\u00e9"}


def test_too_many_classes(read: Read) -> None:
    with pytest.raises(DataError, match="has 1,001 classes: 1,000 are the most"):
        read(*(f"{number}/a" for number in range(1001)))


def test_a_folder_of_links_that_are_not_followed_is_not_called_empty(tmp_path: Path) -> None:
    (tmp_path / "photos/cat").mkdir(parents=True)
    (tmp_path / "photos/cat/1.png").touch()
    for name in ("set/train/cat", "set/train/more/cats"):
        link = tmp_path / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tmp_path / "photos/cat")
    assert not any("empty" in note for note in layouts.read(Folder(tmp_path / "set")).notes)
