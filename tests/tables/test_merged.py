from edgefashion.tables.merged import merged


def test_lines_that_differ_in_figures_become_one() -> None:
    assert merged(["1.5 of 1,000", "2 of 1,000"]) == "1.5 to 2 of 1,000"
    assert merged(["up to 3", "up to 4"]) == "up to 4"


def test_other_lines_stay_apart() -> None:
    assert merged(["1 image", "1 file"]) is None


def test_a_mark_in_a_strangers_line_is_no_figure() -> None:
    assert merged(["load #", "load 5"]) is None
