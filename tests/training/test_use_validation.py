"""Trainings that learn from the validation images too: what they keep, and how that is told."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from edgefashion.artifacts.formats import Variant
from edgefashion.cli import _trained
from edgefashion.data import Dataset, split
from edgefashion.data.folds import folds
from edgefashion.data.splits import with_validation
from edgefashion.errors import BadInput
from edgefashion.export import verify
from edgefashion.export.exporter import export_run
from edgefashion.recipes import RECIPES
from edgefashion.report.card import origin
from edgefashion.reporting import silent
from edgefashion.training import checkpoints, lineage, runs
from edgefashion.training.fine_tuning import recipe_from
from edgefashion.training.loop import TrainingLoop
from edgefashion.training.preparation import checked
from edgefashion.training.runs import Run
from edgefashion.training.seeds import train_seeds
from edgefashion.training.train import train
from edgefashion.training.trainer import Learner

RECIPE = replace(RECIPES["cnn"], epochs=2, batch_size=100, use_validation=True)
LINES: list[str] = []


@pytest.fixture(scope="module")
def run(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(RECIPE, sample, tmp_path_factory.mktemp("runs") / "cnn", report=LINES.append)


def test_every_training_image_is_learned_from(sample: Dataset) -> None:
    apart = split(sample)
    together = with_validation(apart)
    assert len(together.train) == len(sample.train) == len(apart.train) + len(apart.validation)
    assert sorted(together.train.indices) == sorted(sample.train.indices)
    own = together.train.take(np.argsort(together.train.indices))
    assert np.array_equal(own.images, sample.train.images) and np.array_equal(own.labels, sample.train.labels)


def test_the_run_says_that_nothing_chose_its_epoch(run: Run, sample: Dataset) -> None:
    found = runs.read(run.folder).info
    assert found.recipe.use_validation and found.best_epoch == 2
    assert found.splits and (found.splits.train, found.splits.validation) == (len(sample.train), 0)
    epochs = [line for line in LINES if line.startswith("epoch")]
    assert "with the weights kept 0." in epochs[0] and "validation" not in epochs[0]
    assert _trained.sentence(run).startswith("epoch 2 of 2 is kept, the last: validation images were learned")
    (story,) = lineage.stories([run])
    assert origin.line(story).endswith(
        "learned from the validation images too, and none was left to choose by"
    )


def test_the_last_epoch_is_kept_however_bad_it_is(tmp_path: Path) -> None:
    loop = TrainingLoop.__new__(TrainingLoop)
    loop.learner = cast(Learner, SimpleNamespace(recipe=RECIPE, validated=100))
    state = checkpoints.begin(tmp_path / "state", RECIPE, {})
    for accuracy in (1.0, 0.0):
        metrics = {"val_accuracy": accuracy}
        state.add_epoch({}, metrics, loop._chance(metrics))
    assert state.best_epoch == 2


def test_its_files_are_verified_on_training_images_and_say_so(run: Run, sample: Dataset) -> None:
    (made,) = export_run(run, split(sample), [Variant("tflite", "float32")])
    assert made.manifest and made.manifest.verification["split"] == "training"
    assert made.rejection is None
    few = replace(split(sample), validation=split(sample).validation.take(np.arange(15)))
    assert [verify.verification_images(few, False, learned)[1] for learned in (False, True)] == [
        "validation and training",
        "training",
    ]


def test_what_is_fine_tuned_from_it_knows_the_validation_images_too(run: Run, sample: Dataset) -> None:
    assert recipe_from(run, "qat", sample.checksums).use_validation
    assert recipe_from(run, "float", sample.checksums, use_validation=False).use_validation


def test_no_seed_is_the_best_and_no_fold_is_apart(sample: Dataset, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="which of several seeds is best: train with one"):
        train_seeds(RECIPE, tmp_path / "cnn", 2, lambda *_: pytest.fail("trained"), replacing=False)
    with pytest.raises(BadInput, match="leave out use_validation"):
        checked(RECIPE, folds(sample, 2)[0], silent)
