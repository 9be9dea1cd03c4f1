"""The included models, as a user types them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgefashion import bundle, zoo
from edgefashion.cli import main
from edgefashion.data import Dataset, locate
from edgefashion.evaluation import results
from edgefashion.runtimes import for_file

Say = Callable[..., tuple[str, str]]
QUICK = ("--seconds", 0.01, "--threads", 1, "--in-process")


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Runs edgefashion in an empty folder; gives what it prints, and what it says on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(list(map(str, arguments)))
        captured = capsys.readouterr()
        assert (stopped.value.code or 0) == code, captured.err
        return captured.out, captured.err

    return run


def check_rows(path: Path, sample: Dataset) -> None:
    """The rows are of the included models, on the included test images."""
    rows = results.read(path).rows
    test = zoo.open_zoo().sample().test
    assert [row.path for row in rows] == ["zoo:cnn-int8.tflite", "zoo:cnn-int8.onnx"]
    for row, artifact in zip(rows, zoo.open_zoo().artifacts("cnn"), strict=True):
        runtime = for_file(artifact.path)
        runtime.start()
        classes = runtime.load(artifact.path, threads=1).predict(test.images).argmax(axis=1)
        assert (row.images, row.accuracy) == (len(sample.test), np.mean(classes == test.labels))


def test_bench_without_a_name(typed: Say, along: Path, nowhere: Path, sample: Dataset) -> None:
    _, err = typed("bench", "--threads", 1, "--seconds", 0.01, "--json", "results.json")
    assert "no file is named: measuring the shipped models, zoo:cnn" in err
    check_rows(Path("results.json"), sample)
    assert all(row.latency_us.p50 > 0 for row in results.read(Path("results.json")).rows)


def test_evaluate_without_a_name_a_run_and_data(
    typed: Say, along: Path, nowhere: Path, sample: Dataset
) -> None:
    _, err = typed("evaluate", *QUICK, "--json", "results.json")
    assert "there are no runs in runs: taking the shipped models, cnn" in err
    assert "no data set is at hand: taking the sample that comes with edgefashion, 400 test images" in err
    check_rows(Path("results.json"), sample)


def test_evaluate_takes_the_data_set_where_there_is_one(typed: Say, along: Path, sample_folder: Path) -> None:
    _, err = typed("evaluate", *QUICK, "zoo:cnn", "--limit", 10, "--data", sample_folder)
    assert f"data: folder {sample_folder}" in err


def test_a_run_goes_first(typed: Say, along: Path, exported: object, sample_folder: Path) -> None:
    shutil.copytree(exported.folder, "runs/cnn")
    options = ("--limit", 10, "--data", sample_folder, "--json", "results.json")
    typed("evaluate", *QUICK, *options)
    paths = [row.path for row in results.read(Path("results.json")).rows]
    assert len(paths) == 4
    assert not any(zoo.is_name(path) for path in paths)


def test_a_bundle_of_what_comes_along_is_that_of_the_data_set(
    typed: Say, along: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(locate.VARIABLE, raising=False)
    monkeypatch.setattr(locate, "at_hand", lambda: None)
    typed("bundle", "-o", "a.zip")
    typed("bundle", "zoo:cnn", "-o", "b.zip", "--data", sample_folder)
    assert Path("a.zip").read_bytes() == Path("b.zip").read_bytes()
    with bundle.open_bundle(Path("a.zip")) as found:
        assert [each.path.name for each in found.artifacts] == ["cnn-int8.tflite", "cnn-int8.onnx"]
    _, err = typed("bench", "a.zip", "zoo:cnn", *QUICK)
    assert "next: " in err


def test_predict_and_inspect(typed: Say, along: Path, nowhere: Path, sample: Dataset) -> None:
    Image.fromarray(sample.test.images[0, ..., 0]).save("a.png")
    (image,) = json.loads(typed("predict", "zoo:cnn", "a.png", "--json")[0])["images"]
    assert [each["format"] for each in image["predictions"]] == ["tflite", "onnx"]
    assert all(len(each["top"]) == 3 for each in image["predictions"])
    out, _ = typed("inspect", "zoo:cnn")
    assert out.count("cnn-int8.tflite") == 1


@pytest.mark.parametrize("verb", ["bench", "evaluate", "inspect", "bundle", "predict", "card"])
def test_a_name_that_is_printed_can_be_typed(verb: str, typed: Say, along: Path, nowhere: Path) -> None:
    more = {
        "bench": QUICK,
        "evaluate": QUICK,
        "bundle": ["-o", "b.zip"],
        "predict": ["--index", 3],
        "card": ["-o", "c.md"],
    }
    out, err = typed(verb, "zoo:cnn-int8.onnx", *more.get(verb, []))
    assert "tflite" not in out
    if verb == "predict":
        assert "no data set is at hand: taking the sample" in err
        assert "test image 3 of the sample: " in out


@pytest.mark.parametrize("verb", ["bench", "evaluate", "inspect", "bundle", "predict"])
def test_a_damaged_or_unknown_model_is_one_line(
    verb: str, typed: Say, zoo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(zoo_folder, tmp_path / "zoo")
    monkeypatch.setenv("EDGEFASHION_ZOO", str(copy))
    more = {"bundle": ["-o", "b.zip"], "predict": ["a.png"]}.get(verb, [])
    assert "did you mean cnn?" in typed(verb, "zoo:cnm", *more, code=2)[1]
    (copy / "cnn-int8.onnx").write_bytes(b"damage")
    _, err = typed(verb, "zoo:cnn", *more, code=2)
    assert err.count("\n") == 1
    assert "cnn-int8.onnx, which comes with edgefashion, is damaged" in err
    assert "reinstall edgefashion: pip install --force-reinstall" in err


@pytest.mark.parametrize("words", [["bench"], ["bench", "zoo:cnn"], ["predict", "zoo:cnn", "a.png"]])
def test_no_models_come_along(words: list[str], typed: Say, nothing_along: None) -> None:
    _, err = typed(*words, code=2)
    assert err == (
        "edgefashion: this edgefashion comes without models: name a file, or train one with edgefashion "
        "train\n"
    )
