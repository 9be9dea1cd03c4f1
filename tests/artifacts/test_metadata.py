"""What an exported file says about itself, with no manifest beside it."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET

from edgefashion.api.measure import evaluate
from edgefashion.artifacts import artifact, metadata
from edgefashion.artifacts.flatbuffer import Flatbuffer
from edgefashion.artifacts.formats import Variant
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import Dataset
from edgefashion.evaluation.columns import result_tables
from edgefashion.export import embed as writer
from edgefashion.export import exporter
from edgefashion.export.options import ExportOptions
from edgefashion.records.manifest import Metadata
from edgefashion.runtimes import for_file
from edgefashion.training.runs import Run

MODELS = Path(__file__).parents[1] / "files/models"
SAID: dict[str, Any] = {
    "schema": 1,
    "run": "Kleid – 衣",
    "run_id": "0123456789ab",
    "small_run": True,
    "precision": "int8",
    "labels": ["T-shirt/top", "Trouser"],
}


@pytest.fixture(params=["tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx"])
def plain(request: pytest.FixtureRequest) -> Path:
    return MODELS / str(request.param)


@pytest.fixture
def lone(plain: Path, tmp_path: Path) -> Path:
    """The model with metadata inside and no manifest."""
    path = tmp_path / plain.name
    path.write_bytes(writer.embed(plain.read_bytes(), plain.suffix[1:], SAID))
    return path


@pytest.fixture(scope="module")
def lone_files(exported: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """An int8 and a float32 file of each format, moved away from their manifests."""
    folder = tmp_path_factory.mktemp("metadata")
    made = map(artifact.read, artifact.find(exported.artifacts))
    return {
        (entry.format, str(entry.precision)): Path(
            shutil.copy(entry.path, folder / f"lone-{number}.{entry.format}")
        )
        for number, entry in enumerate(made)
    }


def told(said: Metadata | None) -> dict[str, Any] | None:
    return said and said.to_dict()


def predictions(path: Path, images: np.ndarray) -> np.ndarray:
    runtime = for_file(path)
    runtime.start()
    return runtime.load(path, threads=1).predict(images)


def test_what_was_embedded_is_read_back(lone: Path) -> None:
    assert told(metadata.read(lone)) == SAID


def test_a_model_says_the_same_with_metadata(lone: Path, plain: Path, sample: Dataset) -> None:
    images = sample.test.images[:50]
    assert np.array_equal(predictions(lone, images), predictions(plain, images))


def test_embedding_twice_keeps_the_later(lone: Path) -> None:
    lone.write_bytes(writer.embed(lone.read_bytes(), lone.suffix[1:], {**SAID, "run": "later"}))
    assert told(metadata.read(lone)) == {**SAID, "run": "later"}


def test_a_tflite_model_keeps_its_buffers_and_its_other_metadata() -> None:
    before = (MODELS / "tiny-float32.tflite").read_bytes()
    after = writer.embed(before, "tflite", SAID)
    old, new = (Flatbuffer(content).root() for content in (before, after))
    names = [entry.text(0) for entry in old.tables(6)]
    assert "min_runtime_version" in names
    assert [entry.text(0) for entry in new.tables(6)] == [*names, metadata.NAME]
    assert [bytes(buffer.data(0)) for buffer in new.tables(4)][:-1] == [
        bytes(buffer.data(0)) for buffer in old.tables(4)
    ]


def test_an_onnx_model_is_still_valid_and_onnx_runtime_sees_its_metadata(tmp_path: Path) -> None:
    import onnx
    import onnxruntime

    content = writer.embed((MODELS / "tiny-float32.onnx").read_bytes(), "onnx", SAID)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties[metadata.NAME]) == SAID
    assert "model_license" not in properties  # a model is its maker's


@pytest.mark.parametrize(
    "kind", [Variant("tflite", "int8"), Variant("onnx", "int8"), Variant("onnx", "float32")], ids="-".join
)
def test_an_export_says_where_it_comes_from(
    kind: tuple[str, str], lone_files: dict[tuple[str, str], Path], trained: Run
) -> None:
    said = metadata.read(lone_files[kind])
    assert said is not None
    assert (said.run, said.run_id, said.precision) == ("cnn", trained.id, kind[1])
    assert (said.small_run, said.architecture, said.license) == (True, "cnn", UNSET)
    assert said.labels[9] == "Ankle boot"
    assert said.input.shape == ("N", 28, 28, 1)
    digest = said.calibration.indices_sha256 if said.calibration else ""
    assert len(digest) == (64 if kind[1] == "int8" else 0)


def test_what_is_not_in_the_manifest_is_not_in_the_file() -> None:
    manifest = {**SAID, "calibration": None, "preprocessing": {}, "created": "today"}
    assert "target" not in writer.describe(manifest).to_dict()
    assert "created" not in writer.describe(manifest).to_dict()
    assert writer.describe({**manifest, "target": "rpi4"}).target == "rpi4"


def test_lone_files_are_compared_like_those_with_manifests(
    lone_files: dict[tuple[str, str], Path], sample: Dataset
) -> None:
    paths = [lone_files["tflite", "float32"], lone_files["tflite", "int8"]]
    artifacts = [artifact.read(path) for path in paths]
    quick = replace(BenchmarkOptions().lasting(0.05), in_process=True)
    found = evaluate(artifacts, sample, threads=[1], limit=100, options=quick)
    assert [row.model for row in found.rows] == ["cnn", "cnn"]
    assert [row.precision for row in found.rows] == ["float32", "int8"]
    assert found.rows[1].agreement is not None
    assert [cells[:3] for cells in result_tables(found)[0].cells] == [
        ["cnn (small run)", "tflite", "float32"],
        ["cnn (small run)", "tflite", "int8"],
    ]


def test_a_lone_file_is_not_reused_by_export(
    lone_files: dict[tuple[str, str], Path], trained: Run, tmp_path: Path
) -> None:
    kind, run = Variant("tflite", "int8"), replace(trained, folder=tmp_path / "cnn")
    run.artifacts.mkdir(parents=True)
    shutil.copy(lone_files[kind], run.artifacts / exporter.file_name(run, kind, ExportOptions()))
    assert exporter.find_reusable(run, kind, ExportOptions()) is None


@pytest.mark.parametrize(
    "said",
    [[], "text", {}, {**SAID, "small_run": "no"}, {key: SAID[key] for key in SAID if key != "run_id"}],
    ids=str,
)
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_metadata_of_another_kind_are_none(format: str, said: Any, tmp_path: Path) -> None:
    path = tmp_path / f"model.{format}"
    path.write_bytes(writer.embed((MODELS / f"tiny-float32.{format}").read_bytes(), format, said))
    assert metadata.read(path) is None


def test_a_damaged_file_has_no_metadata_and_does_no_harm(lone: Path) -> None:
    content = lone.read_bytes()
    random = np.random.default_rng(0)
    for end in range(0, len(content), 97):
        lone.write_bytes(content[:end])
        assert told(metadata.read(lone)) in (None, SAID)
    for position in random.integers(0, len(content) * 8, 500):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << position % 8
        lone.write_bytes(flipped)
        assert isinstance(metadata.read(lone), Metadata | None)


def test_reading_needs_no_package(lone: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edgefashion.artifacts import artifact\n"
        "print(artifact.read(Path(sys.argv[1])).run_id)\n"
        "print(*{'tensorflow', 'onnx', 'onnxruntime', 'ai_edge_litert', 'flatbuffers'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code, lone], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [SAID["run_id"]]
