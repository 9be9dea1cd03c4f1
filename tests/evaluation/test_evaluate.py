"""Results: the figures, what they are compared with, and rows that fail."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from edgefashion.api.measure import evaluate
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import Dataset
from edgefashion.errors import ArtifactError, BadInput, RuntimeCrash
from edgefashion.evaluation import predictions
from edgefashion.evaluation.predictions import LabeledImages, predict
from edgefashion.evaluation.results import Results
from edgefashion.evaluation.scores import reference
from edgefashion.records.manifest import Manifest
from edgefashion.stats import mcnemar_exact, wilson_interval

Fake = Callable[..., Path]
QUICK = BenchmarkOptions(rounds=2, samples=6, seconds=0, warm_up_seconds=0, timeout=10)
MODELS = Path(__file__).parents[1] / "files/models"
FIELDS = [
    "model", "format", "precision", "target", "kept_float", "path", "small_run", "size_bytes", "gzip_bytes",
    "sha256", "images", "accuracy", "accuracy_ci95", "accuracy_delta", "agreement", "mcnemar_p",
    "balanced_accuracy", "balanced_accuracy_ci95", "balanced_accuracy_delta", "balanced_p", "pooled",
    "recalls", "host", "note", "runtime", "runtime_version", "threads", "pinned", "in_process",
    "latency_us", "p90_bound_us", "inferences_per_s", "loops", "kept_every", "round_samples", "load_ms",
    "first_inference_us", "peak_rss_mb", "energy_mj", "sustained", "macs", "macs_per_s",
    "limit_macs_per_s", "flags", "status", "error", "bad_file", "instructions_per_inference", "raw_us",
]  # fmt: skip


def manifest(**said: Any) -> Manifest:
    return Manifest(sha256="0" * 64, small_run=False, **said)


def exported(path: Path, precision: str, run_id: str = "r1", small_run: bool = False) -> Artifact:
    said = {"run": "cnn", "run_id": run_id, "precision": precision, "small_run": small_run}
    return artifact.save(path, path.read_bytes(), said)


def run(artifacts: list[Artifact], data: Dataset, threads: tuple[int, ...] = (1,)) -> Results:
    return evaluate(artifacts, data, threads=threads, options=QUICK)


def test_the_fields_are_the_documented_ones(sample: Dataset) -> None:
    found = run([Artifact(MODELS / "tiny-float32.tflite", None)], sample, threads=(1, 2))
    content = json.loads(json.dumps(found.to_dict()))
    assert list(content) == ["schema", "edgefashion", "verb", "device", "dataset", "protocol", "results"]
    assert content["schema"] == 2
    assert content["dataset"]["complete"] is False
    assert [row["threads"] for row in content["results"]] == [1, 2]
    for row in content["results"]:
        assert list(row) == FIELDS
        assert list(row["latency_us"]) == ["p50", "p90", "p99", "mean", "samples"]
        assert row["latency_us"]["samples"] == len(row["raw_us"]) == 6
        assert (row["status"], row["error"], row["runtime"]) == ("ok", None, "LiteRT")
        assert row["path"] == str(MODELS / "tiny-float32.tflite")
    found.raise_failures()


def test_the_sizes_are_those_of_the_file_and_of_its_gzip(sample: Dataset) -> None:
    path = MODELS / "tiny-int8.tflite"
    [row] = run([Artifact(path, None)], sample).rows
    assert row.size_bytes == path.stat().st_size
    assert row.gzip_bytes == len(gzip.compress(path.read_bytes(), 9)) < row.size_bytes


def test_accuracy_agreement_and_significance_come_from_the_predictions(fake: Fake, sample: Dataset) -> None:
    float32 = exported(fake("a", seed=1), "float32")
    int8 = exported(fake("b", seed=2), "int8", small_run=True)
    own, other = (predict(which, sample.test.images).classes for which in (int8, float32))
    assert own is not None and other is not None
    labels = sample.test.labels
    base, row = run([float32, int8], sample).rows
    assert row.images == 400
    assert row.accuracy == np.mean(own == labels)
    assert tuple(row.accuracy_ci95) == wilson_interval(int(np.sum(own == labels)), 400)
    assert row.accuracy_delta == pytest.approx(np.mean(own == labels) - np.mean(other == labels))
    assert row.agreement == np.mean(own == other)
    b = int(np.sum((own == labels) & (other != labels)))
    c = int(np.sum((own != labels) & (other == labels)))
    assert row.mcnemar_p == mcnemar_exact(b, c)
    assert (row.precision, row.small_run, base.small_run) == ("int8", True, False)
    assert base.accuracy_delta is base.agreement is base.mcnemar_p is None


def test_the_reference_is_of_the_same_run_and_rather_of_the_same_format() -> None:
    def some(name: str, precision: str, run_id: str = "r1") -> Artifact:
        return Artifact(Path(name), manifest(run="cnn", run_id=run_id, precision=precision))

    artifacts = [
        some("other.tflite", "float32", "r2"),
        some("a.onnx", "float32"),
        some("a-int8.tflite", "int8"),
        some("a.tflite", "float32"),
        some("a-int8.onnx", "int8"),
        Artifact(Path("stray.tflite"), None),
        some("alone.tflite", "int8", "r3"),
    ]
    assert [reference(artifacts, number) for number in range(7)] == [None, None, 3, None, 1, None, None]
    assert reference(artifacts[:3], 2) == 1  # only the other format is there


def test_the_reference_of_a_fine_tuned_run_is_rather_that_of_its_base() -> None:
    def some(run_id: str, precision: str, base_run_id: str | None = None, format: str = "tflite") -> Artifact:
        said = {"run": run_id, "run_id": run_id, "precision": precision, "base_run_id": base_run_id}
        return Artifact(Path(f"{run_id}-{precision}.{format}"), manifest(**said))

    base, base_onnx = some("base", "float32"), some("base", "float32", format="onnx")
    own, int8 = some("own", "float32", "base"), some("own", "int8", "base")
    assert reference([base_onnx, base, own, int8], 3) == 1
    assert reference([base_onnx, own, int8], 2) == 0  # the base's, though of the other format
    assert reference([own, int8], 1) == 0
    assert reference([base_onnx, base, own], 2) == 1
    assert reference([own, some("other", "float32")], 0) is None
    unlisted = Artifact(int8.path, None, metadata=int8.manifest)
    assert reference([base, own, unlisted], 2) == 0


def test_failures_are_rows_and_the_others_go_on(fake: Fake, sample: Dataset, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"nothing")
    good, crash = fake("good"), fake("crash", predict="SIGSEGV")
    late = fake("late", infer="SIGABRT", after=10)
    found = run([Artifact(path, None) for path in (good, crash, late, damaged)], sample)
    assert [row.status for row in found.rows] == ["ok", "failed", "failed", "failed"]
    assert [row.bad_file for row in found.rows] == [False, False, False, True]
    assert "SIGSEGV" in found.rows[1].error
    assert found.rows[1].accuracy is None
    assert found.rows[2].accuracy is not None  # it died later, while being measured
    assert found.rows[2].latency_us.p50 is None
    with pytest.raises(ArtifactError, match=r"damaged\.tflite"):
        found.raise_failures()
    with pytest.raises(RuntimeCrash, match="SIGSEGV"):
        run([Artifact(good, None), Artifact(crash, None)], sample).raise_failures()


def test_a_file_of_other_classes_or_images_is_not_scored(fake: Fake, sample: Dataset) -> None:
    """Also one that says nothing of itself: the file's own sizes tell."""
    strangers = [fake("seven", classes=7), fake("color", inputs=[["image", "uint8", [None, 40, 24, 3]]])]
    seven, color = run([Artifact(path, None) for path in strangers], sample).rows
    assert (seven.status, seven.accuracy) == (color.status, color.accuracy) == ("failed", None)
    assert "gives 7 logits an image, and these images are of 10 classes" in str(seven.error)
    assert "takes images of 40x24x3, and these are 28x28x1" in str(color.error)


