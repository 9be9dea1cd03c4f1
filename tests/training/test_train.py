"""Training: what a run holds, and that no interruption, full disk or wrong option loses anything."""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import __version__, files
from edgefashion.cli import main
from edgefashion.data import Dataset, split
from edgefashion.errors import BadInput, Diverged, OutputError, RunError
from edgefashion.models import ARCHITECTURES, mobilenetv2
from edgefashion.recipes import RECIPES, Recipe
from edgefashion.tensorflow import keras, tf
from edgefashion.training import checkpoints, finishing, runs
from edgefashion.training import train as training
from edgefashion.training.checkpoints import TrainingState
from edgefashion.training.hardware import select_hardware
from edgefashion.training.preparation import Preparation
from edgefashion.training.reuse import resumable
from edgefashion.training.runs import Run
from edgefashion.training.train import is_interrupted, train

TINY = replace(RECIPES["cnn"], epochs=3, limit=100, batch_size=25, schedule="cosine")
ONE_EPOCH = replace(TINY, epochs=1)


def epochs_done(staging: Path) -> int:
    """How many epochs an interrupted training has finished; 0 before it has a checkpoint."""
    path = staging / checkpoints.PROGRESS
    return len(json.loads(path.read_text())["history"]) if path.is_file() else 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs/cnn"


def fit(folder: Path, data: Dataset, recipe: Recipe = TINY, **options: Any) -> Run:
    return train(recipe, data, folder, **options)


def weights(run: Run) -> list[np.ndarray[Any, Any]]:
    return list(keras.models.load_model(run.model_path, compile=False).get_weights())


def assert_same_training(one: Run, other: Run) -> None:
    for mine, expected in zip(weights(one), weights(other), strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-5)
    for entry, wanted in zip(one.info.history, other.info.history, strict=True):
        assert entry["loss"] == pytest.approx(wanted["loss"], rel=1e-4)
        assert entry["val_accuracy"] == wanted["val_accuracy"]


@contextlib.contextmanager
def killed_at(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The training ends where it would call this function."""

    def kill(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, kill)
        with pytest.raises(KeyboardInterrupt):
            yield


@pytest.fixture(scope="module")
def uninterrupted(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(tmp_path_factory.mktemp("runs") / "cnn", sample)


@pytest.fixture(scope="module")
def halted_once(
    sample: Dataset, stopped: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder of runs with a training of TINY, stopped after its first epoch."""
    folder = tmp_path_factory.mktemp("halted")
    with stopped():
        fit(folder / "cnn", sample)
    return folder


@pytest.fixture
def halted(halted_once: Path, folder: Path) -> Path:
    """A training of TINY, stopped after its first epoch."""
    shutil.copytree(halted_once, folder.parent)
    return folder


def test_an_interruption_says_how_to_go_on_where_one_can(halted: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt, match="interrupted; the same command goes on from there"),
        resumable(halted, "the same command"),
    ):
        raise KeyboardInterrupt
    with (
        pytest.raises(KeyboardInterrupt, match=r"^$"),
        resumable(tmp_path / "none", "the same command"),
    ):
        raise KeyboardInterrupt


# A training that nothing disturbs


def test_a_run_holds_a_model_its_story_and_logs(uninterrupted: Run) -> None:
    assert {path.name for path in uninterrupted.folder.iterdir()} == {
        "model.keras",
        "run.json",
        "tensorboard",
    }
    assert list(uninterrupted.folder.glob("tensorboard/train/events.*"))
    assert {path.name for path in uninterrupted.folder.parent.iterdir()} == {"cnn", ".cnn.lock"}


