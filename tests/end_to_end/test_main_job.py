"""The verbs, one after the other, as a user types them, on the small sample."""

import contextlib
import csv
import gzip
import hashlib
import json
import platform
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import bundle
from edgefashion.artifacts import artifact
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.cli import main
from edgefashion.data import Dataset, fashion_mnist, idx, locate

KINDS = {("tflite", "float32"), ("tflite", "int8"), ("onnx", "float32"), ("onnx", "int8")}
FILES = "runs/cnn-limit-600/artifacts/cnn-limit-600"
FAST = ("--calibration", "min-max", "--calibration-images", 50)
QUICK = ("--seconds", 0.01, "--threads", 1, "--in-process")
"""How files are measured where no crash is to be survived: other tests run each in a process of its own."""
BRIEF = replace(BenchmarkOptions().lasting(0.01), samples=10, rounds=1, in_process=True)
KILLED = """
import os, signal, sys
from edgefashion.cli import export, main
said = export.say
def say(line):
    said(line)
    if "agrees with" in line:
        os.kill(os.getpid(), signal.SIGKILL)
export.say = say
main(sys.argv[1:])
"""
"""A process that is killed when its first file is made."""
Typed = Callable[..., Any]


@contextlib.contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """A block in which this process can write no larger file, in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, sample_folder: Path) -> Path:
    """A folder in which `edgefashion run --smoke --threads 1` was typed once."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(locate.VARIABLE, raising=False)
        patch.setattr("edgefashion.cli._protocol.protocol_for", lambda *_, **__: BRIEF)
        with pytest.raises(SystemExit) as ended:
            main(["run", "--smoke", "--threads", "1", "--data", str(sample_folder)])
    assert not ended.value.code
    return folder


