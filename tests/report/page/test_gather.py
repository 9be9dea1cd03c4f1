"""What a report is made of: which files are asked, and what is known already."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from msgspec import structs

import edgefashion as ef
from edgefashion import zoo
from edgefashion.data import Dataset
from edgefashion.report.card import Card
from edgefashion.report.page import Report, Subject, gather
from edgefashion.report.page.gather import _here


def of(report: ef.Report, run: ef.Run) -> Card:
    (model,) = report.models
    assert model.card and model.name == run.name
    return model.card


def test_each_file_is_asked_that_no_results_tell_of(
    exported: ef.Run, sample: Dataset, tmp_path: Path
) -> None:
    found = ef.make_report(exported, dataset=sample)
    assert len(of(found, exported).artifacts) == 4
    assert found.comparison and [source.results.verb for source in found.comparison.sources] == ["report"]
    known = of(found, exported).results
    known.save(tmp_path / "known.json")
    again = ef.make_report(str(exported.folder), tmp_path / "known.json", dataset=sample)
    asked = [each.path.name for each in of(again, exported).artifacts]
    assert asked == ["cnn-float32.tflite", "cnn-int8.tflite"]
    assert again.comparison and [source.results.verb for source in again.comparison.sources] == ["card"]


def test_models_of_images_of_two_sizes_are_not_measured_on_the_same(
    build: ModuleType,
) -> None:
    small, large = build.model("small", build.PETS).card, build.model("large", build.PETS).card
    large = replace(large, dataset=structs.replace(large.dataset, checksums={"task.json": "c" * 64}))
    files = _here([small, large, build.model("other", build.PETS).card], set())
    assert [(str(file.paths[0]), len(file.results.rows)) for file in files] == [
        ("this report, small, other", 4),
        ("this report, large", 2),
    ]


def test_without_a_data_set_nothing_is_asked_and_results_are_taken_as_they_are(whole: Report) -> None:
    found = ef.make_report("zoo:cnn-64k")
    (model,) = found.models
    assert found.comparison is None and model.card is None
    assert model.missing == "no data set was given to classify: dataset takes one"
    assert whole.comparison is not None
    own = whole.comparison.sources[0].results
    found = ef.make_report(own)
    assert found.task == "pets" and found.comparison and found.comparison.sources[0].results is own
    assert repr(found) == "<Report of 0 models and 1 results; .save(PATH) writes it>"
    with pytest.raises(ef.BadInput, match="nothing to report on"):
        ef.make_report()


def test_a_run_that_is_damaged_is_left_out_and_a_damaged_file_of_a_run_is_not_asked(
    exported: ef.Run, sample: Dataset, whole: Report, tmp_path: Path
) -> None:
    assert whole.comparison is not None
    found = ef.make_report(tmp_path / "lost", whole.comparison.sources[0].results)
    assert len(found.left_out) == 1 and "there is no run" in found.left_out[0]
    first, *others = ef.make_report(exported).models[0].artifacts
    broken = ef.Artifact(first.path, first.manifest, defect="its SHA-256 is another")
    subject = Subject("cnn", whole.models[0].stories, [broken, *others], zoo.open_zoo().task, "runs/cnn")
    (model,) = gather([subject], [], lambda _: sample).models
    assert model.card and first.path not in [each.path for each in model.card.artifacts]
    assert len(model.artifacts) == 4
