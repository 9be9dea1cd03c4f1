"""JSON and TOML that nobody means well: one line and exit code 2 from every verb that reads it, or a row."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion import files
from edgefashion.cli import main

HERE = Path(__file__).parents[1]
SHARED = HERE.parents[1] / "shared/data/cases/hostile"
FOLDER = SHARED if SHARED.is_dir() else HERE / "files/cases/hostile"
MODEL = HERE / "files/models/tiny-int8.tflite"
NOT_RESULTS = ("manifest-", "run-", "zoo-")
HARMLESS = {"injection.json", "mathtext.json"}
"""Names that act on what shows them, in files that are right: see test_sinks.py."""


def found(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in FOLDER.glob(pattern))


def ids(path: Path) -> str:
    return path.name


Verb = Callable[..., str]


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Verb:
    """Calls a verb that has to end with a code; gives what it says on stdout."""

    def call(*words: object, code: int = 2) -> str:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        assert "Traceback" not in said.err
        if code:
            assert said.err.splitlines()[-1].startswith("edgefashion: ")
        return said.out

    return call


@pytest.mark.parametrize(
    "path", [each for each in found("*.json") if not each.name.startswith(NOT_RESULTS)], ids=ids
)
def test_as_results(path: Path, verb: Verb, tmp_path: Path) -> None:
    outputs = ("--csv", tmp_path / "o.csv", "--markdown", tmp_path / "o.md", "--plot", tmp_path / "o.png")
    code = 0 if path.name in HARMLESS else 2
    assert bool(verb("compare", path, *outputs, code=code)) == (code == 0)


@pytest.mark.parametrize("path", found("*.json"), ids=ids)
def test_as_a_run(path: Path, verb: Verb, tmp_path: Path, sample_folder: Path) -> None:
    run = tmp_path / "runs/cnn"
    (run / "artifacts").mkdir(parents=True)
    (run / "model.keras").write_bytes(b"a model")
    shutil.copy(MODEL, run / "artifacts")
    text = path.read_text()
    digest = files.sha256(run / "model.keras")
    try:
        own = json.loads(text)
        changed = {**own, "id": digest[:12], "model": {**own["model"], "sha256": digest}}
        text = json.dumps(changed)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # as it is
    (run / "run.json").write_text(text)
    data = ("--runs", run.parent, "--data", sample_folder)
    assert not verb("card", "cnn", "-o", tmp_path / "card.md", *data)
    assert not verb("train", "--qat", "cnn", *data)


@pytest.mark.parametrize("path", found("*.json"), ids=ids)
def test_as_a_manifest(path: Path, verb: Verb, tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path)
    shutil.copy(path, tmp_path / f"{MODEL.name}.json")
    model = tmp_path / MODEL.name
    assert not verb("bench", model, "--threads", 1, "--seconds", 0.01)
    assert not verb("bundle", model, "-o", tmp_path / "b.zip", "--data", HERE / "files/fashion-mnist-sample")


@pytest.mark.parametrize("path", found("*.json"), ids=ids)
def test_as_what_comes_along(path: Path, verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(path, tmp_path / "zoo.json")
    monkeypatch.setenv("EDGEFASHION_ZOO", str(tmp_path))
    assert not verb("bench")
    assert not verb("predict", "zoo:cnn-64k", "--index", 1)
    assert not verb("inspect", "zoo:cnn-64k")


@pytest.mark.parametrize("path", found("*.toml"), ids=ids)
def test_as_a_recipe(path: Path, verb: Verb) -> None:
    assert not verb("train", "--config", path)