@pytest.fixture
def runs(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of its runs that a test may damage; the current folder is the parent."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(home / "runs", tmp_path / "runs"))


def test_run_writes_every_artifact_and_the_results(home: Path) -> None:
    content = json.loads((home / "runs/results-small.json").read_text())
    assert content["schema"] == 2
    assert {(row["format"], row["precision"]) for row in content["results"]} == KINDS
    for row in content["results"]:
        assert row["status"] == "ok"
        assert row["small_run"]
        assert row["images"] == 400
        assert row["latency_us"]["samples"] == len(row["raw_us"]) >= BRIEF.samples
        assert (home / row["path"]).stat().st_size == row["size_bytes"]


def test_a_second_run_reuses_what_is_valid_and_makes_again_what_is_damaged(
    typed: Typed, runs: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, damaged = runs / "cnn-limit-600/model.keras", runs.parent / f"{FILES}-int8.tflite"
    before = model.stat().st_mtime_ns
    monkeypatch.setattr("edgefashion.cli._protocol.protocol_for", lambda *_, **__: BRIEF)
    damaged.write_bytes(damaged.read_bytes()[:1000])
    done = typed("run", "--smoke", "--data", sample_folder, "--threads", "1")
    assert model.stat().st_mtime_ns == before
    assert "reusing runs/cnn-limit-600," in done.stderr
    assert done.stderr.count("reusing") == 1 + len(KINDS) - 1
    assert artifact.read(damaged).precision == "int8"
    assert "(small run)" in done.stdout
    assert "next: " in done.stderr


def test_run_does_not_replace_a_run_of_another_recipe(typed: Typed, runs: Path, sample_folder: Path) -> None:
    arguments = ["run", "--smoke", "--data", sample_folder, "--seed", "5"]
    done = typed(*arguments, code=2)
    assert "runs/cnn-limit-600 exists" in done.error


def test_export_gives_float32_and_int8_of_the_format_typed(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    shutil.rmtree(runs / "cnn-limit-600/artifacts")
    typed("export", "--format", "tflite", "--data", sample_folder, "--calibration-images", 50)
    names = sorted(path.name for path in (runs / "cnn-limit-600/artifacts").iterdir())
    assert names == [
        "cnn-limit-600-float32.tflite",
        "cnn-limit-600-float32.tflite.json",
        "cnn-limit-600-int8.tflite",
        "cnn-limit-600-int8.tflite.json",
    ]


def test_a_file_made_for_another_processor_is_warned_of(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    other = "arm64" if platform.machine() == "x86_64" else "x86-vnni"
    wanted = ("--format", "onnx", "--precision", "int8", "--target", other, *FAST)
    typed("export", *wanted, "--data", sample_folder)
    path = f"{FILES}-int8-{other}.onnx"
    done = typed("evaluate", *QUICK, path, "--limit", 20, "--data", sample_folder)
    assert f"int8 {other}" in done.stdout
    assert f"made for {other}" in done.stdout


def test_export_measures_how_to_calibrate_and_records_it(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    wanted = ("--format", "onnx", "--precision", "int8", "--data", sample_folder, "--calibration-images", 50)
    done = typed("export", *wanted)
    (kept,) = [line.split()[0] for line in done.stderr.splitlines() if "; kept: the least" in line]
    path = Path(f"{FILES}-int8.onnx")
    measured = json.loads(artifact.manifest_path(path).read_text())["calibration"]
    assert (measured["method"], list(measured["measured"])) == (kept, ["min-max", "percentile", "entropy"])
    kept = typed("export", *wanted)
    assert f"reusing {path}, which is up to date" in kept.stderr
    assert "calibration" not in kept.stderr
    assert "; kept: the least" in typed("export", *wanted, "--force").stderr
    typed("export", *wanted, "--calibration", "entropy")
    asked = json.loads(artifact.manifest_path(path).read_text())["calibration"]
    assert (asked["method"], asked["chosen"]) == ("entropy", "asked for")


def test_what_cannot_calibrate_is_one_line_and_changes_nothing(
    typed: Typed, runs: Path, sample_folder: Path, sample: Dataset, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*")}

    def refused(*arguments: object) -> str:
        return str(typed("export", *arguments, code=2).error)

    only_tflite = ("--format", "tflite", "--calibration", "entropy")
    assert "add --format onnx --precision int8" in refused(*only_tflite, "--data", sample_folder)
    too_many = ("--calibration-images", 100_000)
    assert "out of 1100: ask for 1 to 1100" in refused(*too_many, "--data", sample_folder)
    folder = Path(shutil.copytree(sample_folder, tmp_path / "trousers"))
    declare(folder, fashion_mnist.TRAIN_LABELS, idx.pack(np.ones_like(sample.train.labels)))
    assert "the class T-shirt/top has 0 training images" in refused("--data", folder)
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*")} == before


def declare(folder: Path, name: str, raw: bytes) -> None:
    """Put `raw` into a folder of the data set, and its checksum into SHA256SUMS."""
    path, sums = idx.gzip_path(folder, name), folder / "SHA256SUMS"
    old = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    path.write_bytes(gzip.compress(raw))
    sums.write_text(sums.read_text().replace(old, hashlib.sha256(raw).hexdigest()))


def test_an_export_killed_half_way_leaves_whole_files_and_goes_on(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    folder = runs / "cnn-limit-600/artifacts"
    shutil.rmtree(folder)
    words = ["export", "--format", "tflite", "--data", sample_folder, *FAST]
    ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)])
    assert ended.returncode == -signal.SIGKILL
    assert [path.name for path in artifact.find(folder)] == ["cnn-limit-600-float32.tflite"]
    artifact.read(folder / "cnn-limit-600-float32.tflite")
    typed(*words)
    assert [artifact.read(path).precision for path in artifact.find(folder)] == ["float32", "int8"]


def test_a_pruned_run_is_made_exported_and_compared_with_its_base(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    options = ["--data", sample_folder]
    prune = ["train", "--prune", 0.9, "--from", "cnn-limit-600", "--epochs", 1]
    done = typed(*prune, *options)
    assert "runs/cnn-limit-600-pruned-0.9: epoch " in done.stderr
    assert "90.0% of 223,232 weights are zero in 2 layers" in done.stderr
    done = typed("train", "--cluster", 4, "--from", "cnn-limit-600-pruned-0.9", *options, code=2)
    assert "is pruned already: name the float run it was made from, runs/cnn-limit-600" in done.error
    typed("export", "cnn-limit-600-pruned-0.9", "--format", "tflite", *FAST, *options)
    typed("evaluate", *QUICK, "--limit", 100, "--json", "r.json", *options)
    rows = json.loads((runs.parent / "r.json").read_text())["results"]
    tflite = {
        (row["model"].removeprefix("cnn-limit-600"), row["precision"]): row
        for row in rows
        if row["format"] == "tflite"
    }
    assert len(rows) == 6
    for precision in ("float32", "int8"):
        base, pruned = tflite["", precision], tflite["-pruned-0.9", precision]
        assert pruned["gzip_bytes"] < 0.5 * base["gzip_bytes"]
        assert pruned["size_bytes"] == pytest.approx(base["size_bytes"], rel=0.01)
        assert pruned["accuracy_delta"] == pytest.approx(
            pruned["accuracy"] - tflite["", "float32"]["accuracy"]
        )


def test_evaluate_writes_json_csv_and_markdown(typed: Typed, runs: Path, sample_folder: Path) -> None:
    file = f"{FILES}-float32.tflite"
    outputs = ["--json", "r.json", "--csv", "r.txt", "--markdown", "r.out"]
    typed("evaluate", *QUICK, file, "--data", sample_folder, *outputs)
    (row,) = json.loads((runs.parent / "r.json").read_text())["results"]
    with (runs.parent / "r.txt").open() as text:
        (line,) = csv.DictReader(text)
    assert float(line["accuracy"]) == row["accuracy"]
    assert f"{row['accuracy'] * 100:.2f}" in (runs.parent / "r.out").read_text()


def test_a_bad_file_is_a_row_and_the_others_are_measured(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    sound = Path(f"{FILES}-int8.tflite")
    truncated, foreign = runs / "truncated.tflite", runs / "foreign.onnx"
    truncated.write_bytes(sound.read_bytes()[:20_000])
    foreign.write_bytes(b"no model at all")
    files = [truncated, foreign, sound]
    options = ["--threads", 1, "--data", sample_folder, "--json", "r.json"]
    done = typed("evaluate", "--seconds", 0.01, *files, *options, code=2)
    rows = json.loads((runs.parent / "r.json").read_text())["results"]
    assert [row["status"] for row in rows] == ["failed", "failed", "ok"]
    assert "truncated.tflite" in done.error
    assert "foreign.onnx" in done.error


def test_a_damaged_artifact_of_a_run_is_a_row_too(typed: Typed, runs: Path, sample_folder: Path) -> None:
    damaged = Path(f"{FILES}-int8.onnx")
    damaged.write_bytes(damaged.read_bytes()[:1000])
    done = typed("evaluate", *QUICK, "--data", sample_folder, "--json", "r.json", code=2)
    rows = json.loads((runs.parent / "r.json").read_text())["results"]
    assert sorted(row["status"] for row in rows) == ["failed", "ok", "ok", "ok"]
    assert "is not the file its manifest describes" in done.error


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda run: (run / "model.keras").unlink(), "has no model.keras"),
        (lambda run: (run / "model.keras").write_bytes(b"x"), "model.keras is damaged"),
        (lambda run: (run / "run.json").write_text("{"), "run.json is damaged"),
        (lambda run: (run / "run.json").unlink(), "has no run.json"),
    ],
)
def test_a_damaged_run_is_named(
    typed: Typed, runs: Path, sample_folder: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(runs / "cnn-limit-600")
    for verb in ("export", "evaluate"):
        done = typed(verb, "cnn-limit-600", "--data", sample_folder, code=2)
        assert said in done.error


def test_a_full_disk_while_exporting_leaves_the_old_artifacts(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    artifacts = runs / "cnn-limit-600/artifacts"
    before = {path.name: path.read_bytes() for path in artifacts.iterdir()}
    with no_file_above(600_000):
        done = typed("export", "--force", "--data", sample_folder, code=2)
    assert "File too large" in done.stderr.splitlines()[-1]
    assert {path.name: path.read_bytes() for path in artifacts.iterdir()} == before


def test_a_bundle_of_all_runs_answers_as_evaluate_did(typed: Typed, runs: Path, sample_folder: Path) -> None:
    done = typed("bundle", "-o", "all.zip", "--data", sample_folder)
    rows = json.loads((runs / "results-small.json").read_text())["results"]
    with bundle.open_bundle(runs.parent / "all.zip") as found:
        accuracies = {
            (each.format, each.precision): np.mean(
                found.logits[each.path.name].argmax(axis=1) == found.labels
            )
            for each in found.artifacts
        }
        exact = [each.file for each in found.info.artifacts if each.tolerance == 0]
    assert accuracies == {(row["format"], row["precision"]): row["accuracy"] for row in rows}
    assert exact == ["cnn-limit-600-int8.tflite"]
    assert done.stdout.count("equal to the bit") == 1


def test_a_damaged_artifact_is_not_bundled(typed: Typed, runs: Path, sample_folder: Path) -> None:
    damaged = Path(f"{FILES}-int8.onnx")
    damaged.write_bytes(damaged.read_bytes()[:1000])
    done = typed("bundle", "-o", "all.zip", "--data", sample_folder, code=2)
    assert "is not the file its manifest describes" in done.error
    assert not (runs.parent / "all.zip").exists()


def test_results_that_could_not_be_written_are_not_measured(
    typed: Typed, runs: Path, sample_folder: Path
) -> None:
    (runs.parent / "file").write_text("")
    options = ["--threads", 1, "--data", sample_folder, "--json", "file/r.json"]
    done = typed("evaluate", "--seconds", 0.05, *options, code=2)
    assert "file/r.json" in done.error
    assert done.stdout == ""


def test_data_describes_and_draws(
    typed: Typed, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = typed("data", "--data", sample_folder, "--plot", "grid.png")
    assert "1100 x 28 x 28 x 1" in done.stdout
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    typed("data", "--data", sample_folder, "--plot", "one.svg", "--index", 3)
    assert "<svg" in (tmp_path / "one.svg").read_text()
    done = typed("data", "--data", sample_folder, "--plot", "x.png", "--index", 1200, code=2)
    assert "1200" in done.error