def test_the_story_is_complete(uninterrupted: Run, sample: Dataset) -> None:
    info = json.loads((uninterrupted.folder / "run.json").read_text())
    assert (info["schema"], info["name"]) == (1, "cnn")
    assert info["recipe"] == TINY.as_dict()
    assert info["data"] == sample.describe().to_dict()
    parts = split(sample, TINY.limit)
    assert info["splits"] == {
        "train": len(parts.train),
        "validation": len(parts.validation),
        "test": len(parts.test),
    }
    assert info["initial_weights_sha256"] is None
    digest = files.sha256(uninterrupted.model_path)
    assert info["id"] == digest[:12]
    assert info["model"] == {
        "file": "model.keras",
        "sha256": digest,
        "parameters": 225_034,
        "macs": 2_631_040,
    }
    assert set(info["versions"]) == {"edgefashion", "tensorflow", "tf_keras", "numpy"}
    assert info["versions"]["edgefashion"] == __version__
    assert info["device"]["cores"] >= 1
    assert info["trained_on"].startswith(("CPU: ", "GPU: "))


def test_every_epoch_is_told(uninterrupted: Run) -> None:
    history = uninterrupted.info.history
    assert len(history) == 3
    for epoch in history:
        assert set(epoch) == {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    assert history[-1]["loss"] < history[0]["loss"]
    assert uninterrupted.info.seconds == pytest.approx(sum(epoch["seconds"] for epoch in history), abs=0.1)


def test_the_model_kept_is_a_plain_one(uninterrupted: Run) -> None:
    model = keras.models.load_model(uninterrupted.model_path)
    assert getattr(model, "optimizer", None) is None
    assert model.output_shape == (None, 10)


def test_the_best_epoch_by_validation_accuracy_is_kept(
    folder: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    accuracies, snapshots = iter([0.2, 0.7, 0.7]), []
    add_epoch = TrainingState.add_epoch

    def scripted(
        state: TrainingState, arrays: checkpoints.Arrays, metrics: dict[str, float], chance: float
    ) -> None:
        assert chance == 0
        snapshots.append([array for name, array in arrays.items() if name.startswith("kept")])
        add_epoch(state, arrays, metrics | {"val_accuracy": next(accuracies)})

    monkeypatch.setattr(TrainingState, "add_epoch", scripted)
    run = fit(folder, sample)
    assert (run.info.best_epoch, run.info.validation_accuracy) == (2, 0.7)
    for mine, expected in zip(weights(run), snapshots[1], strict=True):
        assert np.array_equal(mine, expected)


def test_only_the_last_and_the_best_checkpoint_are_kept(tmp_path: Path) -> None:
    state = checkpoints.begin(tmp_path / "state", TINY, {})
    kept = []
    for accuracy in (0.5, 0.4, 0.3, 0.6):
        state.add_epoch({}, {"val_accuracy": accuracy})
        kept.append(sorted(path.name for path in state.folder.glob("*.npz")))
    names = [["1"], ["1", "2"], ["1", "3"], ["4"]]
    assert kept == [[f"epoch-{number}.npz" for number in numbers] for numbers in names]


def test_a_later_epoch_is_kept_where_chance_may_have_made_it_worse(tmp_path: Path) -> None:
    state = checkpoints.begin(tmp_path / "state", TINY, {})
    kept = []
    for accuracy in (0.5, 0.7, 0.68, 0.6, 0.75, 0.7):
        state.add_epoch({}, {"val_accuracy": accuracy}, chance=0.03)
        kept.append(state.best_epoch)
        assert state.best.exists()
    assert kept == [1, 2, 3, 3, 5, 5]


def test_balanced_accuracy_chooses_where_it_was_measured(tmp_path: Path) -> None:
    state = checkpoints.begin(tmp_path / "state", TINY, {})
    for accuracy, balanced in ((0.9, 0.5), (0.8, 0.6), (0.85, 0.55)):
        state.add_epoch({}, {"val_accuracy": accuracy, "val_balanced_accuracy": balanced})
    assert state.best_epoch == 2


def test_a_run_on_part_of_the_data_is_marked(
    folder: Path, sample: Dataset, trained: Run, uninterrupted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (trained.recipe.limit, uninterrupted.recipe.limit) == (None, 100)
    assert trained.small_run and uninterrupted.small_run
    monkeypatch.setattr(Dataset, "complete", True)
    for limit in (None, 100):
        recipe = replace(ONE_EPOCH, limit=limit, batch_size=100)
        assert fit(folder.with_name(f"{limit}"), sample, recipe).small_run == (limit is not None)


def test_the_layers_and_the_machine_are_told(folder: Path, sample: Dataset) -> None:
    lines: list[str] = []
    train(ONE_EPOCH, sample, folder, report=lines.append)
    (where,) = [number for number, line in enumerate(lines) if line.startswith("training cnn on ")]
    assert any("225,034" in line for line in lines[:where])


def test_mobilenetv2_trains_from_the_weights_of_a_file(
    folder: Path, sample: Dataset, tmp_path: Path, short: None
) -> None:
    path, architecture = tmp_path / "weights.h5", ARCHITECTURES["mobilenetv2"]
    recipe = replace(RECIPES["mobilenetv2"], epochs=1, limit=20, batch_size=10, weights=str(path))
    mobilenetv2._base(1.0, (48, 48), None).save_weights(path)
    run = fit(folder, sample, recipe)
    assert run.info.initial_weights_sha256 == files.sha256(path)
    validation = split(sample, 20).validation
    logits = keras.models.load_model(run.model_path)(architecture.prepare(validation.images)).numpy()
    assert run.info.validation_accuracy == (logits.argmax(axis=1) == validation.labels).mean()


# Runs that are there already


def test_an_existing_run_is_not_touched(folder: Path, sample: Dataset) -> None:
    folder.mkdir(parents=True)
    files.write_text(folder / "mine", "precious")
    with pytest.raises(RunError, match=f"{folder} exists: choose another folder"):
        fit(folder, sample)
    with pytest.raises(RunError, match=f"{folder} exists: choose another folder"):
        fit(folder, sample, resume=True)
    assert [path.name for path in folder.iterdir()] == ["mine"]


def test_force_replaces_the_older_run_at_the_end(
    folder: Path, sample: Dataset, uninterrupted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(uninterrupted.folder, folder)
    (folder / "artifacts").mkdir()
    seen = []
    add_epoch = TrainingState.add_epoch

    def looking(state: TrainingState, *arguments: Any) -> None:
        add_epoch(state, *arguments)
        seen.append(runs.read(folder).id)

    monkeypatch.setattr(TrainingState, "add_epoch", looking)
    run = fit(folder, sample, replace(ONE_EPOCH, seed=1), force=True)
    assert seen == [uninterrupted.id]
    assert run.id != uninterrupted.id
    assert runs.read(folder).info.recipe.seed == 1
    assert not run.artifacts.exists()


# Interruptions


def test_an_interrupted_training_asks_what_to_do(halted: Path, sample: Dataset) -> None:
    assert is_interrupted(halted)
    assert runs.find(halted.parent) == []
    with pytest.raises(RunError, match="go on with resume=True, or start again with force=True"):
        fit(halted, sample)


def test_a_resumed_training_ends_as_one_without_interruption(
    halted: Path, sample: Dataset, uninterrupted: Run
) -> None:
    lines: list[str] = []
    run = train(TINY, sample, halted, resume=True, report=lines.append)
    assert "resuming after epoch 1 of 3" in lines
    assert_same_training(run, uninterrupted)
    assert not is_interrupted(halted)
    assert {path.name for path in halted.iterdir()} == {"model.keras", "run.json", "tensorboard"}


def test_force_starts_an_interrupted_training_again(halted: Path, sample: Dataset) -> None:
    run = fit(halted, sample, ONE_EPOCH, force=True)
    assert len(run.info.history) == 1
    assert not is_interrupted(halted)


def test_an_interruption_before_the_first_epoch_loses_nothing(
    folder: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(Preparation, "fit", monkeypatch):
        fit(folder, sample, ONE_EPOCH)
    assert not is_interrupted(folder)
    assert len(fit(folder, sample, ONE_EPOCH, resume=True).info.history) == 1
    shutil.rmtree(folder)
    with killed_at(Preparation, "fit", monkeypatch):
        fit(folder, sample, ONE_EPOCH)
    assert len(fit(folder, sample, ONE_EPOCH).info.history) == 1


def test_a_training_that_replaces_a_run_can_be_resumed(
    folder: Path, sample: Dataset, uninterrupted: Run, stopped: Callable[..., Any]
) -> None:
    shutil.copytree(uninterrupted.folder, folder)
    with stopped():
        fit(folder, sample, replace(TINY, epochs=2), force=True)
    assert runs.read(folder).id == uninterrupted.id
    with pytest.raises(RunError, match="was interrupted"):
        fit(folder, sample, replace(TINY, epochs=2))
    run = fit(folder, sample, replace(TINY, epochs=2), resume=True)
    assert len(run.info.history) == 2


def test_a_kill_while_a_checkpoint_is_written(halted: Path, sample: Dataset, uninterrupted: Run) -> None:
    """Its temporary file is there and half written."""
    staging = runs.staging(halted)
    (staging / ".half.npz").write_bytes((staging / "epoch-1.npz").read_bytes()[:1000])
    run = fit(halted, sample, resume=True)
    assert_same_training(run, uninterrupted)
    assert {path.name for path in halted.iterdir()} == {"model.keras", "run.json", "tensorboard"}


def test_a_kill_between_a_checkpoint_and_its_record(
    halted: Path, sample: Dataset, uninterrupted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(TrainingState, "save", monkeypatch):
        fit(halted, sample, resume=True)
    staging = runs.staging(halted)
    assert (staging / "epoch-2.npz").exists()
    assert epochs_done(staging) == 1
    assert_same_training(fit(halted, sample, resume=True), uninterrupted)


def test_a_kill_after_the_last_epoch(
    folder: Path, sample: Dataset, uninterrupted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(training, "finish", monkeypatch):
        fit(folder, sample)
    assert epochs_done(runs.staging(folder)) == 3
    assert_same_training(fit(folder, sample, resume=True), uninterrupted)


def test_a_kill_between_the_model_and_its_story(
    folder: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(finishing, "_weights_digest", monkeypatch):
        fit(folder, sample, ONE_EPOCH)
    assert (runs.staging(folder) / runs.MODEL).exists()
    assert len(fit(folder, sample, ONE_EPOCH, resume=True).info.history) == 1


@pytest.fixture
def unpublished(folder: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training of ONE_EPOCH, killed when it was finished and had not taken its name."""
    with killed_at(runs, "publish", monkeypatch):
        fit(folder, sample, ONE_EPOCH)
    assert (runs.staging(folder) / runs.INFO).exists()
    assert not folder.exists()
    return folder


def test_a_kill_before_the_finished_run_takes_its_name(
    unpublished: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_interrupted(unpublished)
    with pytest.raises(RunError, match="was interrupted"):
        fit(unpublished, sample, ONE_EPOCH)
    monkeypatch.delattr(Preparation, "fit")
    run = fit(unpublished, sample, ONE_EPOCH, resume=True)
    assert runs.read(unpublished) == run


def test_a_kill_while_the_checkpoints_of_a_finished_run_are_removed(
    folder: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(checkpoints, "discard", monkeypatch):
        fit(folder, sample, ONE_EPOCH)
    (runs.staging(folder) / "epoch-1.npz").unlink()
    fit(folder, sample, ONE_EPOCH, resume=True)
    assert {path.name for path in folder.iterdir()} == {"model.keras", "run.json", "tensorboard"}


def test_a_finished_run_of_another_recipe_is_not_taken_for_this_one(
    unpublished: Path, sample: Dataset
) -> None:
    with pytest.raises(RunError, match=r"another recipe \(epochs 1 → 2\)"):
        fit(unpublished, sample, replace(ONE_EPOCH, epochs=2), resume=True)
    with pytest.raises(RunError, match="began with other data"):
        fit(unpublished, replace(sample, checksums={}), ONE_EPOCH, resume=True)
    assert not unpublished.exists()


# Resuming what cannot be resumed


def test_nothing_to_resume(folder: Path, sample: Dataset) -> None:
    with pytest.raises(RunError, match="there is nothing to resume: train without resume=True"):
        fit(folder, sample, resume=True)


def test_resuming_with_another_recipe_names_the_differences(halted: Path, sample: Dataset) -> None:
    with pytest.raises(RunError, match=r"another recipe \(epochs 3 → 4, learning_rate 0.001 → 0.01\)"):
        fit(halted, sample, replace(TINY, epochs=4, learning_rate=0.01), resume=True)
    assert epochs_done(runs.staging(halted)) == 1


def test_resuming_with_other_data(halted: Path, sample: Dataset) -> None:
    with pytest.raises(RunError, match="began with other data"):
        fit(halted, replace(sample, checksums={}), resume=True)


def flip(path: Path) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 4] ^= 255
    path.write_bytes(damaged)


@pytest.mark.parametrize("damage", [Path.unlink, flip, lambda path: path.write_bytes(b"")])
def test_a_damaged_checkpoint(halted: Path, sample: Dataset, damage: Callable[[Path], None]) -> None:
    damage(runs.staging(halted) / "epoch-1.npz")
    with pytest.raises(RunError, match=r"epoch-1\.npz .*start again with force=True$"):
        fit(halted, sample, resume=True)


def other_arrays(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write a checkpoint anew, as small as it gets, with other arrays in it."""
    with np.load(path) as saved:
        arrays = dict(saved)
    change(arrays)
    np.savez_compressed(path, **arrays)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays: arrays.update({"kept-0": arrays["kept-0"] * np.nan}), "numbers that are not finite"),
        (lambda arrays: arrays.update({"optimizer-2": arrays["optimizer-2"] + np.inf}), "not finite"),
        (lambda arrays: arrays.update({"kept-0": np.zeros((1 << 14, 1 << 14), np.int8)}), "not float32"),
        (lambda arrays: arrays.update({"kept-1": np.array([None] * 32)}), "not float32"),
        (lambda arrays: arrays.pop("kept-3"), "kept-3"),
    ],
    ids=["no numbers", "infinite", "too many", "objects", "one is missing"],
)
def test_a_checkpoint_of_other_arrays(
    halted: Path, sample: Dataset, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    other_arrays(runs.staging(halted) / "epoch-1.npz", change)
    with pytest.raises(
        RunError, match=rf"epoch-1\.npz is damaged \(.*{reason}.*\): start again with force=True"
    ):
        fit(halted, sample, resume=True)


@pytest.mark.parametrize(
    "damage",
    [
        *("", "[]", "{}", "[" * 100_000, '{"history": 1e999}'),
        {"history": 5},
        {"history": [{}]},
        {"history": [{"val_accuracy": "high", "seconds": 1}]},
        {"seconds": None},
        {"seconds": -1},
        {"recipe": []},
        {"recipe": {"model": 1}},
        {"best_epoch": 2},
        {"batch": 4},
        {"batch": -1},
    ],
    ids=lambda damage: str(damage)[:30],
)
def test_a_damaged_state(halted: Path, sample: Dataset, damage: str | dict[str, Any]) -> None:
    path = runs.staging(halted) / "progress.json"
    whole = json.loads(path.read_text())
    path.write_text(damage if isinstance(damage, str) else json.dumps({**whole, **damage}))
    assert is_interrupted(halted) in (True, False)
    with pytest.raises(RunError, match=r"progress\.json .*: start again with force=True$"):
        fit(halted, sample, resume=True)


def test_folders_among_the_checkpoints_are_in_nobodys_way(halted: Path, sample: Dataset) -> None:
    for name in (".d", "epoch-9.npz"):
        (runs.staging(halted) / name).mkdir()
    assert fit(halted, sample, resume=True).folder == halted


# What does not learn


@pytest.mark.parametrize("rate", [1e12, 1e30])
def test_a_training_that_diverges_is_no_run(folder: Path, sample: Dataset, rate: float) -> None:
    with pytest.raises(Diverged, match=r"diverged in epoch 1 \(loss .*, and no run was kept: "):
        fit(folder, sample, replace(TINY, learning_rate=rate))
    assert not folder.exists()
    assert not runs.staging(folder).exists()


def test_a_training_that_diverges_later_keeps_its_last_good_checkpoint(halted: Path, sample: Dataset) -> None:
    def huge(arrays: dict[str, Any]) -> None:
        arrays["kept-0"] = np.full_like(arrays["kept-0"], 1e30)

    other_arrays(runs.staging(halted) / "epoch-1.npz", huge)
    with pytest.raises(Diverged, match="diverged in epoch 2"):
        fit(halted, sample, resume=True)
    assert not halted.exists()
    assert epochs_done(runs.staging(halted)) == 1


@pytest.mark.parametrize("more", [(), ("--seeds", "2")])
def test_a_training_that_diverged_ends_with_exit_code_1(
    sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    options = ["--set", "learning_rate=1e30", "--limit", "100", "--epochs", "2", "--runs", str(tmp_path)]
    with pytest.raises(SystemExit) as stopped:
        main(["train", *options, *more, "--data", str(sample_folder)])
    lines = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 1
    assert lines[-1].startswith("edgefashion: the training of cnn diverged in epoch 1 (")
    assert not any("next:" in line for line in lines)
    assert not any(path.is_dir() for path in tmp_path.iterdir())


# What cannot be done as asked


def test_weights_that_do_not_fit_leave_no_trace(
    folder: Path, sample: Dataset, tmp_path: Path, short: None
) -> None:
    (tmp_path / "weights.h5").write_bytes(b"no weights")
    recipe = replace(RECIPES["mobilenetv2"], limit=20, weights=str(tmp_path / "weights.h5"))
    with pytest.raises(BadInput, match="does not hold the weights of MobileNetV2"):
        fit(folder, sample, recipe)
    assert not folder.exists()
    assert not runs.staging(folder).exists()


def test_weights_that_do_not_fit_cost_no_interrupted_training(
    halted: Path, sample: Dataset, short: None
) -> None:
    recipe = replace(RECIPES["mobilenetv2"], limit=20, weights=str(halted / "none.h5"))
    with pytest.raises(BadInput, match="does not exist"):
        fit(halted, sample, recipe, force=True)
    assert epochs_done(runs.staging(halted)) == 1


def seeing(gpus: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = [tf.config.PhysicalDevice(name, "GPU") for name in gpus]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: found)
    details = {"device_name": "Some GPU"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)


def test_a_gpu_that_is_not_there(folder: Path, sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    seeing([], monkeypatch)
    with pytest.raises(BadInput, match=r"sees no GPU: .*pip install .*\[gpu\].*train with hardware='cpu'"):
        fit(folder, sample, hardware="gpu")
    assert not runs.staging(folder).exists()


@pytest.mark.parametrize("hardware", [None, "cpu", "gpu"])
def test_mixed_precision_needs_a_gpu(hardware: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    seeing([], monkeypatch)
    with pytest.raises(BadInput, match="mixed_precision needs a GPU, and none is used here"):
        select_hardware(hardware, mixed_precision=True)


def test_mixed_precision_is_not_for_a_processor_beside_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    seeing(["GPU:0"], monkeypatch)
    with pytest.raises(BadInput, match="mixed_precision needs a GPU, and none is used here"):
        select_hardware("cpu", mixed_precision=True)


def in_use(*_: Any) -> None:
    raise RuntimeError("cannot be modified after being initialized")


def test_a_gpu_that_an_export_in_this_process_has_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory growth cannot be set any more, and it can be used all the same."""
    seeing(["GPU:0"], monkeypatch)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", in_use)
    assert select_hardware(None, mixed_precision=True) == "GPU: Some GPU"


def test_a_gpu_that_cannot_be_left_alone_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    seeing(["GPU:0"], monkeypatch)
    monkeypatch.setattr(tf.config, "set_visible_devices", in_use)
    with pytest.raises(BadInput, match="GPU is in use already"):
        select_hardware("cpu")


def test_one_of_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    seeing(["GPU:0", "GPU:1"], monkeypatch)
    shown: list[list[Any]] = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda gpus, kind: shown.append(gpus))
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grow: None)
    assert select_hardware("gpu") == "2 GPUs: Some GPU, Some GPU"
    assert select_hardware("gpu:1") == "GPU: Some GPU"
    assert [[gpu.name for gpu in gpus] for gpus in shown] == [["GPU:1"]]
    with pytest.raises(BadInput, match="sees no GPU 2, but 0 to 1"):
        select_hardware("gpu:2")
    with pytest.raises(BadInput, match="hardware is one of"):
        select_hardware("gpu:x")


# A full disk


def full_from(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full from this fsync on: 1 the empty state, 3 epoch 1, 5 its record, 7 epoch 2, ...; the
    even ones are those of the folder.
    """
    real, calls = os.fsync, iter(range(1, 100))

    def fsync(descriptor: int) -> None:
        if next(calls) >= call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize(("call", "name"), [(7, "epoch-2.npz"), (9, "progress.json"), (15, "model.keras")])
def test_a_disk_that_fills_keeps_the_last_good_checkpoint(
    folder: Path,
    sample: Dataset,
    uninterrupted: Run,
    call: int,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staging = runs.staging(folder)
    with monkeypatch.context() as patch:
        full_from(call, patch)
        with pytest.raises(OutputError, match=f"cannot write {staging / name}: No space left on device"):
            fit(folder, sample)
    assert not list(staging.glob(".*"))
    assert epochs_done(staging) == (3 if name == "model.keras" else 1)
    assert_same_training(fit(folder, sample, resume=True), uninterrupted)


# Mixed precision, without the GPU it is for


@pytest.fixture
def mixed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    monkeypatch.setattr(training, "select_hardware", lambda *_: "CPU")
    yield replace(TINY, epochs=2, limit=20, batch_size=10, mixed_precision=True)
    keras.mixed_precision.set_global_policy("float32")


def test_a_model_trained_in_mixed_precision_is_kept_in_float32(
    folder: Path, sample: Dataset, mixed: Recipe, stopped: Callable[..., Any]
) -> None:
    with stopped():
        fit(folder, sample, mixed)
    with np.load(runs.staging(folder) / "epoch-1.npz") as saved:
        halted = dict(saved)
    assert halted["scale-0"] > 1
    assert {array.dtype.kind for array in halted.values()} == {"f", "i"}
    run = fit(folder, sample, mixed, resume=True)
    model = keras.models.load_model(run.model_path)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert {weight.dtype for weight in model.get_weights()} == {np.dtype("float32")}
    assert keras.mixed_precision.global_policy().name == "float32"


# What one sees


def test_a_training_tells_who_asks_and_prints_nothing(
    folder: Path, sample: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    seen: list[tuple[str, int, int]] = []
    train(replace(TINY, epochs=2), sample, folder, report=lines.append, progress=lambda *at: seen.append(at))
    first, second = (line for line in lines if line.startswith("epoch "))
    assert first.startswith("epoch 1/2: loss ")
    assert "validation accuracy" in first
    assert first.endswith(" left")
    assert second.startswith("epoch 2/2: loss ")
    assert seen[-1][0].startswith("epoch 2/2, ") and seen[-1][1] == seen[-1][2]
    assert capfd.readouterr() == ("", "")
