"""A hundred pictures of two classes, four to one: trained, exported, measured, packed and told of."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import edgefashion as ef
from edgefashion.cli import main
from edgefashion.cli.export import evaluating
from edgefashion.data import Dataset, split
from edgefashion.report.card import gather, to_markdown
from edgefashion.training import lineage, runs
from edgefashion.training.runs import Run

CLASSES = {"boots": (9, 4), "bags": (8, 1)}
"""Label of Fashion-MNIST, and of how many pictures in five."""
PARTS = {"train": 70, "val": 15, "test": 15}


@pytest.fixture(scope="module")
def pictures(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    folder = tmp_path_factory.mktemp("small") / "things"
    for name, (label, share) in CLASSES.items():
        numbers = iter(np.flatnonzero(sample.train.labels == label))
        for part, count in PARTS.items():
            own = folder / part / name
            own.mkdir(parents=True)
            for number in islice(numbers, count * share // 5):
                Image.fromarray(np.asarray(sample.train.images[number])[:, :, 0]).save(own / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def dataset(pictures: Path) -> Dataset:
    return ef.load_dataset(pictures)


@pytest.fixture(scope="module")
def run(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = ef.recipe("cnn", epochs=4, batch_size=10)
    return ef.train(recipe, dataset, tmp_path_factory.mktemp("runs") / "things")


@pytest.fixture(scope="module")
def files(run: Run, dataset: Dataset) -> list[ef.Artifact]:
    return ef.export_model(run, dataset, formats=["tflite"])


def test_verification_is_on_50_images_and_calibration_on_all_there_are(
    files: list[ef.Artifact], dataset: Dataset
) -> None:
    parts = split(dataset)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (70, 15, 15)
    for each in files:
        assert each.manifest is not None and each.manifest.verification
        assert each.manifest.verification["images"] == 50
        assert each.manifest.verification["split"] == "validation and training"
        if each.precision == "int8":
            assert each.manifest.calibration and each.manifest.calibration.count == len(parts.train)


def test_it_is_measured_packed_and_told_of(
    files: list[ef.Artifact], run: Run, dataset: Dataset, tmp_path: Path
) -> None:
    quick = replace(ef.BenchmarkOptions().lasting(0.01), in_process=True)
    found = ef.evaluate(files, dataset, threads=[1], options=quick)
    found.raise_failures()
    for row in found.rows:
        assert [each.name for each in row.recalls] == ["bags", "boots"]
        assert row.balanced_accuracy is not None and row.is_imbalanced
    assert "Balanced %" in found.to_markdown()
    bundle = tmp_path / "things.zip"
    assert ef.make_bundle(files, dataset, bundle).images == len(dataset.test)
    assert ef.benchmark(bundle, threads=[1], options=quick).rows[0].images == len(dataset.test)
    card = to_markdown(gather("things", lineage.stories([run]), files, dataset))
    assert "| bags |" in card and "Accuracy weighs boots, with" in card


def test_it_is_trained_further_rounded_and_taught(
    run: Run, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--epochs", "1", "--data", str(pictures), "--runs", str(tmp_path)]
    quick = ["--threads", "1", "--seconds", "0.01", "--in-process"]
    for words in (
        ["train", "--qat", str(run.folder), "--name", "rounded", *options],
        ["train", "--from", str(run.folder), "--teacher", str(run.folder), "--name", "taught", *options],
        ["export", "--format", "tflite", "--precision", "float32,int8-qat", *options[2:]],
        ["evaluate", *quick, "--json", str(tmp_path / "r.json"), *options[2:]],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert not stopped.value.code, capsys.readouterr().err
    rows = ef.read_results(tmp_path / "r.json").rows
    assert [(row.model, row.precision, row.images) for row in rows] == [
        ("rounded", "int8-qat", 15),
        ("taught", "float32", 15),
    ]
    assert runs.read(tmp_path / "taught").recipe.teacher_ids == (run.id,)
    assert runs.read(tmp_path / "rounded").base_run_id == run.id


def test_a_teacher_of_the_same_pictures_in_another_size_is_called_so(run: Run, pictures: Path) -> None:
    larger = ef.load_dataset(pictures, size=32)
    recipe = ef.recipe("cnn", epochs=1, teacher=str(run.folder), distillation=0.5, temperature=2.0)
    said = r"was trained on other images of these pictures \(28x28, gray, crop\): train it on these"
    with pytest.raises(ef.BadInput, match=said):
        ef.train(recipe, larger, run.folder.parent / "pupil")
    assert not (run.folder.parent / "pupil").exists()


def test_pictures_made_images_of_another_size_are_no_other_set(
    files: list[ef.Artifact], pictures: Path
) -> None:
    found = ef.evaluate(files[0], ef.load_dataset(pictures, size=32), threads=[1])
    assert found.dataset and not found.dataset.changed
    with pytest.raises(
        ef.ArtifactError, match=r"takes images of 28x28x1, and those here are 32x32x1: measure"
    ):
        found.raise_failures()


def test_layers_are_compared_on_what_there_is_and_reported_with_the_pictures(
    run: Run, files: list[ef.Artifact], pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers, page = tmp_path / "layers.json", tmp_path / "report.html"
    with pytest.raises(SystemExit) as stopped:
        main(["debug", str(run.folder), "--format", "tflite", "--data", str(pictures), "--json", str(layers)])
    captured = capsys.readouterr()
    assert not stopped.value.code, captured.err
    assert "conv1" in captured.out
    with pytest.raises(SystemExit) as stopped:
        main(["report", str(run.folder), str(layers), "-o", str(page)])
    assert not stopped.value.code, capsys.readouterr().err
    text = page.read_text()
    assert "things-int8.tflite answers for 15 test images" in text and "conv1" in text
    assert "15 validation images, against the float model" in text


def test_a_file_of_another_task_is_said_in_words(
    files: list[ef.Artifact], other: Dataset, other_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ef.evaluate(files[0], other, threads=[1])
    with pytest.raises(
        ef.ArtifactError, match=r"tells 2 classes \(bags, boots\) apart, and .* has 3 classes \("
    ):
        found.raise_failures()
    for verb in (["evaluate", "--seconds", "0.01"], ["predict", "--index", "0"]):
        with pytest.raises(SystemExit) as stopped:
            main([verb[0], str(files[0].path), *verb[1:], "--data", str(other_folder)])
        assert stopped.value.code == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("edgefashion: ")]
        assert "bags, boots" in lines[-1], lines


def test_models_of_two_data_sets_are_refused_before_any_is_measured(
    run: Run,
    files: list[ef.Artifact],
    exported: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EDGEFASHION_DATA", raising=False)
    for words in (["evaluate"], ["bundle", "-o", "both.zip"]):
        with pytest.raises(SystemExit) as stopped:
            main([*words, str(exported.folder), str(run.folder)])
        said = capsys.readouterr().err
        assert stopped.value.code == 2
        assert "is for Fashion-MNIST (28x28, gray, " in said
        assert (
            "is for things (28x28, gray, crop, 2 classes): name the models of one data set at a time" in said
        )
        assert len(said.splitlines()) == 1
    other = tmp_path / "runs/other"
    shutil.copytree(run.folder, other)
    record = json.loads((other / "run.json").read_text())
    record["data"]["folder"] = str(tmp_path)
    (other / "run.json").write_text(json.dumps(record))
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", str(run.folder), str(other)])
    assert stopped.value.code == 2
    assert f"was trained with {tmp_path}: name the models of one data set at a time, or a data" in (
        capsys.readouterr().err
    )


def test_what_measures_runs_of_two_data_sets_is_a_command_for_each(run: Run, exported: Run) -> None:
    assert evaluating([exported, run, run]) == [
        f"edgefashion evaluate {exported.folder}",
        f"edgefashion evaluate {run.folder} {run.folder}",
    ]
