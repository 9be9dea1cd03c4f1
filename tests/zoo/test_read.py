import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from edgefashion import zoo
from edgefashion.artifacts import artifact
from edgefashion.data import FASHION_MNIST, Dataset, stratified_sample
from edgefashion.errors import ZooError
from edgefashion.report.compare import read
from edgefashion.zoo.read import INFO, SAMPLE

IMAGES, MOST_BYTES = 500, 900_000
"""Of what is shipped."""


@pytest.fixture
def copy(zoo_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(zoo_folder, tmp_path / "copy")


def test_what_comes_along_is_an_int8_file_of_each_format(along: Path) -> None:
    found = zoo.open_zoo()
    assert found.names == ["cnn"]
    artifacts = found.artifacts("zoo:cnn")
    assert [(each.format, each.precision) for each in artifacts] == [("tflite", "int8"), ("onnx", "int8")]
    assert artifacts == found.artifacts("cnn") == found.all_artifacts()
    assert all(zoo.is_shipped(each) for each in artifacts)
    assert zoo.display_name(artifacts[0]) == "zoo:cnn-int8.tflite"


def test_an_artifact_from_elsewhere_is_called_by_its_path(along: Path) -> None:
    path = Path(__file__).parents[1] / "files/models/tiny-int8.tflite"
    assert zoo.display_name(artifact.inspect(path)) == str(path)


def test_the_sample_is_that_of_evaluate_limit(along: Path, sample: Dataset) -> None:
    found, same = zoo.open_zoo().sample(), stratified_sample(sample.test, 400, seed=0)
    assert np.array_equal(found.test.images, same.images)
    assert np.array_equal(found.test.labels, same.labels)
    whole = sample.describe()
    assert found.describe() == structs.replace(whole, source="the sample that comes with edgefashion")


@pytest.mark.parametrize(("wanted", "said"), [("cnm", "did you mean cnn"), ("zoo:what", "Choose from cnn")])
def test_an_unknown_model(wanted: str, said: str, along: Path) -> None:
    with pytest.raises(ZooError, match=f"unknown model zoo:.*{said}"):
        zoo.open_zoo().artifacts(wanted)


def test_the_best_is_that_of_validation_or_the_largest_where_one_learned_from_that(tmp_path: Path) -> None:
    told = json.loads((zoo.open_zoo().folder / INFO).read_text())
    small, large = (told["models"][name]["runs"][0] for name in ("cnn-16k", "cnn-256k"))
    told["models"] = {name: told["models"][name] for name in ("cnn-16k", "cnn-256k")}
    small["validation_accuracy"], large["validation_accuracy"] = 0.99, 0.95
    for learned, best, why in (
        (False, "cnn-16k", "the most accurate on validation images (99.00%)"),
        (True, "cnn-256k", "the largest"),
    ):
        small["recipe"]["use_validation"], large["recipe"]["use_validation"] = learned, False
        (tmp_path / INFO).write_text(json.dumps(told))
        assert zoo.open_zoo(tmp_path).best() == (best, why)


@pytest.mark.parametrize("name", ["cnn-int8.tflite", "cnn-int8.onnx.json", SAMPLE])
@pytest.mark.parametrize("damage", ["changed", "truncated", "gone", "unlisted"])
def test_a_damaged_file_is_named_whenever_it_is_used(name: str, damage: str, copy: Path) -> None:
    path = copy / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "unlisted":
        info = json.loads((copy / INFO).read_text())
        del info["files"][name]
        (copy / INFO).write_text(json.dumps(info))
    else:
        path.write_bytes(content[:-1] + (bytes([content[-1] ^ 1]) if damage == "changed" else b""))
    found = zoo.open_zoo(copy)
    with pytest.raises(ZooError, match=f"{name}, which comes with edgefashion, is damaged .*reinstall"):
        found.sample() if name == SAMPLE else found.artifacts("cnn")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": 1, "models": {}}'])
def test_a_damaged_list(content: str, copy: Path) -> None:
    (copy / INFO).write_text(content)
    with pytest.raises(ZooError, match=r"zoo\.json, which comes with edgefashion, is damaged, .*reinstall"):
        zoo.open_zoo(copy)


def test_a_list_of_a_later_version(copy: Path) -> None:
    (copy / INFO).write_text('{"schema": 2, "models": {}}')
    with pytest.raises(ZooError, match="has schema 2 and this edgefashion reads up to 1: update edgefashion"):
        zoo.open_zoo(copy)


def test_a_list_of_no_version(copy: Path) -> None:
    (copy / INFO).write_text('{"schema": 0, "models": {}}')
    with pytest.raises(ZooError, match="has schema 0, and the first is 1"):
        zoo.open_zoo(copy)


def test_no_models_come_along(nothing_along: None) -> None:
    assert not zoo.present()
    with pytest.raises(ZooError, match="this edgefashion comes without models"):
        zoo.open_zoo()


def test_what_is_shipped_is_whole_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEFASHION_ZOO", raising=False)
    shipped = zoo.open_zoo()
    artifacts = shipped.all_artifacts()
    assert not any(each.small_run for each in artifacts)
    assert sum(each.path.stat().st_size for each in artifacts) <= MOST_BYTES
    assert len(shipped.sample().test) == IMAGES
    assert set(np.bincount(shipped.sample().test.labels)) == {IMAGES // 10}


SAMPLES: dict[str, Callable[[dict[str, np.ndarray]], bytes]] = {
    "one that swells": lambda arrays: npz(**arrays | {"images": np.zeros((500, 28, 28, 1000), np.uint8)}),
    "an object": lambda arrays: npz(**arrays | {"labels": np.array([{}] * 500)}),
    "other shapes": lambda arrays: npz(**arrays | {"labels": arrays["labels"][:3]}),
    "other labels": lambda arrays: npz(**arrays | {"labels": arrays["labels"] + 9}),
    "nothing": lambda arrays: npz(),
    "no zip": lambda arrays: b"PK",
}


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_sample_that_another_made_is_no_more_than_it_may_be(kind: str, tmp_path: Path) -> None:
    folder = shutil.copytree(Path(zoo.__file__).parent, tmp_path / "zoo")
    with np.load(folder / SAMPLE) as arrays:
        content = SAMPLES[kind](dict(arrays))
    info = json.loads((folder / "zoo.json").read_text())
    info["files"][SAMPLE] = hashlib.sha256(content).hexdigest()
    (folder / "zoo.json").write_text(json.dumps(info))
    (folder / SAMPLE).write_bytes(content)
    with pytest.raises(ZooError, match=r"sample\.npz, which comes with edgefashion, is damaged"):
        zoo.open_zoo(folder).sample()


def test_the_models_are_for_the_task_that_the_list_names(zoo_folder: Path, sample: Dataset) -> None:
    assert zoo.open_zoo(zoo_folder).task == sample.task
    assert json.loads((zoo_folder / INFO).read_text())["task"] == sample.task.to_dict()


def test_an_older_list_names_no_task_and_is_of_fashion_mnist(copy: Path) -> None:
    info = json.loads((copy / INFO).read_text())
    del info["task"]
    (copy / INFO).write_text(json.dumps(info))
    assert zoo.open_zoo(copy).sample().task == FASHION_MNIST


def test_a_list_with_a_damaged_task(copy: Path) -> None:
    info = json.loads((copy / INFO).read_text())
    info["task"]["classes"] = ["one"]
    (copy / INFO).write_text(json.dumps(info))
    with pytest.raises(ZooError, match=r"damaged, .*reinstall"):
        zoo.open_zoo(copy)


def test_a_sample_of_another_task_is_of_its_shape_and_classes(
    other: Dataset, zoo_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(zoo_folder, tmp_path / "zoo")
    info = json.loads((folder / INFO).read_text()) | {"task": other.task.to_dict()}
    content = npz(images=other.test.images, labels=other.test.labels)
    (folder / SAMPLE).write_bytes(content)
    info["files"][SAMPLE] = hashlib.sha256(content).hexdigest()
    info["sample"]["images"] = len(other.test)
    (folder / INFO).write_text(json.dumps(info))
    found = zoo.open_zoo(folder).sample()
    assert found.task == other.task
    assert np.array_equal(found.test.images, other.test.images)


def test_the_picture_beside_the_zoo_is_of_what_is_shipped() -> None:
    """Its results file has rows of these very files, on all test images."""
    shipped = {each.sha256 for each in zoo.open_zoo().all_artifacts()}
    found = read(Path(zoo.__file__).with_name("accuracy-and-latency.json"))
    own = [row for row in found.rows if row.sha256 in shipped]
    assert len(own) == len(shipped) == 6
    assert all(row.accuracy and row.images == 10_000 for row in own)
