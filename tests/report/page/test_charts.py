"""Charts: an axis never makes chance look like a difference, and what was not measured has no mark."""

import re
from types import ModuleType

from msgspec.structs import replace

from edgefashion.report.page import charts, results
from edgefashion.report.page.charts import Dot
from edgefashion.report.page.svg import POINT


def ticks(svg: str) -> list[float]:
    """The numbers beside the axes."""
    return [
        float(text.replace("−", "-").replace(",", "")) for text in re.findall(r"<text[^>]*>([−\d.,]+)<", svg)
    ]


def dot(accuracy: float, cost: float) -> Dot:
    return Dot("told", 0, "int8", "tflite", accuracy, (accuracy - 0.6, accuracy + 0.6), cost)


def test_accuracies_within_each_others_intervals_do_not_fill_the_height() -> None:
    low, high = charts._around(90.41 - 0.58, 90.49 + 0.56)
    assert low < 89.83 and high > 91.05
    drawn = charts.scatter("a", "Accuracy", "µs", [dot(90.41, 100), dot(90.49, 200)]).svg
    assert not [each for each in ticks(drawn) if 90.41 < each < 90.49]
    assert charts._around(99.0, 100.0)[1] == 100.0


def test_costs_that_differ_little_look_so() -> None:
    left, right = charts._costs([dot(90, 100), dot(90, 103)])
    assert left < 75 and right > 135
    left, right = charts._costs([dot(90, 10), dot(90, 1000)])
    assert 5 < left < 10 and 1000 < right < 2000


def test_a_validation_curve_is_within_its_interval(build: ModuleType) -> None:
    told = build.story("cnn", build.PETS)
    loss, accuracy = charts.curves("a", told)
    assert accuracy.caption == "cnn: Accuracy, %, with the 95 % interval of validation"
    assert max(ticks(accuracy.svg)) >= 80 and loss.caption == "cnn: Loss"
    assert "var(--series-0)" in accuracy.svg and ">kept<" in accuracy.svg


def test_of_one_epoch_or_none_there_is_no_curve(build: ModuleType) -> None:
    told = build.story("cnn", build.PETS)
    assert charts.curves("a", replace(told, history=told.history[:1])) == []
    lacking = tuple({"val_accuracy": 0.5, "seconds": 1.0} for _ in range(2))
    (accuracy,) = charts.curves("a", replace(told, history=lacking))
    assert "training" not in accuracy.svg


def test_differences_have_none_in_the_middle_and_all_of_their_intervals(build: ModuleType) -> None:
    (pair,) = results.paired(build.model("pets", build.PETS).card)
    assert (pair.better, pair.worse, pair.images) == (9, 12, 60)
    assert pair.low < pair.difference == -3 / 60 < pair.high
    shown = charts.differences("a", [("pets", pair)])
    assert shown and min(ticks(shown.svg)) < 100 * pair.difference and max(ticks(shown.svg)) > 0


def test_a_mark_for_each_point_and_a_front_of_the_best(build: ModuleType) -> None:
    found = results.scatter(build.report().comparison)
    assert found and [chart.caption.split(":")[0] for chart in found.charts] == [
        *["Accuracy against latency"] * 2,
        "Accuracy against the size of the file",
    ]
    for chart in found.charts:
        assert re.findall(rf'id="[\w-]+-{POINT}(\d)"', chart.svg) == ["0", "1"]
    assert found.legend == [(0, "pets")] and [name for name, _ in found.shapes] == ["float32", "int8"]
    assert found.hollow == ""
    assert found.notes == ["Accuracy on 60 images; bars: its 95 % Wilson interval, and from p50 to p90."]


def test_names_are_no_formulas_and_cut_where_they_are_long() -> None:
    drawn = charts._short("$x$" + "w" * 100)
    assert len(drawn) == charts.LONGEST_NAME and drawn.endswith("…")
