"""What a model file tells without being run, whatever it is."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion import bundle, files
from edgefashion.artifacts import artifact
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import Dataset
from edgefashion.errors import EdgefashionError
from edgefashion.evaluation import rows
from edgefashion.evaluation.evaluate import assess
from edgefashion.evaluation.predictions import Candidate, LabeledImages

MODELS = Path(__file__).parents[1] / "files/models"
QUICK = BenchmarkOptions(rounds=1, samples=1, seconds=0, warm_up_seconds=0)


def test_what_a_file_computes() -> None:
    found = rows.computation(MODELS / "tiny-int8.tflite")
    assert found.integer and found.macs
    assert not rows.computation(MODELS / "tiny-float32.onnx").integer


@pytest.mark.parametrize(
    "error",
    [
        EdgefashionError("no"),
        ValueError(),
        RecursionError(),
        MemoryError(),
        OverflowError(),
        KeyError("x"),
        OSError(5),
    ],
)
def test_what_is_not_understood_is_a_blank(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise error

    monkeypatch.setattr("edgefashion.artifacts.inspection.inspect", fail)
    assert rows.computation(MODELS / "tiny-int8.tflite") == rows.Computation()


def test_a_checked_file_is_hashed_once_and_weighed_after_it_was_measured(
    sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiny.zip"
    bundle.make(path, [artifact.read(MODELS / "tiny-int8.tflite")], sample, 3)
    done: list[str] = []
    gzip_size, sha256, measure = files.gzip_size, hashlib.sha256, assess.__globals__["benchmarking"].measure

    def noting(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def note(*arguments: object) -> object:
            done.append(name)
            return function(*arguments)

        return note

    with bundle.open_bundle(path) as opened:
        monkeypatch.setattr(files, "gzip_size", noting("gzip", gzip_size))
        monkeypatch.setattr(files, "sha256", noting("sha", files.sha256))
        monkeypatch.setattr(hashlib, "sha256", noting("sha", sha256))
        monkeypatch.setattr("edgefashion.benchmarking.measure", noting("measured", measure))
        subjects = [
            Candidate(each, "tiny", LabeledImages(opened.images, opened.labels, opened.task))
            for each in opened.artifacts
        ]
        found = assess(subjects, None, [1], QUICK)
    assert done == ["measured", "gzip"]
    monkeypatch.undo()
    assert found.rows[0].sha256 == files.sha256(MODELS / "tiny-int8.tflite")
    assert rows.file(artifact.Artifact(tmp_path / "gone.onnx", None)) == rows.File()
