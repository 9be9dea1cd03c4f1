"""Distillation: what a teacher says, that it is asked once, and teachers that do not fit."""

import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import files
from edgefashion.data import Dataset, split
from edgefashion.errors import BadInput, RunError
from edgefashion.models import ARCHITECTURES
from edgefashion.recipes import NAMED_RECIPES, Recipe
from edgefashion.tensorflow import keras
from edgefashion.training import lineage, runs, teacher
from edgefashion.training.distillation import divergence
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
    return teacher.cache_folder()


def learning_from(run: Run, **changes: Any) -> Recipe:
    return replace(PUPIL, teacher=str(run.folder), **changes)


def test_the_divergence_is_that_of_the_softened_distributions() -> None:
    generator = np.random.default_rng(0)
    taught, logits = generator.normal(size=(2, 5, 10)).astype(np.float32)

    def softened(values: Any) -> Any:
        powers = np.exp(values / 3)
        return powers / powers.sum(axis=1, keepdims=True)

    p, q = softened(taught), softened(logits)
    expected = 9 * (p * np.log(p / q)).sum(axis=1).mean()
    assert float(divergence(taught, logits, 3.0)) == pytest.approx(expected, rel=1e-5)
    assert float(divergence(taught, taught, 3.0)) == pytest.approx(0, abs=1e-6)


def test_a_teacher_speaks_of_every_image_and_its_mirror_image_once(
    trained: Run, sample: Dataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits, lines = split(sample, 60), []
    found = teacher.logits(trained, splits, cache, lines.append)
    digest = sha256(np.asarray(splits.train.images).tobytes()).hexdigest()[:12]
    assert [path.name for path in cache.iterdir()] == [f"{files.sha256(trained.model_path)}-{digest}.npy"]
    model = keras.models.load_model(trained.model_path, compile=False)
    prepare = ARCHITECTURES["cnn"].prepare
    images = splits.train.images
    for side, pixels in zip(found, (images, images[:, :, ::-1]), strict=True):
        np.testing.assert_allclose(side, model(prepare(pixels)), atol=1e-4)
    monkeypatch.delattr(teacher, "_ask")
    assert np.array_equal(teacher.logits(trained, splits, cache, lines.append), found)
    assert "asked about 60 images" in lines[0]
    assert str(cache) in lines[1]


def test_a_damaged_cache_is_asked_for_again(trained: Run, sample: Dataset, cache: Path) -> None:
    splits = split(sample, 20)
    found = teacher.logits(trained, splits, cache, silent)
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    assert np.array_equal(teacher.logits(trained, splits, cache, silent), found)


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
    resolved, found = teacher.resolve_teachers(recipe, sample.checksums)
    assert resolved.teacher_ids == (trained.id, digest[:12])
    splits, cache = split(sample, 30), teacher.cache_folder()
    one, mean = (teacher.mean_logits(some, splits, cache, silent) for some in (found[:1], found))
    assert one is not None and mean is not None
    np.testing.assert_allclose(mean, 1.5 * one, rtol=1e-4, atol=1e-4)
    assert len(list(cache.iterdir())) == 2
    monkeypatch.delattr(teacher, "_ask")
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
        teacher.resolve_teachers(recipe, sample.checksums)
    assert teacher.resolve_teachers(replace(recipe, use_validation=True), sample.checksums)[1]


def test_a_teacher_that_is_there_twice(trained: Run, sample: Dataset, tmp_path: Path) -> None:
    copy = shutil.copytree(trained.folder, tmp_path / "copy")
    with pytest.raises(BadInput, match="is there twice: name another, or leave one out"):
        teacher.resolve_teachers(learning_from(trained, other_teachers=(str(copy),)), sample.checksums)


@pytest.mark.parametrize("what", ["teacher", "base"])
def test_a_run_is_not_replaced_by_what_learns_from_it(
    what: str, trained: Run, sample: Dataset, tmp_path: Path
) -> None:
    from edgefashion.training.fine_tuning import recipe_from

    own = runs.read(shutil.copytree(trained.folder, tmp_path / "own"))
    recipe = learning_from(own) if what == "teacher" else recipe_from(own, "float", sample.checksums)
    with pytest.raises(BadInput, match="own would be replaced by what learns from it: choose another folder"):
        train(recipe, sample, tmp_path / "own/../own", force=True)
    assert runs.read(own.folder).id == trained.id


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
