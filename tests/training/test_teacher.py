"""Runs and model files as teachers, and those that do not fit."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import files
from edgefashion.artifacts import artifact
from edgefashion.data import Dataset, split
from edgefashion.errors import ArtifactError, BadInput, RunError
from edgefashion.evaluation import predictions
from edgefashion.recipes import NAMED_RECIPES, Recipe
from edgefashion.tensorflow import keras
from edgefashion.training import lineage, runs, taught, teacher
from edgefashion.training.runs import Run
from edgefashion.training.train import train

PUPIL = replace(
    NAMED_RECIPES["cnn-64k"], epochs=1, batch_size=50, limit=100, distillation=0.5, temperature=2.0
)


def silent(line: str) -> None:
    pass


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return taught.cache_folder()


def learning_from(run: Run, **changes: Any) -> Recipe:
    return replace(PUPIL, teacher=str(run.folder), **changes)


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_model_file_teaches(
    format: str, exported: Run, sample: Dataset, cache: Path, tmp_path: Path
) -> None:
    path = exported.artifacts / f"cnn-int8.{format}"
    recipe = replace(PUPIL, teacher=str(path))
    run = train(recipe, sample, tmp_path / "pupil", report=silent)
    assert runs.read(run.folder).recipe == replace(recipe, teacher_id=exported.id)
    (found,) = (np.load(each) for each in cache.iterdir())
    images = split(sample, 100).train.images
    for side, pixels in zip(found, (images, images[:, :, ::-1]), strict=True):
        np.testing.assert_array_equal(side, predictions.predict(artifact.read(path), pixels).logits)


def test_a_model_of_the_zoo_teaches_by_the_id_of_its_run(
    zoo_folder: Path, exported: Run, sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFASHION_ZOO", str(zoo_folder))
    run = train(replace(PUPIL, teacher="zoo:cnn"), sample, tmp_path / "pupil", report=silent)
    assert (run.recipe.teacher, run.recipe.teacher_id) == ("zoo:cnn", exported.id)
    with pytest.raises(BadInput, match="is there twice: name another, or leave one out"):
        teacher.resolve_teachers(learning_from(exported, other_teachers=("zoo:cnn",)), sample)


def test_a_file_that_does_not_say_what_it_learned_from(
    exported: Run, sample: Dataset, tmp_path: Path
) -> None:
    path = shutil.copy(exported.artifacts / "cnn-int8.tflite", tmp_path)
    lines: list[str] = []
    recipe, _ = teacher.resolve_teachers(replace(PUPIL, teacher=path), sample, lines.append)
    assert recipe.teacher_id == exported.id
    assert lines == [
        f"teacher {path}: nothing says what it learned from. Where validation or test images were among "
        "that, the accuracy on these is too high"
    ]


def test_a_file_whose_manifest_names_no_id_has_that_of_its_content(
    exported: Run, sample: Dataset, tmp_path: Path
) -> None:
    path = told(exported, tmp_path, run_id="../../out")
    recipe, _ = teacher.resolve_teachers(replace(PUPIL, teacher=str(path)), sample)
    assert recipe.teacher_id == files.sha256(path)[:12]


def test_a_file_that_learned_from_other_data_or_from_validation(
    exported: Run, sample: Dataset, tmp_path: Path
) -> None:
    other = told(exported, tmp_path / "other", data={"checksums": {"train": "0" * 64}})
    with pytest.raises(BadInput, match="other data than these, which may include the validation images"):
        teacher.resolve_teachers(replace(PUPIL, teacher=str(other)), sample)
    knowing = replace(PUPIL, teacher=str(told(exported, tmp_path, verification={"split": "training"})))
    with pytest.raises(BadInput, match="learned from the validation images too"):
        teacher.resolve_teachers(knowing, sample)
    assert teacher.resolve_teachers(replace(knowing, use_validation=True), sample)[1]


def test_a_file_of_other_classes(exported: Run, sample: Dataset, tmp_path: Path) -> None:
    path = exported.artifacts / "cnn-int8.onnx"
    recipe = replace(PUPIL, teacher=str(path))
    letters = replace(sample, task=replace(sample.task, classes=tuple("ABCDEFGHIJ")))
    with pytest.raises(ArtifactError, match=r"tells 10 classes \(T-shirt/top, .* apart"):
        train(recipe, letters, tmp_path / "pupil", report=silent)
    assert not runs.staging(tmp_path / "pupil").exists()


def told(exported: Run, folder: Path, **changes: Any) -> Path:
    """A copy of a file of the run whose manifest tells something else."""
    folder.mkdir(exist_ok=True)
    path = Path(shutil.copy(exported.artifacts / "cnn-int8.tflite", folder))
    manifest = json.loads(artifact.manifest_path(exported.artifacts / path.name).read_text())
    files.write_json(artifact.manifest_path(path), {**manifest, **changes})
    return path


def test_a_pupil_learns_what_its_teacher_says(trained: Run, sample: Dataset, tmp_path: Path) -> None:
    recipe = learning_from(trained)
    run = train(recipe, sample, tmp_path / "pupil", report=silent)
    assert run.info.recipe == replace(recipe, teacher_id=trained.id)
    alone = train(replace(recipe, teacher=None, distillation=0.0), sample, tmp_path / "alone", report=silent)
    assert run.info.history[0]["loss"] != alone.info.history[0]["loss"]
    assert run.id != alone.id


def test_a_pupil_learns_from_the_mean_of_several_teachers(
    trained: Run, sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is the first with logits twice as large, so that the mean is one and a half times those."""
    second = tmp_path / "second"
    shutil.copytree(trained.folder, second)
    model = keras.models.load_model(trained.model_path, compile=False)
    *kept, kernel, bias = model.get_weights()
    model.set_weights([*kept, 2 * kernel, 2 * bias])
    model.save(second / runs.MODEL)
    digest = files.sha256(second / runs.MODEL)
    told = {**trained.info.to_dict()["model"], "sha256": digest}
    files.write_json(second / runs.INFO, {**trained.info.to_dict(), "id": digest[:12], "model": told})
    recipe = learning_from(trained, other_teachers=(str(second),), limit=30, batch_size=30)
    resolved, found = teacher.resolve_teachers(recipe, sample)
    assert resolved.teacher_ids == (trained.id, digest[:12])
    splits, cache = split(sample, 30), taught.cache_folder()
    one, mean = (taught.mean_logits(some, splits, cache, silent) for some in (found[:1], found))
    assert one is not None and mean is not None
    np.testing.assert_allclose(mean, 1.5 * one, rtol=1e-4, atol=1e-4)
    assert len(list(cache.iterdir())) == 2
    monkeypatch.delattr(taught, "_ask")
    run = train(recipe, sample, tmp_path / "pupil", report=silent)
    assert runs.read(run.folder).recipe == resolved
    assert {each.id for each in lineage.lineage(Run(tmp_path / "pupil", run.info))} >= {run.id, digest[:12]}


