"""Splits by content."""

from collections import Counter
from pathlib import Path

import pytest

from edgefashion.data.picture_sets.allocation import TEST, allocated, lent, number
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


@pytest.mark.parametrize("label", "abcdefgh")
def test_one_picture_more_at_a_time_moves_none_once_each_split_has_one(label: str) -> None:
    """A class may be without one of a split: its pictures stay where they are."""
    before: dict[str, Split | None] = {}
    for count in range(1, 25):
        found = allocated([*pictures("other", 40), *pictures(label, count)])
        assert not lent(found)
        splits = {each.digest: each.split for each in found}
        assert before.items() <= splits.items()
        before = splits


@pytest.mark.parametrize("label", "abcdefgh")
def test_only_a_whole_split_without_pictures_is_lent_the_nearest(label: str) -> None:
    for count in range(3, 12):
        found = allocated(pictures(label, count))
        assert {each.split for each in found} == {"train", "validation", "test"}
        own = sorted(number(each.key) for each in found if each.split == "test")
        if own[0] >= TEST:
            assert len(own) == 1
            assert next(each for each in found if each.split == "test") in lent(found)
        assert len(lent(found)) <= 2


def test_a_lent_picture_goes_back_when_one_belongs_there() -> None:
    few = next(found for n in range(3, 12) if lent(found := allocated(pictures("a", n))))
    (away,) = [each for each in lent(few) if each.split == "test"]
    more = allocated([*few, *(each for each in pictures("b", 40) if number(each.key) < TEST)])
    assert away.digest not in {each.digest for each in more if each.split == "test"}
    assert not [each for each in lent(more) if each.split == "test"]


def test_the_last_picture_of_a_class_that_is_learned_from_is_not_lent() -> None:
    assert {each.split for each in allocated(pictures("c", 1) + pictures("d", 1))} == {"train"}


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