def test_an_interruption_keeps_the_answers_that_are_there(
    sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Artifact(MODELS / name, None) for name in ("tiny-float32.tflite", "tiny-int8.tflite")]
    said = predict(files[0], sample.test.images)
    monkeypatch.setattr(predictions, "predict", Mock(side_effect=[said, KeyboardInterrupt]))
    found = run(files, sample)
    assert [row.images for row in found.rows] == [400, None]
    assert all([flag.flag for flag in row.flags] == ["interrupted"] for row in found.rows)
    assert found.interrupted
    monkeypatch.setattr(predictions, "predict", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(files, sample)


def test_a_fallback_is_noted(sample: Dataset) -> None:
    [row] = run([Artifact(MODELS / "fixed-batch.tflite", None)], sample).rows
    assert row.note == "takes one image a call: its batch size is fixed"


def test_the_three_real_files_see_the_same(sample: Dataset) -> None:
    names = ["tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx"]
    classes = [predict(Artifact(MODELS / name, None), sample.test.images).classes for name in names]
    assert all(one is not None and np.mean(one == classes[0]) > 0.97 for one in classes)


def test_without_a_test_image_nothing_is_measured(sample: Dataset) -> None:
    with pytest.raises(BadInput, match="there is no test image to measure with"):
        LabeledImages(sample.test.images[:0], sample.test.labels[:0], sample.task)
