"""Which output is of which class: as a file says, or as pictures show, and never by chance."""

from pathlib import Path

import numpy as np
import pytest

from edgefashion.errors import BadInput
from edgefashion.importing.preprocessing.labels import check_count, found_order, listed, read_labels

CLASSES = ("bag", "boot", "shirt")


@pytest.mark.parametrize(
    "text", ["bag\nboot\n  shirt \n\n", '["bag", "boot", "shirt"]', "﻿bag\r\nboot\r\nshirt\r\n"]
)
def test_labels_are_a_name_a_line_or_a_list(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels"
    path.write_text(text, encoding="utf-8")
    assert read_labels(path) == CLASSES


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bag\n\nboot\n", "no name in place 2"),
        ("bag\nboot\nbag\n", "has 'bag' twice"),
        ('["bag", 3]', "a JSON list of names, and holds something else"),
        ('["bag", ', "not a list of labels"),
        ("b\xfcg\n".encode("latin-1"), "not"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str | bytes, reason: str) -> None:
    path = tmp_path / "labels"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput, match=reason):
        read_labels(path)


def test_every_output_is_of_a_class() -> None:
    check_count(3, CLASSES, None)
    check_count(3, CLASSES, Path("labels.txt"))
    for outputs, given, reason in (
        (1, None, "the model has 1 output, and the pictures are of 3 classes .bag, boot, shirt., of which"),
        (2, None, "it cannot know all: name pictures of those it was trained on"),
        (1000, None, "say with labels FILE what each output is for"),
        (4, Path("labels.txt"), "labels.txt has 3 names, and the model has 4 outputs"),
    ):
        with pytest.raises(BadInput, match=reason):
            check_count(outputs, CLASSES, given)


def answers(order: list[int], accuracy: float, pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and labels of a model whose outputs are of the classes `order`."""
    chance = np.random.default_rng(0)
    labels = np.arange(pictures) % len(order)
    guessed = np.where(chance.random(pictures) < accuracy, labels, chance.integers(0, len(order), pictures))
    return np.argsort(order)[guessed], labels


@pytest.mark.parametrize("order", [[1, 0], [2, 0, 1], [0, 2, 1, 3], [0, 9, 1, 2, 3, 4, 5, 6, 7, 8]])
def test_another_order_is_found(order: list[int]) -> None:
    found = found_order(*answers(order, 0.8, 200), len(order))
    assert found is not None
    assert found.tolist() == order


@pytest.mark.parametrize(
    ("order", "accuracy", "pictures"),
    [
        ([0, 1, 2], 0.8, 100),  # the given order is right
        ([0, 1, 2], 0.0, 300),  # guesses fit no order
        ([1, 0], 0.8, 10),  # too few pictures to believe another
        ([1, 0, 2, 3, 4, 5, 6, 7], 0.2, 100),  # the model is too weak to tell
    ],
)
def test_the_given_order_is_kept_where_nothing_speaks_against_it(
    order: list[int], accuracy: float, pictures: int
) -> None:
    assert found_order(*answers(order, accuracy, pictures), len(order)) is None


def test_taking_one_class_for_another_is_no_order() -> None:
    """As by a model that is shown pictures on white and was trained on black: flags are taken for signs."""
    outputs, labels = answers([0, 1, 2], 0.9, 300)
    outputs[labels == 1] = 2
    outputs[labels == 2] = np.random.default_rng(1).integers(0, 3, (labels == 2).sum())
    assert found_order(outputs, labels, 3) is None


def test_of_many_names_a_few_are_listed_and_that_there_are_more() -> None:
    assert [listed(list(names)) for names in ("abcde", "abcdef")] == ["a, b, c, d, e", "a, b, c, d, e, …"]
