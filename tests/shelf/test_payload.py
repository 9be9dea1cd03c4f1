"""What travels for what the user names is what is needed there, under the names that it has here."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgefashion import zoo
from edgefashion.errors import ArtifactError, BundleError, RunError, ZooError
from edgefashion.shelf.payload import payload

if TYPE_CHECKING:
    from edgefashion.training.runs import Run


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file with its manifest, in a folder of the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    shipped = zoo.open_zoo().artifacts("cnn-64k")[0].path
    for name in (shipped.name, f"{shipped.name}.json"):
        shutil.copy(shipped.with_name(name), tmp_path / "models")
    return Path("models") / shipped.name


def test_a_model_takes_its_manifest_along_and_keeps_its_path(model: Path) -> None:
    found = payload([str(model), str(model)])
    assert found.models == [str(model)] and list(found.expected) == [str(model)]
    assert found.files == {str(model): model, f"{model}.json": Path(f"{model}.json")}


def test_what_is_elsewhere_goes_by_its_name_alone_and_no_two_are_one(model: Path) -> None:
    other = Path("other") / model.name
    shutil.copytree(model.parent, other.parent)
    found = payload([str(model.absolute()), f"../{other.absolute().parts[-3]}/{other}"])
    assert found.models == [model.name, f"2/{model.name}"]
    assert list(found.files) == [model.name, f"{model.name}.json", f"2/{model.name}", f"2/{model.name}.json"]


def test_models_that_come_along_with_edgefashion_are_not_sent() -> None:
    found = payload(["zoo:cnn-64k"])
    assert (found.models, found.files, len(found.expected)) == (["zoo:cnn-64k"], {}, 2)


def test_a_run_is_its_exports(exported: "Run") -> None:
    found = payload([str(exported.folder)])
    assert len(found.expected) == 4 and len(found.files) == 8
    assert sorted(found.models) == sorted(name for name in found.files if not name.endswith(".json"))


@pytest.mark.parametrize(
    ("name", "error"),
    [("missing.zip", BundleError), ("x.tflite", ArtifactError), ("x", RunError), ("zoo:x", ZooError)],
)
def test_what_is_missing_is_said_before_anything_is_sent(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        payload([name])


def test_a_damaged_model_is_not_sent(model: Path) -> None:
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="is not the file its manifest describes"):
        payload([str(model)])
