"""What a model file is for: written by this version, by an older one, by somebody, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from edgefashion.artifacts import artifact
from edgefashion.data import FASHION_MNIST, Picture, Task
from edgefashion.errors import ArtifactError

SIGNS = Task("signs", (20, 32, 3), ("stop", "go"), Picture("crop", (255, 255, 255), (0, 0, 0)))
MODELS = Path(__file__).parents[1] / "files/models"
OLD_INPUT = {"name": "image", "dtype": "uint8", "shape": ["N", 28, 28, 1], "values": "raw pixels, 0 to 255"}


def exported(folder: Path, **more: Any) -> artifact.Artifact:
    known = {"run": "tiny", "run_id": "r", "small_run": False, "precision": "float32"}
    path = folder / "own.tflite"
    artifact.save(path, (MODELS / "tiny-float32.tflite").read_bytes(), known | more)
    return artifact.read(path)


def test_a_file_says_what_it_is_for(tmp_path: Path) -> None:
    assert exported(tmp_path, task=SIGNS.to_dict()).task == SIGNS


def test_an_older_manifest_is_of_fashion_mnist_by_its_classes_and_images(tmp_path: Path) -> None:
    labels = list(FASHION_MNIST.classes)
    assert exported(tmp_path, input=OLD_INPUT, labels=labels).task == FASHION_MNIST


def test_an_older_manifest_of_other_classes_is_of_the_data_set_it_names(tmp_path: Path) -> None:
    found = exported(tmp_path, input=OLD_INPUT, labels=["0", "1"], data={"name": "digits"}).task
    assert found
    assert (found.name, found.image_shape, found.classes) == ("digits", (28, 28, 1), ("0", "1"))


@pytest.mark.parametrize("more", [{}, {"labels": ["a", "b"]}, {"input": OLD_INPUT}])
def test_what_says_too_little_has_no_task(more: dict[str, Any], tmp_path: Path) -> None:
    assert exported(tmp_path, **more).task is None


def test_a_task_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="two classes of one name"):
        exported(tmp_path, task=SIGNS.to_dict() | {"classes": ["stop", "stop"]})


def test_beside_a_task_no_other_classes_and_images_count(tmp_path: Path) -> None:
    found = exported(tmp_path, task=SIGNS.to_dict(), labels=["0", "1", "2"], input=OLD_INPUT)
    assert (found.labels, found.image_shape) == (SIGNS.classes, SIGNS.image_shape)
