"""What a name on the command line means: a run, a model file, a shipped model."""

import re
import shutil
from pathlib import Path

import pytest

from edgefashion.cli._resolve import model_or_run, named_artifacts, run_folder, run_or_file
from edgefashion.errors import RunError
from edgefashion.training import runs

ROOT = Path("runs")
MODELS = Path(__file__).parents[1] / "files/models"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the run runs/cnn, and the run elsewhere/mine."""
    monkeypatch.chdir(tmp_path)
    for folder in (ROOT / "cnn", Path("elsewhere/mine")):
        folder.mkdir(parents=True)
        (folder / runs.INFO).touch()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cnn", "runs/cnn"),
        ("gone", "runs/gone"),
        ("runs/cnn", "runs/cnn"),
        ("./runs/cnn", "runs/cnn"),
        ("runs/cnn/", "runs/cnn"),
        ("runs/gone", "runs/gone"),
        ("elsewhere/mine", "elsewhere/mine"),
        ("elsewhere", "elsewhere"),
        (".", "."),
        ("..", ".."),
    ],
)
def test_a_name_is_a_run_and_a_path_is_a_path(name: str, meant: str) -> None:
    assert run_folder(name, ROOT) == Path(meant)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mine.onnx", "runs/mine.onnx"),
        ("runs/mine.onnx", "runs/mine.onnx"),
        ("runs/mine.onnx/", "runs/mine.onnx"),
        ("other.onnx", "other.onnx"),
        ("gone.onnx", "gone.onnx"),
        ("zoo:cnn-16k", "zoo:cnn-16k"),
        ("cnn", "runs/cnn"),
    ],
)
def test_a_run_may_be_called_as_a_model_file_is(name: str, meant: str) -> None:
    (ROOT / "mine.onnx").mkdir()
    (ROOT / "mine.onnx" / runs.INFO).touch()
    Path("other.onnx").touch()
    assert model_or_run(name, ROOT) == meant


@pytest.mark.parametrize("content", ["a file", "a folder", "a run"])
def test_what_lies_here_does_not_hide_a_run(content: str) -> None:
    if content == "a file":
        Path("cnn").touch()
    else:
        Path("cnn").mkdir()
    if content == "a run":
        Path("cnn", runs.INFO).touch()
    assert run_folder("cnn", ROOT) == Path("runs/cnn")
    assert run_folder("./cnn", ROOT) == Path("runs/cnn" if content == "a file" else "cnn")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cnn", "runs/cnn"),
        ("elsewhere/mine", "elsewhere/mine"),
        ("zoo:cnn-64k", "zoo:cnn-64k"),
        ("a.zip", "a.zip"),
        ("gone", "gone"),
        ("gone.tflite", "gone.tflite"),
    ],
)
def test_of_runs_and_files_a_run_is_found_under_the_folder_of_all_and_a_file_as_it_is_named(
    name: str, meant: str
) -> None:
    Path("cnn").touch()
    Path("a.zip").touch()
    assert run_or_file(name, ROOT) == meant


def test_a_run_whose_replacement_was_killed_is_not_hidden_either() -> None:
    Path("runs/cnn").rename("runs/.cnn.replaced")
    Path("cnn").mkdir()
    assert run_folder("cnn", ROOT) == Path("runs/cnn")


def test_a_file_of_a_run_is_told_from_a_run() -> None:
    Path("runs/cnn/model.keras").touch()
    with pytest.raises(
        RunError, match=r"^runs/cnn/model\.keras is neither a run.*: did you mean runs/cnn\?$"
    ):
        run_folder("runs/cnn/model.keras", ROOT)
    Path("boot.png").touch()
    with pytest.raises(RunError, match=r"^boot\.png is neither a run nor a \.tflite or \.onnx model$"):
        run_folder("boot.png", ROOT)


def test_what_is_no_run_is_told_from_a_run_with_what_to_name() -> None:
    exports = Path("runs/cnn/artifacts")
    exports.mkdir()
    (exports / "cnn-int8.onnx").touch()
    Path("cnn.zip").touch()
    for name, said in {
        "zoo:cnn-64k": "is shipped without its run: name a run",
        "cnn.zip": "measure a bundle with edgefashion bench cnn.zip; unzipped, the models in",
        "runs/cnn/artifacts/cnn-int8.onnx": "is a model file, not a run: did you mean runs/cnn?",
    }.items():
        with pytest.raises(RunError, match=re.escape(said)):
            run_folder(name, ROOT)


def test_the_exports_of_a_run_are_told_from_it() -> None:
    exports = Path("runs/cnn/artifacts")
    exports.mkdir()
    Path("runs/cnn", runs.INFO).touch()
    with pytest.raises(RunError, match=r"^runs/cnn/artifacts has no.*; did you mean runs/cnn\?$"):
        runs.read(exports)


def test_of_all_runs_those_without_exports_are_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless none has any."""
    for name in ("cnn", "new"):
        Path(f"runs/{name}/artifacts").mkdir(parents=True)
        Path(f"runs/{name}/{runs.INFO}").touch()
    monkeypatch.setattr(runs, "read", lambda folder: runs.Run(folder, {}))
    with pytest.raises(RunError, match=r"no run in runs has exports: make them with edgefashion export$"):
        named_artifacts([], ROOT)
    shutil.copy(MODELS / "tiny-float32.onnx", "runs/cnn/artifacts")
    assert [each.path.name for each in named_artifacts([], ROOT)] == ["tiny-float32.onnx"]
    said = capsys.readouterr().err
    assert "left out, not exported: runs/new; export them with edgefashion export runs/new" in said
    with pytest.raises(RunError, match="runs/new has no exports"):
        named_artifacts(["new"], ROOT)


@pytest.mark.parametrize("name", ["/", ".", "..", "runs"])
def test_a_folder_that_is_no_run_is_said_to_be_none(name: str) -> None:
    with pytest.raises(RunError, match="it is not a finished run"):
        runs.read(run_folder(name, ROOT))
