"""Run folders: reading and finding them, replacing one, and what a kill at any moment leaves."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from edgefashion import files
from edgefashion.data import FASHION_MNIST
from edgefashion.errors import OutputError, RunError
from edgefashion.recipes import RECIPES
from edgefashion.training import lineage, runs
from edgefashion.training.runs import Run

DATA = {
    "name": "Fashion-MNIST",
    "complete": True,
    "checksums": {},
    "counts": {"train": 60_000, "test": 10_000},
}


def make(folder: Path, content: str = "a model") -> Path:
    """A run with no more in it than reading one asks for."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / runs.MODEL, content)
    digest = files.sha256(folder / runs.MODEL)
    info = {
        "schema": runs.SCHEMA,
        "name": folder.name,
        "id": digest[:12],
        "recipe": RECIPES["cnn"].as_dict(),
        "model": {"sha256": digest},
        "data": DATA,
        "small_run": True,
        "validation_accuracy": 0.5,
    }
    files.write_json(folder / runs.INFO, info)
    return folder


def content(run: Run) -> str:
    return run.model_path.read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cnn"


def test_a_run_has_the_task_it_was_trained_for(folder: Path) -> None:
    info = json.loads((make(folder) / runs.INFO).read_text())
    assert runs.read(folder).task == FASHION_MNIST
    task = replace(FASHION_MNIST, name="other")
    files.write_json(folder / runs.INFO, {**info, "task": task.to_dict()})
    assert runs.read(folder).task == task
    files.write_json(folder / runs.INFO, {**info, "task": task.to_dict() | {"classes": ["a", "a"]}})
    with pytest.raises(RunError, match="two classes of one name"):
        runs.read(folder)


def test_a_run_knows_its_parts(folder: Path) -> None:
    run = runs.read(make(folder))
    assert (run.name, run.small_run) == ("cnn", True)
    assert run.id == files.sha256(folder / "model.keras")[:12]
    assert run.model_path == folder / "model.keras"
    assert run.artifacts == folder / "artifacts"


def refusal(folder: Path) -> str:
    with pytest.raises(RunError) as refused:
        runs.read(folder)
    return str(refused.value)


def test_a_run_that_is_not_there(folder: Path) -> None:
    assert refusal(folder) == f"there is no run {folder}: make it with edgefashion train --model cnn"


def test_a_file_in_the_place_of_a_run(folder: Path) -> None:
    folder.write_text("in the way")
    assert refusal(folder).startswith(f"there is no run {folder}")


@pytest.mark.parametrize("name", [runs.INFO, runs.MODEL])
def test_a_run_without_one_of_its_files(folder: Path, name: str) -> None:
    (make(folder) / name).unlink()
    assert f"{folder} has no {name}" in refusal(folder)


def test_a_flipped_bit_in_the_model(folder: Path) -> None:
    model = make(folder) / runs.MODEL
    flipped = bytearray(model.read_bytes())
    flipped[3] ^= 1
    model.write_bytes(flipped)
    message = refusal(folder)
    assert message.startswith(f"{model} is damaged: SHA-256 {files.sha256(model)[:12]}")
    assert message.endswith("train again with edgefashion train --force")


@pytest.mark.parametrize("damage", [b"", b"{", b"[1, 2]", b'"text"', b"null", b"\xff\xfe", b'{"model": 1}'])
def test_a_damaged_info_file(folder: Path, damage: bytes) -> None:
    (make(folder) / runs.INFO).write_bytes(damage)
    assert refusal(folder).startswith(f"{folder / runs.INFO} is damaged")


def test_an_info_file_that_lacks_fields(folder: Path) -> None:
    info = json.loads((make(folder) / runs.INFO).read_text())
    del info["recipe"], info["data"]
    (folder / runs.INFO).write_text(json.dumps(info))
    assert "it lacks" in refusal(folder)


@pytest.mark.parametrize("told", [{"best_epoch": 10**15}, {"history": [{}] * 1000}])
def test_an_info_file_of_more_epochs_than_its_recipe_has(folder: Path, told: dict[str, Any]) -> None:
    info = json.loads((make(folder) / runs.INFO).read_text())
    (folder / runs.INFO).write_text(json.dumps({**info, **told}))
    assert f"more than the {info['recipe']['epochs']} epochs of its recipe" in refusal(folder)