def test_a_teacher_that_knows_the_validation_images(trained: Run, sample: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "knows"
    shutil.copytree(trained.folder, folder)
    info = trained.info.to_dict()
    files.write_json(folder / runs.INFO, {**info, "recipe": {**info["recipe"], "use_validation": True}})
    recipe = replace(PUPIL, teacher=str(folder))
    with pytest.raises(BadInput, match="learned from the validation images too, and would tell of them"):
        teacher.resolve_teachers(recipe, sample)
    assert teacher.resolve_teachers(replace(recipe, use_validation=True), sample)[1]


def test_a_teacher_that_is_there_twice(trained: Run, sample: Dataset, tmp_path: Path) -> None:
    copy = shutil.copytree(trained.folder, tmp_path / "copy")
    with pytest.raises(BadInput, match="is there twice: name another, or leave one out"):
        teacher.resolve_teachers(learning_from(trained, other_teachers=(str(copy),)), sample)


@pytest.mark.parametrize("what", ["teacher", "its file", "base"])
def test_a_run_is_not_replaced_by_what_learns_from_it(
    what: str, exported: Run, sample: Dataset, tmp_path: Path
) -> None:
    from edgefashion.training.fine_tuning import recipe_from

    own = runs.read(shutil.copytree(exported.folder, tmp_path / "own"))
    recipe = {
        "teacher": learning_from(own),
        "its file": replace(PUPIL, teacher=str(own.artifacts / "cnn-int8.tflite")),
        "base": recipe_from(own, "float", sample.checksums),
    }[what]
    with pytest.raises(BadInput, match="own would be replaced by what learns from it: choose another folder"):
        train(recipe, sample, tmp_path / "own/../own", force=True)
    assert runs.read(own.folder).id == exported.id


def test_a_teacher_of_the_zoo_is_not_in_the_run_that_is_replaced(
    zoo_folder: Path, trained: Run, sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever that is typed."""
    monkeypatch.setenv("EDGEFASHION_ZOO", str(zoo_folder))
    monkeypatch.chdir(shutil.copytree(trained.folder, tmp_path / "own"))
    run = train(replace(PUPIL, teacher="zoo:cnn"), sample, tmp_path / "own", force=True)
    assert runs.read(run.folder).recipe.teacher == "zoo:cnn"


def test_a_run_is_not_replaced_where_weights_of_its_teacher_lie_in_it(
    exported: Run, sample: Dataset, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    own, path = shutil.copytree(exported.folder, tmp_path / "own"), tmp_path / "big.onnx"
    model = onnx.load(exported.artifacts / "cnn-float32.onnx")
    onnx.save(model, path, save_as_external_data=True, location="own/weights.bin", size_threshold=0)
    with pytest.raises(BadInput, match="own would be replaced by what learns from it"):
        train(replace(PUPIL, teacher=str(path)), sample, own, force=True)
    assert (own / "weights.bin").is_file()


def test_a_run_teaches_that_is_called_as_a_model_file_is(
    trained: Run, sample: Dataset, tmp_path: Path
) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "mine.onnx")
    recipe, _ = teacher.resolve_teachers(replace(PUPIL, teacher=str(folder)), sample)
    assert recipe.teacher_id == trained.id


def test_quantization_aware_training_has_a_teacher_too(trained: Run, sample: Dataset, tmp_path: Path) -> None:
    from edgefashion.training.fine_tuning import recipe_from

    recipe = recipe_from(
        trained, "qat", sample.checksums, limit=40, epochs=1, teacher=str(trained.folder), distillation=0.5
    )
    run = train(recipe, sample, tmp_path / "qat", report=silent)
    assert run.info.recipe.teacher_id == trained.id


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_teacher_that_is_no_finished_run(sample: Dataset, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=name):
        train(replace(PUPIL, teacher=str(tmp_path / name)), sample, tmp_path / "pupil", report=silent)
    assert not runs.staging(tmp_path / "pupil").exists()


def test_a_teacher_of_other_data(trained: Run, sample: Dataset, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="was trained on other data, which may include the validation images"):
        train(learning_from(trained), replace(sample, checksums={}), tmp_path / "pupil", report=silent)


def test_a_teacher_of_other_classes(trained: Run, sample: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    layers = [keras.layers.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    keras.Sequential(layers).save(folder / runs.MODEL)
    digest = files.sha256(folder / runs.MODEL)
    model = {**trained.info.to_dict()["model"], "sha256": digest}
    files.write_json(folder / runs.INFO, {**trained.info.to_dict(), "id": digest[:12], "model": model})
    with pytest.raises(RunError, match="is no cnn of this project: its layers are not those of cnn"):
        train(replace(PUPIL, teacher=str(folder)), sample, tmp_path / "pupil", report=silent)
    assert not runs.staging(tmp_path / "pupil").exists()


@pytest.mark.parametrize(
    ("id", "reason"),
    [("../../../out", "another form"), ("0123456789ab", r"has the id .*, and the SHA-256 of model\.keras")],
)
def test_the_id_of_a_teacher_is_that_of_its_model(
    trained: Run, sample: Dataset, tmp_path: Path, id: str, reason: str
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(trained.folder, folder)
    files.write_json(folder / runs.INFO, {**trained.info.to_dict(), "id": id})
    with pytest.raises(RunError, match=reason):
        train(replace(PUPIL, teacher=str(folder)), sample, tmp_path / "pupil", report=silent)
