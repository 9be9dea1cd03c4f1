"""What is sent along with a training, and what it is called there."""

from pathlib import Path

import onnx
import pytest

from edgefashion.artifacts import artifact
from edgefashion.errors import BadInput
from edgefashion.shelf.errands import Errand
from edgefashion.shelf.work import GIVEN
from edgefashion.shelf.worker import lay_out
from edgefashion.training.runs import Run


def laid_out(errand: Errand, folder: Path) -> None:
    sent = {name: {file: str(path) for file, path in given.items()} for name, given in errand.given.items()}
    lay_out(sent, folder)


def with_weights_beside(file: Path, folder: Path, location: str) -> Path:
    (folder / location).parent.mkdir(parents=True, exist_ok=True)
    path = folder / "größe 1.onnx"
    onnx.save(onnx.load(file), path, save_as_external_data=True, location=location, size_threshold=0)
    return path


def test_a_model_file_is_there_with_its_manifest(exported: Run, tmp_path: Path) -> None:
    found = artifact.read(exported.artifacts / "cnn-int8.tflite")
    errand = Errand(())
    there = errand.give_model("teacher", found, "zoo:cnn")
    assert there == f"{GIVEN}/teacher/teacher.tflite" and errand.paths == {there: "zoo:cnn"}
    laid_out(errand, tmp_path)
    again = artifact.read(tmp_path / there)
    assert (again.manifest, again.sha256) == (found.manifest, found.sha256)


def test_weights_beside_a_model_file_are_there_too(exported: Run, tmp_path: Path) -> None:
    path = with_weights_beside(exported.artifacts / "cnn-float32.onnx", tmp_path / "here", "sub/weights.bin")
    errand = Errand(())
    there = errand.give_model("teacher", artifact.read(path), str(path))
    laid_out(errand, tmp_path)
    assert artifact.read(tmp_path / there).run_id == exported.id
    weights = (tmp_path / GIVEN / "teacher/sub/weights.bin").read_bytes()
    assert weights == (path.parent / "sub/weights.bin").read_bytes()


def test_weights_of_an_odd_name_are_not_sent(exported: Run, tmp_path: Path) -> None:
    path = with_weights_beside(exported.artifacts / "cnn-float32.onnx", tmp_path, "$weights.bin")
    with pytest.raises(BadInput, match=r"are in '\$weights\.bin': give that a plain name"):
        Errand(()).give_model("teacher", artifact.read(path), str(path))


@pytest.mark.parametrize("beside", ["teacher.onnx", "teacher.onnx.json"])
def test_weights_do_not_take_the_place_of_what_they_are_sent_with(
    beside: str, exported: Run, tmp_path: Path
) -> None:
    path = with_weights_beside(exported.artifacts / "cnn-float32.onnx", tmp_path, beside)
    with pytest.raises(BadInput, match=f"are in '{beside}': give that another name"):
        Errand(()).give_model("teacher", artifact.read(path), str(path))