def test_runs_are_found_by_name_and_unfinished_ones_are_not(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden", ".a.training"):
        make(tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "run.json").write_text("{}")
    assert runs.find(tmp_path) == [tmp_path / "a", tmp_path / "b"]


def test_no_folder_of_runs_is_no_runs(tmp_path: Path) -> None:
    assert runs.find(tmp_path / "runs") == []


def test_a_finished_training_takes_its_name(folder: Path) -> None:
    make(runs.staging(folder), "new")
    with runs.lock(folder):
        run = runs.publish(folder)
    assert (run.folder, content(run)) == (folder, "new")
    assert run.info == runs.read(folder).info
    assert not runs.staging(folder).exists()


def test_an_older_run_is_replaced_as_a_whole(folder: Path) -> None:
    (make(folder, "old") / "artifacts").mkdir()
    make(runs.staging(folder), "new")
    with runs.lock(folder):
        runs.publish(folder)
    assert content(runs.read(folder)) == "new"
    assert not (folder / "artifacts").exists()
    assert {path.name for path in folder.parent.iterdir()} == {"cnn", ".cnn.lock"}


def test_a_damaged_training_replaces_nothing(folder: Path) -> None:
    """Its files may have been removed in part by another training that began with --force and was killed."""
    make(folder, "old")
    (make(runs.staging(folder), "new") / runs.MODEL).unlink()
    with pytest.raises(RunError, match=r"training has no model\.keras"), runs.lock(folder):
        runs.publish(folder)
    assert content(runs.read(folder)) == "old"


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@pytest.fixture
def half_published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose replacement was killed between the two renames."""
    make(folder, "old")
    make(runs.staging(folder), "new")
    rename = Path.rename

    def killed_at_the_second(path: Path, target: Path) -> Path:
        if path == runs.staging(folder):
            raise Killed
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed_at_the_second)
        with pytest.raises(Killed), runs.lock(folder):
            runs.publish(folder)
    assert not folder.exists()
    return folder


def test_a_kill_between_the_renames_leaves_the_old_run_to_read(half_published: Path) -> None:
    assert content(runs.read(half_published)) == "old"
    assert content(runs.read(runs.staging(half_published))) == "new"


def test_a_kill_between_the_renames_leaves_the_old_run_to_find(half_published: Path) -> None:
    assert runs.find(half_published.parent) == [half_published]


def test_a_kill_between_the_renames_can_be_published_again(half_published: Path) -> None:
    with runs.lock(half_published):
        runs.publish(half_published)
    assert content(runs.read(half_published)) == "new"
    assert {path.name for path in half_published.parent.iterdir()} == {"cnn", ".cnn.lock"}


def test_who_trains_again_after_a_kill_keeps_the_old_run_readable(half_published: Path) -> None:
    with runs.lock(half_published):
        assert content(runs.read(half_published)) == "old"


def test_a_kill_while_the_older_run_is_removed(folder: Path) -> None:
    make(folder, "new")
    left = folder.with_name(".cnn.replaced")
    (make(left, "old") / runs.MODEL).unlink()
    assert content(runs.read(folder)) == "new"
    assert not left.exists()


def test_what_a_kill_left_of_an_older_run_is_not_in_the_way_of_the_next(folder: Path) -> None:
    make(folder, "old")
    make(folder.with_name(".cnn.replaced"), "older")
    make(runs.staging(folder), "new")
    with runs.lock(folder):
        runs.publish(folder)
    assert content(runs.read(folder)) == "new"


@pytest.fixture
def other_process(folder: Path) -> Iterator[None]:
    """Holds the lock of the run."""
    program = (
        "import sys; from pathlib import Path; from edgefashion.training import runs\n"
        "with runs.lock(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


def test_one_process_at_a_time_may_change_a_run(folder: Path, other_process: None) -> None:
    with pytest.raises(RunError, match="is being trained by another process"), runs.lock(folder):
        pytest.fail("both have the lock")


def test_a_run_can_be_read_while_another_process_replaces_it(folder: Path, other_process: None) -> None:
    make(folder, "old")
    make(folder.with_name(".cnn.replaced"), "older")
    assert content(runs.read(folder)) == "old"
    assert runs.find(folder.parent) == [folder]


def test_the_lock_is_free_again_after_an_error(folder: Path) -> None:
    with pytest.raises(Killed), runs.lock(folder):
        raise Killed
    with runs.lock(folder):
        pass


def test_a_folder_of_runs_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"), runs.lock(tmp_path / "file/runs/cnn"):
        pytest.fail("there is no such folder")


def test_a_run_can_be_read_where_nothing_can_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    make(folder, "new")
    shutil.copytree(folder, folder.with_name(".cnn.replaced"))
    monkeypatch.setattr(FileLock, "acquire", read_only)
    assert content(runs.read(folder)) == "new"


@pytest.mark.parametrize("key", ["base_run_id", "teacher_id"])
@pytest.mark.parametrize("id", ["../../x", "0123456789abc", "0123456789AB", "", "\x1b[2J"])
def test_another_run_is_named_by_an_id(folder: Path, key: str, id: str) -> None:
    info = json.loads((make(folder) / runs.INFO).read_text())
    files.write_json(folder / runs.INFO, {**info, "recipe": {**info["recipe"], key: id}})
    message = refusal(folder)
    assert message.isprintable()
    assert "the id of a run is 12 hexadecimal digits" in message


def test_a_damaged_neighbor_is_nothing_to_a_run(folder: Path) -> None:
    make(folder)
    (make(folder.with_name("other"), "other") / runs.MODEL).write_text("damaged")
    (make(folder.with_name("another"), "another") / runs.INFO).write_text("{")
    run = runs.read(folder)
    assert lineage.lineage(run) == [run]


def test_a_run_of_a_later_version_asks_for_an_update(folder: Path) -> None:
    info = json.loads((make(folder) / runs.INFO).read_text())
    files.write_json(folder / runs.INFO, {**info, "schema": 9})
    assert "has schema 9 and this edgefashion reads up to 1: update edgefashion" in refusal(folder)
    files.write_json(folder / runs.INFO, {**info, "schema": 0})
    assert "has schema 0, and the first is 1" in refusal(folder)
    del info["schema"]
    files.write_json(folder / runs.INFO, info)
    assert runs.read(folder).id == info["id"]
