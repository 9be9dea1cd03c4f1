"""Records with something wrong in them: whoever reads them refuses them in one line, or uses them whole."""

import contextlib
import json
import random
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from edgefashion import bundle, files, zoo
from edgefashion.artifacts import artifact
from edgefashion.artifacts.inspection import tflite_file
from edgefashion.artifacts.inspection.base import Inspection
from edgefashion.artifacts.inspection.text import to_text
from edgefashion.bundle import archive
from edgefashion.cli import _fine_tuning as tuned
from edgefashion.data import Dataset
from edgefashion.errors import EdgefashionError
from edgefashion.evaluation import predictions
from edgefashion.evaluation.predictions import Predictions
from edgefashion.evaluation.results import Results
from edgefashion.prediction.classes import side_by_side
from edgefashion.recipes import RECIPES, overrides
from edgefashion.recipes.selection import recipe
from edgefashion.records.run import Story
from edgefashion.report.card import gather, to_markdown
from edgefashion.training import checkpoints, lineage, runs
from edgefashion.training.fine_tuning import recipe_from

sys.path.insert(0, str(Path(__file__).parents[2] / "tools/bench"))
from mutations import mutated

sys.path.pop(0)

TRIES = 60
"""Of each kind; 2,500 were tried when it was written."""
MODEL = Path(__file__).parents[1] / "files/models/tiny-int8.tflite"
ZOO = Path(zoo.__file__).parent
Use = Callable[[Path], object]


