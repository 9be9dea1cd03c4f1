"""What few pictures of a class mean."""

import pytest

from edgefashion.data import sufficiency
from edgefashion.errors import DataError
from edgefashion.stats import wilson_interval


def test_too_few_pictures_are_refused_with_the_class_named() -> None:
    sufficiency.refuse("photos", {"cat": (10, 1), "dog": (200, 30)})
    with pytest.raises(DataError) as caught:
        sufficiency.refuse("photos", {"cat": (9, 1), "dog": (200, 30), "owl": (3, 1)})
    assert str(caught.value) == (
        "photos: the class cat has 9 pictures (1 other class has too few as well): add some, 10 at least, or "
        "train all the same with force=True"
    )


def test_few_pictures_are_warned_of_with_the_interval_and_how_many_in_all_would_halve_it() -> None:
    assert sufficiency.warning({"cat": (50, 8), "dog": (60, 9)}) is None
    low, high = wilson_interval(4, 5)
    said = sufficiency.warning({"cat": (30, 5), "dog": (60, 9)})
    assert said is not None
    assert said.startswith(
        "warning: the class cat has 30 pictures, 5 of them to test with: a recall of 80 % on those would "
        f"mean one between {100 * low:.0f} and {100 * high:.0f} %; half that range takes about "
    )
    whole = int(said.split(" takes about ")[1].split()[0])
    low2, high2 = wilson_interval(0.8 * whole * 5 / 30, whole * 5 / 30)
    assert (high2 - low2) <= (high - low) / 2
    assert said.endswith(
        f"{whole} pictures of it in all, {whole - 30} more, or edgefashion train --folds 4, which tests on "
        "each once"
    )


def test_of_two_to_test_with_six_times_as_many_pictures_and_more_halve_what_is_open() -> None:
    said = sufficiency.warning({"cat": (30, 2), "dog": (60, 9)})
    assert said == (
        "warning: the class cat has 30 pictures, 2 of them to test with: a recall of 80 % on those would "
        "mean one between 22 and 98 %; half that range takes about 240 pictures of it in all, 210 more, or "
        "edgefashion train --folds 4, which tests on each once"
    )


def test_none_to_test_with() -> None:
    said = sufficiency.warning({"a\u202eb": (1, 0), "dog": (60, 9)})
    assert said == (
        r"warning: the class a\u202eb has 1 picture, 0 of them to test with: nothing will be known of its "
        "recall"
    )
