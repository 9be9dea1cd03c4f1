"""Splits by content."""

from collections import Counter
from pathlib import Path

import pytest

from edgefashion.data.picture_sets.allocation import allocated, number
from edgefashion.data.picture_sets.layouts import Entry, Split
from edgefashion.data.picture_sets.picture import Picture
from edgefashion.data.picture_sets.scanning import Scanned
from edgefashion.data.picture_sets.trees import Folder, Found


def pictures(label: str, count: int, split: Split | None = None, group: str | None = None) -> list[Picture]:
    return [
        Picture(
            Folder(Path("photos")),
            Entry(Found(f"{label}/{n}", 1, "1"), label, split, group),
            Scanned(f"{label} {n}"),
            split,
        )
        for n in range(count)
    ]


def test_the_number_of_a_picture_is_the_same_everywhere() -> None:
    assert [round(number(f"{n}"), 3) for n in range(3)] == [0.53, 0.867, 0.625]


def test_shares_are_70_15_and_15_percent() -> None:
    found = Counter(each.split for each in allocated(pictures("cat", 4000) + pictures("dog", 4000)))
    assert 0.68 < found["train"] / 8000 < 0.72
    assert 0.13 < found["validation"] / 8000 < 0.17
    assert 0.13 < found["test"] / 8000 < 0.17


def test_more_pictures_move_none_of_those_before() -> None:
    before = allocated(pictures("cat", 50) + pictures("dog", 70))
    after = {each.digest: each.split for each in allocated(pictures("cat", 90) + pictures("dog", 300))}
    assert all(after[each.digest] == each.split for each in before)


@pytest.mark.parametrize("count", range(3, 12))
def test_a_small_class_has_a_picture_in_each_split(count: int) -> None:
    for label in ("a", "b", "c", "d"):
        found = allocated(pictures(label, count))
        assert {each.split for each in found} == {"train", "validation", "test"}


def test_of_two_pictures_one_is_tested_with_and_one_is_learned_from() -> None:
    for label in "abcdefgh":
        assert {each.split for each in allocated(pictures(label, 2))} == {"train", "test"}
        assert {each.split for each in allocated(pictures(label, 1))} == {"train"}


def test_what_is_declared_stays_and_the_rest_comes_out_of_train() -> None:
    declared = pictures("a", 100, "train") + pictures("b", 20, "test")
    found = allocated(declared)
    assert {each.split for each in found if each.label == "a"} == {"train", "validation"}
    assert {each.split for each in found if each.label == "b"} == {"test"}
    whole = [*declared, *pictures("c", 9, "validation")]
    assert allocated(whole) == whole


def test_a_group_is_in_one_split_across_classes() -> None:
    found = allocated(
        [each for n in range(40) for label in "ab" for each in pictures(label, 3, group=f"{n}")]
    )
    splits = {each.entry.group: each.split for each in found}
    assert all(splits[each.entry.group] == each.split for each in found)
    assert set(splits.values()) == {"train", "validation", "test"}
