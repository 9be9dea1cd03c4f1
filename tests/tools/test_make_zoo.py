import json
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from msgspec import structs

from edgefashion import zoo
from edgefashion.data import Dataset
from edgefashion.errors import BadInput, RunError
from edgefashion.training import lineage, runs
from edgefashion.training.runs import Run

TOOL = Path(__file__).parents[2] / "tools/make_zoo"


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the tool."""
    monkeypatch.syspath_prepend(TOOL.parent)
    return import_module("zoo_making")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def copied(exported: Run, tmp_path: Path) -> Run:
    """The exported run, in a folder that may be changed."""
    return runs.read(shutil.copytree(exported.folder, tmp_path / "runs/again"))


def test_twice_the_same_bytes_and_nothing_of_before(
    exported: Run, zoo_folder: Path, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    made = making.make(tmp_path, [exported], sample)
    assert contents(tmp_path) == contents(zoo_folder)
    former = tmp_path / "former.tflite"
    former.touch()
    (tmp_path / "readme.txt").touch()
    made.info.files["former.tflite"] = "of before"
    (tmp_path / "zoo.json").write_text(json.dumps(made.info.to_dict()))
    making.make(tmp_path, [exported], sample)
    assert contents(tmp_path) == {**contents(zoo_folder), "readme.txt": b""}


def test_it_tells_of_the_training_and_of_no_machine(exported: Run, zoo_folder: Path) -> None:
    (story,) = zoo.open_zoo(zoo_folder).runs("cnn")
    assert story.id == exported.id
    assert story.recipe == exported.recipe
    assert story.validation_accuracy == exported.info.validation_accuracy
    assert str(exported.folder.parent) not in (zoo_folder / "zoo.json").read_text()
    assert not {"device", "history"} & story.to_dict().keys()


def test_the_run_that_it_was_fine_tuned_from_and_its_teacher_are_told_of_too(copied: Run) -> None:
    def tuned(**parents: str) -> Run:
        recipe = replace(copied.recipe, **parents)
        info = structs.replace(copied.info, id="another", recipe=recipe)
        return Run(copied.folder.with_name("tuned"), info)

    own = tuned(base_run_id=copied.id)
    assert lineage.lineage(own) == [own, copied]
    own = tuned(base_run_id="gone")
    assert lineage.lineage(own) == [own]
    own = tuned(base_run_id="gone", teacher_id=copied.id)
    assert lineage.lineage(own) == [own, copied]
    own = tuned(base_run_id=copied.id, teacher_id=copied.id)
    assert lineage.lineage(own) == [own, copied]


def test_what_taught_it_is_told_of_where_the_shipped_zoo_does(
    exported: Run,
    copied: Run,
    zoo_folder: Path,
    sample: Dataset,
    tmp_path: Path,
    making: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As that of a model which learned from one of the zoo, whose place it takes."""
    monkeypatch.setenv("EDGEFASHION_ZOO", str(zoo_folder))
    info = copied.info.to_dict()
    taught = {**info["recipe"], "teacher": "zoo:cnn", "teacher_id": exported.id, "distillation": 0.5}
    (told,) = zoo.open_zoo(zoo_folder).runs("cnn")
    found = making._with_shipped([{**info, "id": "another", "recipe": taught}])
    assert [story["id"] for story in found] == ["another", exported.id]
    assert found[0]["recipe"]["teacher"] == told.name and found[1] == told.to_dict()
    two = {**taught, "other_teachers": ["zoo:x", "r/y"], "other_teacher_ids": [exported.id, "gone"]}
    assert making._with_shipped([{**info, "recipe": two}])[0]["recipe"]["other_teachers"] == [
        told.name,
        "r/y",
    ]
    twice = making.Model("cnn", [], [{**story, "name": "cnn"} for story in found])
    with pytest.raises(BadInput, match="two trainings of cnn are called cnn: rename the run"):
        making._check([twice])


