"""From files in folders to a data set."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.data import Dataset, Task, load_dataset, split
from edgefashion.data.picture_sets.allocation import TEST, number
from edgefashion.errors import BadInput, DataError
from edgefashion.records.values import LeftOut

Classes = Callable[..., dict[str, bytes]]
Picture = Callable[..., bytes]
Write = Callable[[Mapping[str, bytes]], Path]


def refusal(folder: Path, **options: Any) -> str:
    with pytest.raises(BadInput) as caught:
        load_dataset(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pixels(dataset: Dataset) -> set[str]:
    """A digest of each image, with its split and class."""
    splits = split(dataset)
    return {
        f"{name} {dataset.task.classes[label]} {hashlib.sha256(image.tobytes()).hexdigest()}"
        for name in ("train", "validation", "test")
        for part in (getattr(splits, name),)
        for image, label in zip(part.images[:], part.labels, strict=True)
    }


def test_class_folders_become_a_data_set(classes: Classes, write: Write) -> None:
    lines: list[str] = []
    found = load_dataset(write(classes("dog", "cat", each=30)), lines.append)
    assert found.task.name == "photos"
    assert found.task.classes == ("cat", "dog")
    assert found.task.image_shape == (10, 12, 3)
    assert (found.task.picture.fit, found.task.picture.background) == ("crop", (255, 255, 255))
    splits = split(found)
    parts = (splits.train, splits.validation, splits.test)
    assert sum(map(len, parts)) == 60
    assert all(set(part.labels) == {0, 1} for part in parts)
    for part in parts:
        assert part.files is not None
        assert [found.task.classes[label] for label in part.labels] == [
            file.split("/")[0] for file in part.files
        ]
    assert len({file for part in parts for file in part.files}) == 60
    counts = " {} train, {} validation, {} test".format(*map(len, parts))
    assert lines == ["images: 10x12, RGB, crop", f"splits by content:{counts}"]
    described = found.describe().to_dict()
    assert described["folder"] == str(found.folder)
    assert described["counts"] == {
        "train": len(splits.train),
        "test": len(splits.test),
        "validation": len(splits.validation),
    }
    assert described["left_out"] == {"bad": 0, "duplicates": 0}


def test_a_picture_is_in_the_same_split_whatever_it_is_called_and_whatever_else_there_is(
    classes: Classes, write: Write
) -> None:
    files = classes("cat", "dog", each=20)
    before = pixels(load_dataset(write(files)))
    renamed = {f"all/{name.replace('.png', ' b.jpeg')}": content for name, content in files.items()}
    assert pixels(load_dataset(write(renamed))) == before
    more = pixels(load_dataset(write(files | classes("cat", "dog", each=60))))
    assert before < more


def test_a_zip_file_and_a_folder_are_the_same_data(
    classes: Classes, write: Write, zipped: Callable[..., Path]
) -> None:
    files = classes("cat", "dog")
    one, other = load_dataset(write(files)), load_dataset(zipped(files))
    assert one.checksums == other.checksums
    assert (one.train.images[:] == other.train.images[:]).all()


def test_declared_splits_are_kept_and_pictures_are_in_the_order_of_their_names(
    picture: Picture, write: Write
) -> None:
    names = ("Training/b/1.png", "Training/a/2.png", "Training/a/10.png", "dev/a/1.png", "dev/b/2.png")
    names += ("TEST/b/1.png", "TEST/a/2.png")
    lines: list[str] = []
    found = load_dataset(write({name: picture(n) for n, name in enumerate(names)}), lines.append)
    assert found.train.labels.tolist() == [1, 0, 0]
    assert found.validation is not None
    assert split(found).validation is found.validation
    assert found.validation.labels.tolist() == [0, 1]
    assert found.test.labels.tolist() == [1, 0]
    assert lines[0] == "folders of the splits: TEST (test), Training (train), dev (validation)"


def test_validation_comes_out_of_train_where_only_train_and_test_are_there(
    classes: Classes, write: Write
) -> None:
    train = {f"train/{name}": content for name, content in classes("cat", "dog", each=30).items()}
    test = {f"test/{name}": content for name, content in classes("cat", "dog", start=9000).items()}
    lines: list[str] = []
    found = load_dataset(write(train | test), lines.append)
    assert found.validation is not None
    assert lines[-1] == f"splits by content: {len(found.validation)} validation, out of train"
    assert 2 <= len(found.validation) <= 20
    assert len(found.train) + len(found.validation) == 60
    assert len(found.test) == 8


def test_gray_pictures_give_gray_images(picture: Picture, write: Write) -> None:
    files = {
        f"{name}/{n}.png": picture(n + len(name), channels=1) for name in ("a", "bbbbbb") for n in range(5)
    }
    assert load_dataset(write(files)).task.image_shape == (10, 12, 1)
    found = load_dataset(write(files), gray=False)
    assert found.task.image_shape == (10, 12, 3)
    assert found.task.picture.background == (255, 255, 255)


def test_the_user_says_how_images_are_made(classes: Classes, write: Write) -> None:
    folder = write(classes("cat", "dog"))
    task = load_dataset(folder, size=32, fit="pad", gray=True, background=(255, 0, 0)).task
    assert task.image_shape == (32, 32, 1)
    assert (task.picture.fit, task.picture.background, task.picture.fill) == ("pad", (76,), (0,))
    assert load_dataset(folder, size=(20, 30)).task.image_shape == (20, 30, 3)
    assert "images of 0x0 pixels are not made" in refusal(folder, size=0)
    assert "fit 'garment' is not known" in refusal(folder, fit="garment")
    for gray in (True, False):
        assert load_dataset(folder, gray=gray, background="none").task.picture.background == "none"
    assert "is no color" in refusal(folder, background=(256, 0, 0))
    assert "is no color" in refusal(folder, background="red")


def test_pictures_of_several_sizes_become_images_of_96(picture: Picture, write: Write) -> None:
    files = {
        f"{name}/{n}.png": picture(n + len(name), size=(9, 8 + n))
        for name in ("a", "bbbbbb")
        for n in range(5)
    }
    assert load_dataset(write(files)).task.image_shape == (96, 96, 3)


def test_images_of_a_task_are_made_and_its_classes_found_by_name(classes: Classes, write: Write) -> None:
    task = load_dataset(write(classes("ape", "cat", "dog", each=10)), size=16, gray=True).task
    lines: list[str] = []
    folder = write(classes("dog", "ape", each=10))
    found = load_dataset(folder, lines.append, task=task)
    assert found.task == task
    assert set(found.train.labels) == {0, 2}
    assert any(line.startswith("warning: there is no test picture of ") for line in lines)
    assert "the model says what images it takes: leave out size" in refusal(folder, task=task, size=3)


def test_only_a_test_folder_is_enough_for_a_task(classes: Classes, write: Write) -> None:
    task = load_dataset(write(classes("cat", "dog"))).task
    folder = write({f"test/{name}": content for name, content in classes("cat", "dog").items()})
    found = load_dataset(folder, task=task)
    assert (len(found.train), len(found.test)) == (0, 8)
    assert "has no picture to learn from" in refusal(folder)


def test_other_classes_than_a_task_has_are_named(classes: Classes, write: Write) -> None:
    task = load_dataset(write(classes("cat", "dog"))).task
    said = refusal(write(classes("cat", "owl", "pig")), task=task)
    assert "photos has pictures of owl, pig, and the model knows cat, dog: name a data set of its own" in said


def test_one_class_and_no_pictures_are_refused(classes: Classes, write: Write, tmp_path: Path) -> None:
    assert "has one class, cat, and nothing to tell it from" in refusal(write(classes("cat")))
    assert "holds no pictures sorted by class: it takes" in refusal(write({"a.png": b"x", "b.png": b"y"}))
    empty = tmp_path / "empty"
    (empty / "cat").mkdir(parents=True)
    assert "holds no pictures sorted by class" in refusal(empty)
    assert "no such folder" in refusal(tmp_path / "gone")
    assert "no such folder" in refusal(tmp_path / "gone.zip")


def test_a_table_and_the_folder_of_a_class_say_which_folder_to_name(classes: Classes, write: Write) -> None:
    folder = write(classes("cat", "my dog"))
    (folder / "labels.csv").touch()
    assert refusal(folder / "labels.csv").endswith(f"is a file: name its folder, {folder}")
    assert refusal(folder / "my dog").endswith(f"; if it is of one class, name the folder above it, {folder}")


def test_a_split_without_pictures_is_said_before_anything_is_trained(classes: Classes, write: Write) -> None:
    found = load_dataset(write(classes("cat", "dog", each=1)))
    with pytest.raises(DataError, match="photos has no picture in the validation split: add some there"):
        split(found)


def test_what_the_splits_lack_is_said_by_class(classes: Classes, write: Write, picture: Picture) -> None:
    kinds = [
        (number(hashlib.sha256(content).hexdigest()), content) for content in map(picture, range(5000, 5040))
    ]
    learned, tested = ([content for own, content in kinds if (own < TEST) == test] for test in (False, True))
    files = classes("cat", "dog", each=30)
    folder = write(files | {f"owl/{n}.png": content for n, content in enumerate(learned)})
    lines: list[str] = []
    load_dataset(folder, lines.append)
    lacking = (
        "warning: there is no test picture of owl: add more pictures, or judge by edgefashion train --folds 4"
    )
    assert [line for line in lines if line.startswith("warning")] == [lacking]
    folder = write(files | {"owl/0.png": tested[0]})
    assert "there is nothing to learn owl from, none of its pictures being in the training split" in refusal(
        folder
    )
    few = write(
        {
            f"{name}/{n}.png": content
            for name, part in (("a", slice(0, 12)), ("b", slice(12, None)))
            for n, content in enumerate(learned[part])
        }
    )
    load_dataset(few, lines.append)
    moved = [line for line in lines if "moved there until there is another: add more" in line]
    assert [line.split(".png")[0][:40] for line in moved] == [
        "warning: there is no test picture but b/9"[:40]
    ]


def test_every_bad_file_is_listed_and_may_be_left_out(
    classes: Classes, write: Write, picture: Picture
) -> None:
    bad = {
        "cat/empty.png": b"",
        "cat/text.jpg": b"no picture",
        "dog/half.png": picture(5, size=(90, 90))[:4000],
        "dog/a\nb.png": b"x",
    }
    folder = write(classes("cat", "dog", each=9) | bad)
    lines: list[str] = []
    with pytest.raises(DataError, match=r"4 of 22 files cannot be used \(cat/empty.png is empty.*and 3 more"):
        load_dataset(folder, lines.append)
    assert len(lines) == 4
    assert all(line.startswith("bad: ") and "\n" not in line for line in lines)
    assert any("half.png is truncated or damaged" in line for line in lines)
    found = load_dataset(folder, skip_bad=True)
    assert found.left_out == LeftOut(bad=4, duplicates=0)
    assert found.checksums == load_dataset(write(classes("cat", "dog", each=9))).checksums
    nothing = write({"cat/a.png": b"x", "dog/b.png": b"x"})
    assert "holds no picture that can be used" in refusal(nothing, skip_bad=True)


def test_the_same_picture_in_two_classes_or_splits_names_both(
    picture: Picture, classes: Classes, write: Write
) -> None:
    twice = picture(77)
    folder = write(classes("cat", "dog", each=9) | {"cat/x.png": twice, "dog/y.png": twice})
    assert "cat/x.png (cat, " in refusal(folder)
    assert "dog/y.png (dog, " in refusal(folder)
    found = load_dataset(folder, drop_duplicates=True)
    assert found.left_out == LeftOut(bad=0, duplicates=2)  # nobody knows of which class it is
    own = {
        f"{part}/{name}": content for part in ("train", "test") for name, content in classes("a", "b").items()
    }
    lines: list[str] = []
    folder = write(own | {f"train/{name}": content for name, content in classes("a", "b", each=9).items()})
    assert "and 7 more such pairs" in refusal(folder)
    found = load_dataset(folder, lines.append, drop_duplicates=True)
    assert len(found.test) == 8  # a test stays what it is
    assert any(line.startswith("left out, the same picture again: train/a/0.png, ") for line in lines)


def test_the_same_picture_twice_in_a_class_is_no_error(
    picture: Picture, classes: Classes, write: Write
) -> None:
    folder = write(classes("cat", "dog", each=9) | {"cat/x.png": picture(1)})
    assert (
        sum(len(getattr(split(load_dataset(folder)), part)) for part in ("train", "validation", "test")) == 19
    )


def test_the_user_s_files_are_as_they_were(classes: Classes, write: Write) -> None:
    folder = write(classes("cat", "dog"))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    load_dataset(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_classes_have_names_that_can_be_printed_and_told_apart(classes: Classes, write: Write) -> None:
    assert "has the classes Cat and cat, of one name but for its case" in refusal(
        write(classes("Cat", "cat"))
    )
    assert r"has a class 'a\nb': name it" in refusal(write(classes("a\nb", "cat")))
    assert "has a class" in refusal(write(classes("a\udce4", "cat")))
    odd = ("it's", "c d", '"quoted"', "=1+1", "\u202eabc", "<b>")
    assert load_dataset(write(classes(*odd, each=3))).task.classes == tuple(sorted(odd))


def test_the_name_of_a_folder_that_cannot_be_one_of_a_task(
    classes: Classes, write: Write, tmp_path: Path
) -> None:
    odd = shutil.move(write(classes("cat", "dog")), tmp_path / "a\nb")
    assert load_dataset(odd).task.name == "pictures"


def test_idx_files_and_fashion_mnist_take_no_options_of_pictures(sample_folder: Path, nowhere: Path) -> None:
    said = "are made: leave out size and gray=True"
    assert said in refusal(sample_folder, size=32, gray=True)
    with pytest.raises(BadInput, match=said):
        load_dataset(size=32, gray=True)


def test_labels_are_of_the_task_s_type(classes: Classes, write: Write) -> None:
    found = load_dataset(write(classes("cat", "dog")))
    assert isinstance(found.task, Task)
    assert found.train.labels.dtype == found.test.labels.dtype == np.uint8
