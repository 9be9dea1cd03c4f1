"""Findings on the data set, the packages and the weights, none of which is opened."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion.data import locate
from edgefashion.diagnosis import exporting
from edgefashion.diagnosis.exporting import findings
from edgefashion.installation import pip_install


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_machine_with_everything(home: Path, sample_folder: Path) -> None:
    weights = home / ".keras/models" / exporting.WEIGHTS
    weights.parent.mkdir(parents=True)
    weights.touch()
    data, export, imagenet = findings(sample_folder)
    assert [data.level, export.level, imagenet.level] == ["ok"] * 3
    assert str(sample_folder) in data.text


def test_no_weights(home: Path, sample_folder: Path) -> None:
    found = findings(sample_folder)[2]
    assert (found.level, found.topic) == ("note", "weights")


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, sample_folder: Path) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    found = findings(sample_folder)[2]
    assert (found.level, found.topic) == ("problem", "weights")


def test_no_packages(monkeypatch: pytest.MonkeyPatch, sample_folder: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    export = findings(sample_folder)[1:]
    assert [(finding.level, finding.topic) for finding in export] == [("note", "export")]
    assert "tensorflow, onnx not installed" in export[0].text
    assert export[0].mend == pip_install("train")


def test_no_data_set_and_no_attempt_to_fetch_it(nowhere: Path) -> None:
    found = findings()[0]
    assert (found.level, found.mend) == ("note", "edgefashion data")
    assert "not for bundles and the models of the zoo" in found.text
    assert not nowhere.exists()


def test_what_may_not_be_read_is_a_finding(
    tmp_path: Path, unprivileged: Callable[..., tuple[int, str]]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0)
    code, out = unprivileged("-m", "edgefashion", "doctor", "--data", tmp_path / "data")
    assert code in (0, 1)
    assert "Traceback" not in out
    assert re.search(r"problem +data set +.*Permission denied.*chmod \+x", out), out


def test_the_data_set_in_the_cache(nowhere: Path, sample_folder: Path) -> None:
    shutil.copytree(sample_folder, nowhere)
    assert locate.at_hand() == nowhere
    next(nowhere.glob("*.gz")).unlink()
    assert locate.at_hand() is None


def test_a_named_folder_that_lacks_files_counts(nowhere: Path, sample_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_folder, nowhere)
    assert locate.at_hand(tmp_path) is None
    shutil.copytree(sample_folder, tmp_path / "part")
    next((tmp_path / "part").glob("*.gz")).unlink()
    found = findings(tmp_path / "part")[0]
    assert (found.level, found.text) == ("problem", f"{tmp_path / 'part'} lacks files of a data set")
    found = findings(tmp_path / "none")[0]
    assert found.level == "problem" and "none: no such folder" in found.text


def test_a_folder_of_pictures_is_a_data_set(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/2.png", "dog/3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"not opened")
    (check,) = [each for each in findings(tmp_path) if each.topic == "data set"]
    assert (check.level, check.text) == ("ok", f"3 files of 2 classes in {tmp_path}, not opened")