def test_a_run_that_was_renamed_has_its_new_name(
    copied: Run, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    (story,) = making.make(tmp_path / "zoo", [copied], sample).runs("cnn")
    assert story.name == copied.folder.name != copied.info.name


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_run_without_an_int8_file(
    suffix: str, copied: Run, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    (copied.artifacts / f"cnn-int8{suffix}").unlink()
    with pytest.raises(
        RunError, match=f"again has 0 int8 {suffix[1:]} files of its model: .* edgefashion export"
    ):
        making.make(tmp_path / "zoo", [copied], sample)
    assert not (tmp_path / "zoo").exists()


def test_two_runs_of_one_architecture(
    exported: Run, copied: Run, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    with pytest.raises(BadInput, match="two models are of the architecture cnn: choose one"):
        making.make(tmp_path / "zoo", [exported, copied], sample)


def test_models_that_are_too_large(
    exported: Run, sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, making: ModuleType
) -> None:
    monkeypatch.setattr(making, "MOST_BYTES", 100_000)
    with pytest.raises(BadInput, match="bytes together, and may have 100,000"):
        making.make(tmp_path / "zoo", [exported], sample)
    assert not (tmp_path / "zoo").exists()


def test_a_shipped_model_is_kept_to_the_byte(
    exported: Run, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    made, shipped = making.make(tmp_path, [exported], sample, ["cnn-64k"]), zoo.open_zoo()
    assert made.names == ["cnn-64k", "cnn"]
    assert made.runs("cnn-64k") == shipped.runs("cnn-64k")
    for own, other in zip(made.artifacts("cnn-64k"), shipped.artifacts("cnn-64k"), strict=True):
        assert own.path.read_bytes() == other.path.read_bytes()
        assert own.manifest == other.manifest


def test_of_a_shipped_model_all_files_are_kept_by_whichever_it_is_named(
    exported: Run, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    file = zoo.open_zoo().artifacts("cnn-16k")[0].path.name
    made = making.make(tmp_path, [exported], sample, [f"zoo:{file}"])
    assert len(made.artifacts("cnn-16k")) == 2


def of_model(run: Run, model: str) -> Run:
    """The same, said to be of another architecture."""
    return Run(run.folder, structs.replace(run.info, recipe=replace(run.recipe, model=model)))


def test_a_later_version_of_an_architecture_takes_its_name(
    copied: Run, sample: Dataset, making: ModuleType
) -> None:
    later = making._trained(of_model(copied, "cnn-v2"), sample)
    assert later.name == "cnn"
    with pytest.raises(BadInput, match="two models are of the architecture cnn"):
        making._check([later, making._trained(copied, sample)])


def test_two_models_whose_files_have_one_name(
    exported: Run, copied: Run, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    with pytest.raises(BadInput, match=r"two models have a file cnn-int8.onnx: call one of the runs"):
        making.make(tmp_path / "zoo", [exported, of_model(copied, "cnn-1m")], sample)
    assert not (tmp_path / "zoo").exists()


def test_models_for_another_task_than_the_data(
    exported: Run, sample: Dataset, other: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    with pytest.raises(BadInput, match=f"trained on Fashion-MNIST, and the data here are {other.task.name}"):
        making.make(tmp_path / "zoo", [exported], other)
    with pytest.raises(
        BadInput, match=f"zoo:cnn-16k is for Fashion-MNIST, and the data are {other.task.name}"
    ):
        making.make(tmp_path / "zoo", [], other, ["cnn-16k"])
    assert not (tmp_path / "zoo").exists()


def test_the_file_of_another_model_in_the_folder_of_a_run(
    copied: Run, sample: Dataset, tmp_path: Path, making: ModuleType
) -> None:
    retrained = Run(copied.folder, structs.replace(copied.info, id="another"))
    with pytest.raises(RunError, match="again has 0 int8 tflite files of its model"):
        making.make(tmp_path / "zoo", [retrained], sample)


def test_what_was_there_is_whole_until_the_new_is(
    exported: Run, sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, making: ModuleType
) -> None:
    making.make(tmp_path, [exported], sample, ["cnn-16k"])

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(making.files, "write_text", stop)
        making.make(tmp_path, [exported], sample)
    assert zoo.open_zoo(tmp_path).all_artifacts()


def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True)


def test_the_tool_makes_the_same(
    exported: Run, zoo_folder: Path, sample_folder: Path, tmp_path: Path
) -> None:
    done = tool(exported.folder, "-o", tmp_path, "--data", sample_folder)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path) == contents(zoo_folder)
    assert f"{(tmp_path / 'cnn-int8.onnx').stat().st_size:,}  zoo:cnn  " in done.stdout


def test_the_tool_ships_no_small_run(exported: Run, sample_folder: Path) -> None:
    done = tool(exported.folder, "--data", sample_folder)
    assert done.returncode == 1
    assert "cnn is of a part of the data, and is not shipped" in done.stderr