def attempt(record: Any, seed: int, write: Callable[[str], Path], use: Use) -> int:
    """How many of TRIES mutated records are used; the others are refused in one line."""
    source, used = random.Random(seed), 0
    for number in range(TRIES):
        wrong = mutated(record, source)
        path = write(json.dumps(wrong))
        try:
            use(path)
            used += 1
        except EdgefashionError as error:
            assert "\n" not in str(error) or not str(error).isprintable()
        except Exception as error:
            error.add_note(f"number {number} of seed {seed}: {str(wrong)[:3000]}")
            raise
    return used


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models answer at once, and anything."""

    def predict(_: object, images: Any, *__: object) -> Predictions:
        return Predictions(np.eye(10, dtype=np.float32)[np.arange(len(images)) % 10], "LiteRT", "1")

    monkeypatch.setattr(predictions, "predict", predict)


def sidecar() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ZOO / "cnn-64k-int8-qat.tflite.json").read_text())
    return {**found, "sha256": files.sha256(MODEL), "file": MODEL.name}


def story() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ZOO / "zoo.json").read_text())["models"]["cnn-64k"]["runs"][0]
    return found


STORY = msgspec.convert(story(), Story)


def measured(rows: int = 2) -> dict[str, Any]:
    row = {
        **{"model": "cnn", "format": "tflite", "precision": "int8", "target": "any", "kept_float": ["conv1"]},
        **{"runtime": "LiteRT", "runtime_version": "2.3.0", "threads": 1, "path": "cnn.tflite"},
        **{"size_bytes": 1000, "gzip_bytes": 900, "sha256": files.sha256(MODEL), "images": 400},
        **{"accuracy": 0.9, "accuracy_ci95": [0.8, 0.95], "accuracy_delta": -0.1, "agreement": 0.9},
        **{"mcnemar_p": 0.4, "small_run": False, "pinned": [1], "in_process": False, "loops": 1},
        "host": {
            "equal": True,
            "tolerance": 0.0,
            "images": 1,
            "differing_classes": 0,
            "max_logit_error": 0.0,
        },
        "latency_us": {"p50": 10.0, "p90": 11.0, "p99": None, "mean": 10.1, "samples": 130},
        "raw_us": [10.0 + place / 100 for place in range(130)],
        **{"round_samples": [13] * 10, "macs": 5, "energy_mj": 0.1, "peak_rss_mb": 10.0},
        "sustained": [{"at_s": 1.0, "p50_us": 10.0, "temperature_c": 50.0, "mhz": None}],
        "flags": [{"flag": "hot", "why": "60 degrees"}],
        **{"status": "ok", "error": None, "bad_file": False, "note": "slow"},
    }
    device = {
        **{
            "machine": "x86_64",
            "board": None,
            "cpu": "AMD",
            "cores": 2,
            "isa": ["avx2"],
            "memory_mb": 24_105,
        },
        **{"os": "Debian", "date": "2026-11-25T17:13:27+00:00", "emulated": None},
        "before": {"throttled": ["heat"]},
        "after": {"throttled": None},
    }
    data = story()["data"]
    others = {"edgefashion": "1", "verb": "bench", "protocol": {"summary": "quick"}}
    return {"schema": 2, **others, "device": device, "dataset": data, "results": [row] * rows}


def called(*words: object) -> None:
    """A verb; what it says is left to others. Raises EdgefashionError for exit codes other than 0."""
    from click.exceptions import ClickException

    from edgefashion.cli._group import cli as verbs

    with contextlib.suppress(ClickException):
        verbs.main([str(word) for word in words], standalone_mode=False)


def test_results(tmp_path: Path, quick: None, sample: Dataset) -> None:
    sound = tmp_path / "sound.json"
    sound.write_text(json.dumps(measured()))
    outputs = ("--csv", tmp_path / "o.csv", "--markdown", tmp_path / "o.md", "--json", tmp_path / "o.json")
    card = gather("cnn", [STORY], [artifact.read(MODEL)], sample, [sound])
    path = tmp_path / "results.json"

    def write(text: str) -> Path:
        path.write_text(text)
        return path

    def use(path: Path) -> None:
        called("compare", sound, path, *outputs)
        from edgefashion.report.card import data as card_data

        elsewhere = card_data.measured([path], {files.sha256(MODEL)})
        to_markdown(SimpleNamespace(**{**vars(card), "elsewhere": elsewhere}, **methods(card)))  # type: ignore[arg-type]

    assert 0 < attempt(measured(), 1, write, use) < TRIES


def methods(card: Any) -> dict[str, Any]:
    return {name: getattr(card, name) for name in ("deployed", "confusion", "confused")}


@pytest.mark.parametrize("threads", [1])
def test_results_that_are_drawn(threads: int, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "results.json"
    source = random.Random(7)
    for _ in range(TRIES // 10):
        path.write_text(json.dumps(mutated(measured(), source)))
        with contextlib.suppress(EdgefashionError):
            called("compare", path, "--plot", tmp_path / "o.svg")


def test_runs(tmp_path: Path, quick: None, sample: Dataset) -> None:
    folder = tmp_path / "runs/cnn"
    (folder / "artifacts").mkdir(parents=True)
    (folder / runs.MODEL).write_bytes(b"a model")
    shutil.copy(MODEL, folder / "artifacts")
    digest = files.sha256(folder / runs.MODEL)
    (folder / "artifacts" / f"{MODEL.name}.json").write_text(json.dumps(sidecar()))
    info = story()
    info |= {"id": digest[:12], "model": {**info["model"], "sha256": digest}, "history": [{"loss": 0.1}]}

    def write(text: str) -> Path:
        (folder / runs.INFO).write_text(text)
        return folder

    def use(folder: Path) -> None:
        run = runs.read(folder)
        lineage.lineage(run)
        run.recipe.differences(RECIPES["cnn"])
        tuned.compressed(run)
        exported = [artifact.inspect(path) for path in artifact.find(run.artifacts)]
        to_markdown(gather("cnn", lineage.stories([run]), exported, sample))
        recipe_from(run, "qat", sample.checksums)

    assert attempt(info, 2, write, use) == 0  # at the latest it was trained on other data


def test_manifests(tmp_path: Path, quick: None, sample: Dataset) -> None:
    path = tmp_path / MODEL.name
    shutil.copy(MODEL, path)

    def write(text: str) -> Path:
        artifact.manifest_path(path).write_text(text)
        return path

    def use(path: Path) -> None:
        found = artifact.read(path)
        side_by_side([found])
        evidence = gather("cnn", [STORY], [found], sample)
        to_markdown(evidence)
        evidence.results.to_markdown()
        evidence.results.to_csv()

    assert 0 < attempt(sidecar(), 3, write, use) < TRIES


def test_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = {name: value for name, value in sidecar().items() if name not in ("sha256", "verification")}
    path = tmp_path / MODEL.name
    shutil.copy(MODEL, path)
    text = ""
    monkeypatch.setattr(tflite_file, "find_text", lambda *_: text.encode())

    def write(wrong: str) -> Path:
        nonlocal text
        text = wrong
        return path

    def use(path: Path) -> None:
        found = artifact.read(path)
        side_by_side([found])
        to_text([Inspection(str(path), "tflite", 1, [], [], [], [], [], found.metadata)])

    assert attempt(inside, 4, write, use) > 0


def test_the_zoo(tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ZOO.glob("*.*"):
        if path.suffix != ".py":
            shutil.copy(path, tmp_path)
    monkeypatch.setenv("EDGEFASHION_ZOO", str(tmp_path))

    def write(text: str) -> Path:
        (tmp_path / "zoo.json").write_text(text)
        return tmp_path

    def use(folder: Path) -> None:
        found = zoo.open_zoo(folder)
        for name in found.names:
            to_markdown(gather(name, found.runs(name), found.artifacts(name), found.sample()))

    assert attempt(json.loads((ZOO / "zoo.json").read_text()), 5, write, use) < TRIES


def test_bundles(tmp_path: Path, sample: Dataset, quick: None) -> None:
    made = tmp_path / "made.zip"
    bundle.make(made, [artifact.read(MODEL)], sample, 20)
    with zipfile.ZipFile(made) as file:
        members = {name: file.read(name) for name in file.namelist()}
    info = json.loads(members.pop("bundle.json"))

    def write(text: str) -> Path:
        path = tmp_path / "changed.zip"
        archive.write(path, {"bundle.json": text.encode(), **members})
        return path

    def use(path: Path) -> None:
        with bundle.open_bundle(path) as found:
            for each in found.artifacts:
                found.compare(each, found.logits[each.path.name])
            evidence = gather("x", [STORY], found.artifacts, sample)
            Results(evidence.results.device, found.info.dataset, evidence.results.rows).to_markdown()

    assert 0 < attempt(info, 6, write, use) < TRIES


def test_interrupted_trainings(tmp_path: Path) -> None:
    cnn, data = RECIPES["cnn"], {"train": "ab"}
    state = checkpoints.begin(tmp_path / "t", cnn, data)
    state.history, state.best_epoch = [{"val_accuracy": 0.5, "seconds": 1.0, "loss": 0.1}], 1
    state.save()

    def write(text: str) -> Path:
        (state.folder / checkpoints.PROGRESS).write_text(text)
        return state.folder

    def use(folder: Path) -> None:
        checkpoints.has_checkpoint(folder)
        found = checkpoints.resume(folder, cnn, data)
        assert found.last.parent == found.best.parent == folder
        found.add_epoch({"x": np.zeros(1)}, {"val_accuracy": 0.1, "seconds": 1.0})

    assert 0 < attempt(json.loads((state.folder / checkpoints.PROGRESS).read_text()), 7, write, use) < TRIES


LITERALS = (
    *("1", "-1", "0", "1.5", "1e308", "-0.0", "9223372036854775807", "true", '""', '"x"', '"cnn"', '"1"'),
    *("[]", "[1]", "{}", "{a = 1}", "[[]]", "2026-11-25", "07:32:00", "2026-11-25T07:32:00Z", "'''\n'''"),
    *('"\\u001b[2J"', "nan", "inf", "1e999", "9" * 5000, "[" * 100, "0x" + "f" * 400, '"' + "x" * 9000 + '"'),
)


@pytest.mark.parametrize("field", [overrides.BASE, *overrides.FIELDS])
def test_recipes_in_toml(field: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    for literal in LITERALS:
        path.write_text(f"{field} = {literal}\n")
        try:
            found = overrides.read(path)
            recipe(found.recipe or "cnn", **found.fields)
        except EdgefashionError as error:
            assert "\n" not in str(error).strip() or literal == "'''\n'''"
