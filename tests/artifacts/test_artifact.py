import json
import os
from pathlib import Path

import pytest

from edgefashion import bundle, runtimes
from edgefashion.artifacts import artifact, inspection
from edgefashion.data import fashion_mnist, idx
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.evaluation import rows
from edgefashion.pictures import decoding
from edgefashion.runtimes import base

MANIFEST = {"run": "cnn", "run_id": "abc", "precision": "int8", "small_run": True}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return artifact.save(tmp_path / "cnn-int8.tflite", b"model", dict(MANIFEST)).path


def test_what_was_saved_is_read_back(saved: Path) -> None:
    found = artifact.read(saved)
    assert (found.model, found.format, found.precision, found.run_id) == ("cnn", "tflite", "int8", "abc")
    assert found.small_run
    assert found.manifest is not None
    assert found.manifest.size_bytes == 5
    assert found.manifest.schema == artifact.SCHEMA


def test_a_file_without_a_manifest_is_a_foreign_one(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(b"x")
    found = artifact.read(path)
    assert (found.model, found.precision, found.run_id, found.small_run) == ("other", None, None, False)


def test_a_suffix_in_upper_case_is_one(saved: Path) -> None:
    upper = saved.rename(saved.with_suffix(".TFLite"))
    assert artifact.find(saved.parent) == [upper]
    assert artifact.read(upper).format == "tflite"
    assert runtimes.for_file(upper).name == "LiteRT"
    assert runtimes.for_file(Path("MODEL.ONNX")).name == "ONNX Runtime"


OPEN = {
    "model.onnx": artifact.read,
    "model.TFLITE": inspection.inspect,
    "bundle.zip": lambda path: bundle.open_bundle(path).__enter__(),
    "picture.png": decoding.read,
    "train-labels-idx1-ubyte.gz": lambda path: idx.read_verified(path, fashion_mnist.TRAIN_LABELS, ""),
}


@pytest.mark.parametrize("name", OPEN)
def test_a_git_lfs_pointer_is_called_one(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n")
    with pytest.raises(BadInput, match=r"is a Git LFS pointer.*git lfs pull"):
        OPEN[name](path)


def test_a_changed_file_does_not_pass_for_the_exported_one(saved: Path) -> None:
    saved.write_bytes(b"model!")
    with pytest.raises(ArtifactError, match="not the file its manifest describes"):
        artifact.read(saved)


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"sha256": 1})])
def test_a_damaged_manifest_is_named(saved: Path, text: str) -> None:
    artifact.manifest_path(saved).write_text(text)
    with pytest.raises(ArtifactError, match=r"cnn-int8\.tflite\.json"):
        artifact.read(saved)


@pytest.mark.parametrize(
    ("name", "reason"), [("gone.tflite", "does not exist"), ("model.h5", "not a .tflite or .onnx file")]
)
def test_what_cannot_be_a_model_file_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        artifact.read(tmp_path / name)


def test_a_kill_between_file_and_manifest_leaves_a_pair_that_is_refused(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(artifact.files, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        artifact.save(saved, b"newer model", dict(MANIFEST))
    with pytest.raises(ArtifactError, match="export it again"):
        artifact.read(saved)


def test_inspect_gives_a_defect_instead_of_an_error(saved: Path) -> None:
    assert artifact.inspect(saved).defect is None
    saved.write_bytes(b"model!")
    assert "not the file its manifest describes" in str(artifact.inspect(saved).defect)
    with pytest.raises(ArtifactError, match="does not exist"):
        artifact.inspect(saved.with_name("gone.tflite"))


def test_only_model_files_are_found(saved: Path) -> None:
    (saved.parent / "notes.txt").write_text("")
    assert artifact.find(saved.parent) == [saved]
    assert artifact.find(saved.parent / "nothing") == []


def test_a_manifest_of_a_later_version_asks_for_an_update(saved: Path) -> None:
    sidecar = artifact.manifest_path(saved)
    manifest = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**manifest, "schema": 9}))
    with pytest.raises(
        ArtifactError, match="schema 9 and this edgefashion reads up to 1: update edgefashion"
    ):
        artifact.read(saved)
    sidecar.write_text(json.dumps({**manifest, "schema": 0}))
    with pytest.raises(ArtifactError, match="has schema 0, and the first is 1"):
        artifact.read(saved)
    sidecar.write_text(json.dumps({**manifest, "schema": None}))
    with pytest.raises(ArtifactError, match="schema: expected a whole number, got nothing"):
        artifact.read(saved)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run", None),
        ("precision", ["int8"]),
        ("kept_float", 5),
        ("kept_float", [1]),
        ("target", {}),
        ("labels", "Trouser"),
        ("input", {"shape": 5}),
        ("calibration", {"count": "500"}),
        ("sha256", "../x"),
    ],
)
def test_a_field_of_another_type_is_named(saved: Path, field: str, value: object) -> None:
    sidecar = artifact.manifest_path(saved)
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), field: value}))
    with pytest.raises(ArtifactError, match=rf"{field}.*export cnn-int8.tflite again|it lacks"):
        artifact.read(saved)


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_is_no_file_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    assert rows.file(artifact.Artifact(path, None)) == rows.File()
    for read in (artifact.read, artifact.inspect, inspection.inspect, base.check_exists):
        with pytest.raises(ArtifactError, match=r"model\.onnx .*is not a regular file"):
            read(path)
