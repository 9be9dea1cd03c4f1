"""Bundles are made and compared; for opening bad ones see test_bundle_opening.py."""

import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgefashion import bundle, device
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.bundle import archive, layout
from edgefashion.data import Dataset, stratified_sample
from edgefashion.errors import ArtifactError, BadInput, OutputError, RuntimeCrash
from edgefashion.runtimes import for_file

MODELS = Path(__file__).parents[1] / "files/models"
NAMES = ("tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx")
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> list[Artifact]:
    """Three tiny models; one has a manifest."""
    folder = tmp_path_factory.mktemp("models")
    found = [artifact.read(Path(shutil.copy(MODELS / name, folder / name))) for name in NAMES]
    manifest = {"run": "tiny", "run_id": "0123456789ab", "precision": "int8", "small_run": False}
    found[1] = artifact.save(found[1].path, found[1].path.read_bytes(), manifest)
    return found


@pytest.fixture(scope="module")
def made(artifacts: list[Artifact], sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "tiny.zip"
    bundle.make(path, artifacts, sample, 50)
    return path


def test_what_was_packed_is_what_is_opened(made: Path, artifacts: list[Artifact], sample: Dataset) -> None:
    expected = stratified_sample(sample.test, 50, seed=0)
    with bundle.open_bundle(made) as found:
        assert [each.path.name for each in found.artifacts] == list(NAMES)
        assert np.array_equal(found.images, expected.images)
        assert np.array_equal(found.labels, expected.labels)
        assert np.bincount(found.labels).tolist() == [5] * 10
        assert found.task == sample.task
        for own, other in zip(artifacts, found.artifacts, strict=True):
            assert own.path.read_bytes() == other.path.read_bytes()
            assert own.manifest == other.manifest
            runtime = for_file(other.path)
            runtime.start()
            logits = runtime.load(other.path, 1).predict(expected.images)
            assert np.array_equal(found.logits[other.path.name], logits)
            assert found.compare(other, logits).equal is True
        folder = found.artifacts[0].path.parent
        assert found.name(found.artifacts[1]) == f"{made}:tiny-int8.tflite"
    assert not folder.exists()


def test_the_bytes_depend_on_the_content_alone(
    made: Path, artifacts: list[Artifact], sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on the day, the time zone, the umask, the folder, file times and permissions, or the load."""
    moved = []
    for each in artifacts:
        path = Path(shutil.copy(each.path, tmp_path / each.path.name))
        if each.manifest:
            shutil.copy(artifact.manifest_path(each.path), artifact.manifest_path(path))
        path.chmod(0o600)
        os.utime(path, (0, 0))
        moved.append(artifact.read(path))
    later = msgspec.structs.replace(
        device.describe(), date="2031-01-01T00:00:00+00:00", cores=64, memory_mb=1
    )
    monkeypatch.setattr(device, "describe", lambda: later)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.chdir(tmp_path)
    old = os.umask(0o077)
    try:
        result = bundle.make(Path("again.zip"), moved, replace(sample, source="elsewhere"), 50)
    finally:
        os.umask(old)
    assert result.path.read_bytes() == made.read_bytes()
    assert result.size_bytes == made.stat().st_size
    assert stat.S_IMODE(result.path.stat().st_mode) == 0o600  # as the umask has it


def test_predictions_are_the_same_to_the_bit_with_any_number_of_threads(sample: Dataset) -> None:
    for name in NAMES:
        runtime = for_file(MODELS / name)
        runtime.start()
        one = runtime.load(MODELS / name, 1).predict(sample.test.images)
        many = runtime.load(MODELS / name, 4)
        assert all(np.array_equal(one, many.predict(sample.test.images)) for _ in range(3))


def test_nothing_private_and_nothing_that_passes_is_in_the_bundle(made: Path, sample: Dataset) -> None:
    with zipfile.ZipFile(made) as file:
        info = json.loads(file.read("bundle.json"))
    assert set(info["host"]) == {"machine", "board", "cpu", "isa", "os", "python", "emulated", "virtual"}
    assert "source" not in info["dataset"]
    assert "folder" not in info["dataset"]
    assert str(sample.folder) not in json.dumps(info)
    assert info["dataset"]["complete"] is False


@pytest.mark.parametrize(
    ("images", "said"), [(401, "cannot draw 401 images out of 400"), (0, "give 1 to 400")]
)
def test_more_images_than_there_are(
    artifacts: list[Artifact], sample: Dataset, tmp_path: Path, images: int, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        bundle.make(tmp_path / "b.zip", artifacts, sample, images)
    assert list(tmp_path.iterdir()) == []


def test_artifacts_that_cannot_travel_are_refused_and_nothing_is_written(
    artifacts: list[Artifact], sample: Dataset, tmp_path: Path
) -> None:
    output = tmp_path / "out/b.zip"
    output.parent.mkdir()

    def refused(kind: type[Exception], said: str, *given: Artifact) -> None:
        with pytest.raises(kind, match=said):
            bundle.make(output, given, sample, 20)
        assert not list(output.parent.iterdir())

    twin = Path(shutil.copy(artifacts[0].path, tmp_path / artifacts[0].path.name))
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(artifacts[0].path.read_bytes()[:2000])
    refused(ArtifactError, "is broken", artifacts[0], Artifact(cut, None, defect="it is broken"))
    refused(BadInput, "have the same name", artifacts[0], Artifact(twin, None))
    refused(BadInput, "plain name", Artifact(tmp_path / "model.pb", None))
    refused(ArtifactError, "cut.tflite cannot be loaded", artifacts[0], Artifact(cut, None))
    refused(ArtifactError, "found float32", Artifact(MODELS / "float-input.tflite", None))


def test_a_model_that_gives_no_numbers_or_dies_is_no_bundle(
    sample: Dataset, tmp_path: Path, fake: Callable[..., Path]
) -> None:
    old = tmp_path / "b.zip"
    old.write_bytes(b"the bundle that was there")
    with pytest.raises(RuntimeCrash, match="SIGSEGV"):
        bundle.make(old, [Artifact(fake(predict="SIGSEGV"), None)], sample, 20)
    assert old.read_bytes() == b"the bundle that was there"


def test_a_full_disk_leaves_the_old_bundle_or_none(
    artifacts: list[Artifact], sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, members: Members) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "write", full)
    with pytest.raises(OutputError, match="No space left"):
        bundle.make(tmp_path / "b.zip", artifacts, sample, 20)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("MEMBER_BYTES", 5000, "a bundle takes 5,000 of one file"),
        ("TOTAL_BYTES", 10_000, "too much for a bundle: make several"),
        ("MOST_MEMBERS", 5, "too much for a bundle: make several"),
    ],
)
def test_what_could_not_be_opened_is_not_written(
    artifacts: list[Artifact],
    sample: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
    said: str,
) -> None:
    monkeypatch.setattr(layout, limit, value)
    with pytest.raises(BadInput, match=said):
        bundle.make(tmp_path / "b.zip", artifacts, sample, 10)
    assert list(tmp_path.iterdir()) == []
