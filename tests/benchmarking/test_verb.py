"""`edgefashion bench`, with fakes and on small real models."""

import csv
import json
import signal
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from edgefashion import bundle
from edgefashion.artifacts import artifact
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.bundle import Bundle
from edgefashion.cli import main
from edgefashion.cli._next_step import after_benchmark, after_evaluation
from edgefashion.data import Dataset
from edgefashion.evaluation.results import Results
from edgefashion.installation import pip_install
from edgefashion.records.device import Device
from edgefashion.records.manifest import Manifest
from edgefashion.records.results import Flag, Host, Row

DATA = Path(__file__).parents[1] / "files"
MODELS, FOREIGN = DATA / "models", DATA / "foreign-models"
QUICK = ("--threads", "1", "--seconds", "0.01")
Fake = Callable[..., Path]


def row(**changes: Any) -> Row:
    fields = {"model": "m", "format": "tflite", "precision": None, "path": "m.tflite", "accuracy": None}
    fields |= {"runtime": None, "threads": 1, "latency_us": {}, "status": "ok"}
    return msgspec.convert({**fields, **changes}, Row)


@pytest.fixture(scope="module")
def bundled(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files of one tiny model, and 50 images."""
    path = tmp_path_factory.mktemp("bundles") / "tiny.zip"
    names = ("tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx")
    bundle.make(path, [artifact.read(MODELS / name) for name in names], sample, 50)
    return path


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple[dict[str, Any], str]]:
    """Runs the verb; gives the JSON it wrote, and what it printed."""

    def run(*arguments: object, code: int = 0) -> tuple[dict[str, Any], str]:
        path = tmp_path / "results.json"
        with pytest.raises(SystemExit) as stopped:
            quick = QUICK[:2] if "--full" in arguments else QUICK
            main(["bench", *quick, *map(str, arguments), "--json", str(path)])
        captured = capsys.readouterr()
        assert (stopped.value.code or 0) == code, captured.err
        assert "Traceback" not in captured.err
        said = [line for line in captured.err.splitlines() if line.startswith("edgefashion: ")]
        assert len(said) == (code != 0)
        return (json.loads(path.read_text()) if path.exists() else {}), captured.out + "".join(said)

    return run


Bench = Callable[..., tuple[dict[str, Any], str]]


def test_a_bundle_has_accuracy_latency_and_the_hosts_answers(bench: Bench, bundled: Path) -> None:
    content, text = bench(bundled, "--pin", "0")
    assert (content["verb"], content["schema"]) == ("bench", 2)
    assert content["dataset"]["counts"]["test"] == 400
    assert content["protocol"]["seconds"] == 0.01 and content["protocol"]["drawn_from"]
    assert content["device"]["before"] and content["device"]["during"] and content["device"]["after"]
    rows = content["results"]
    assert [row["path"] for row in rows] == [
        f"{bundled}:{name}" for name in ("tiny-float32.tflite", "tiny-int8.tflite", "tiny-float32.onnx")
    ]
    for row in rows:
        assert (row["images"], row["host"]["images"], row["host"]["equal"]) == (50, 50, True)
        assert row["host"]["differing_classes"] == 0
        assert row["latency_us"]["samples"] == len(row["raw_us"]) == sum(row["round_samples"]) >= 1000
        assert row["pinned"] == [0]
        assert row["macs_per_s"] == pytest.approx(row["macs"] * 1e6 / row["latency_us"]["p50"])
        assert row["limit_macs_per_s"] > row["macs"]
        assert row["inferences_per_s"] == pytest.approx(1e6 / row["latency_us"]["mean"])
    assert "Host: 3 of 3 files answer as they did" in text
    assert "Protocol: each file in a process of its own, pinned to CPU 0" in text
    assert "50 of 400 test images" in text


def test_any_file_is_timed_without_data(bench: Bench, tmp_path: Path) -> None:
    table = tmp_path / "r.csv"
    content, text = bench(FOREIGN / "two-inputs.tflite", MODELS / "tiny-int8.tflite", "--csv", table)
    assert content["dataset"] is None
    for row in content["results"]:
        assert row["status"] == "ok" and row["latency_us"]["p50"] > 0
        assert row["accuracy"] is row["images"] is row["host"] is None
    assert "Accuracy" not in text and "Latency" in text
    cells = list(csv.DictReader(table.open()))
    assert [row["accuracy"] for row in cells] == ["", ""]
    assert all(float(row["p50_us"]) > 0 for row in cells)


def test_bundles_and_files_at_once(bench: Bench, bundled: Path, fake: Fake) -> None:
    content, _ = bench(bundled, bundled, fake(), bundled, "--in-process")
    assert [row["accuracy"] is None for row in content["results"]] == [False, False, False, True]


def test_an_emulated_processor_has_no_latency(
    bench: Bench, bundled: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFASHION_EMULATED", "qemu-aarch64")
    monkeypatch.setattr("subprocess.Popen", None)  # it has no child processes either
    content, text = bench(bundled, fake("fine"), "--in-process", "--strict")
    assert content["device"]["emulated"] == "qemu-aarch64"
    assert content["protocol"] is None
    for row in content["results"]:
        assert row["status"] == "ok" and row["runtime_version"]
        assert set(row["latency_us"].values()) == {None, 0}
        timed = ("load_ms", "first_inference_us", "inferences_per_s", "macs_per_s", "limit_macs_per_s")
        assert [row[name] for name in timed] == [None] * 5
        assert row["raw_us"] == []
    assert "µs" not in text and "inf/s" not in text and " ms" not in text
    assert "emulated by qemu-aarch64: nothing was timed" in text
    assert "Host: 3 of 3" in text
    content, text = bench(fake("broken", infer="out of luck"), "--in-process", code=1)
    assert "out of luck" in content["results"][0]["error"]


def test_a_crash_is_a_row_and_the_others_go_on(bench: Bench, fake: Fake) -> None:
    content, text = bench(fake("crash", infer="SIGSEGV"), fake("fine"), code=1)
    crashed, fine = content["results"]
    assert crashed["status"] == "failed" and "SIGSEGV" in crashed["error"]
    assert fine["status"] == "ok" and fine["latency_us"]["p50"]
    assert "Failed: Fake 1.0 died with SIGSEGV" in text


def test_an_open_shape_is_bad_input_and_the_others_go_on(bench: Bench, fake: Fake) -> None:
    content, text = bench(FOREIGN / "open-shape.onnx", fake("fine"), code=2)
    assert [row["status"] for row in content["results"]] == ["failed", "ok"]
    assert "has an open shape, float32 [?, ?, 3]" in text


def test_a_runtime_that_is_not_installed_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = MODELS / "tiny-float32.onnx"
    content, text = bench(path, MODELS / "tiny-int8.tflite", "--in-process", code=1)
    assert [row["status"] for row in content["results"]] == ["failed", "ok"]
    assert pip_install("onnx") in text


def test_foreign_content_is_bad_input(bench: Bench, tmp_path: Path) -> None:
    empty, foreign = tmp_path / "empty.zip", tmp_path / "foreign.zip"
    zipfile.ZipFile(empty, "w").close()
    with zipfile.ZipFile(foreign, "w") as file:
        file.writestr("a.txt", "hello")
    for path in (empty, foreign):
        content, text = bench(path, code=2)
        assert not content and path.name in text
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"nothing")
    content, text = bench(damaged, code=2)
    assert content["results"][0]["bad_file"] and "cannot be loaded" in text


def test_bundles_of_different_data_are_measured_apart(
    bench: Bench, bundled: Path, sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.zip"
    describe = structs.replace(sample.describe(), name="Other")
    monkeypatch.setattr(Dataset, "describe", lambda _: describe)
    bundle.make(other, [artifact.read(MODELS / "tiny-int8.tflite")], sample, 10)
    _, text = bench(bundled, other, code=2)
    assert "other.zip is of other data than what is before it" in text


def test_strict_makes_a_flag_an_error(bench: Bench, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Flag] = []
    monkeypatch.setattr("edgefashion.benchmarking.flags", lambda *_: found)
    bench(fake(), "--strict")
    found.append(Flag(flag="hot", why="up to 99 °C"))
    bench(fake())
    content, text = bench(fake(), "--strict", code=1)
    assert content["results"][0]["flags"] == [{"flag": "hot", "why": "up to 99 °C"}]
    assert "! hot" in text and "--strict: 1 of 1 rows are flagged" in text


def test_strict_wants_the_hosts_answers(bench: Bench, bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Host(images=50, differing_classes=2, max_logit_error=1.5, tolerance=0.0, equal=False)
    monkeypatch.setattr("edgefashion.benchmarking.flags", lambda *_: [])
    monkeypatch.setattr(Bundle, "compare", lambda *_: other)
    _, text = bench(bundled, "--strict", "--in-process", code=1)
    assert "differs" in text and "3 files do not answer as on the host" in text
    assert "2 of 50 images are of another class" in text


def test_full_has_the_bound_that_mlperf_wants(
    bench: Bench, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = BenchmarkOptions(seconds=0.01, samples=100, rounds=10, warm_up_seconds=0, full=True)
    monkeypatch.setattr("edgefashion.benchmarking.full", lambda: short)
    content, text = bench(fake(delay_us=200), "--full", "--in-process")
    [row] = content["results"]
    assert row["latency_us"]["p90"] <= row["p90_bound_us"] <= max(row["raw_us"])
    assert "p90 bound µs" in text and "MLPerf single stream" in text


def test_ctrl_c_prints_and_writes_what_was_measured(bench: Bench, fake: Fake, tmp_path: Path) -> None:
    def press() -> None:
        while trace.read_text().count("\n") < 2500:  # half a second of warm-up, and more than a block
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    trace = tmp_path / "calls"
    trace.touch()
    thread = threading.Thread(target=press)
    thread.start()
    path = fake(delay_us=1000, trace=str(trace))
    content, text = bench(path, "--seconds", "60", code=130)
    thread.join()
    [row] = content["results"]
    assert [flag["flag"] for flag in row["flags"]] == ["interrupted"]
    assert row["latency_us"]["p50"] > 1000 and row["raw_us"]
    assert "! interrupted" in text and "what was finished is kept" in text


def test_sustained_load_is_in_the_table_the_json_and_a_picture(
    bench: Bench, fake: Fake, tmp_path: Path
) -> None:
    picture = tmp_path / "heat.png"
    content, text = bench(fake(delay_us=500), "--sustained", "0.01", "--plot", picture)
    assert len(content["results"][0]["sustained"]) > 3
    assert "Sustained load" in text
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_full_disk_comes_after_the_table(bench: Bench, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    content, text = bench(fake(), code=2)
    assert content == {}
    assert "Latency and memory" in text and "p50" in text
    assert "cannot write" in text and "No space left on device" in text


@pytest.mark.parametrize(
    ("names", "sustained", "json_file", "expected"),
    [
        (("a b.onnx",), 0, None, "edgefashion bench 'a b.onnx' --sustained 10  # what heat does"),
        (
            ("a.onnx",),
            10,
            None,
            "edgefashion bench a.onnx --json FILE.json  # to compare it with other computers",
        ),
        (("a.onnx",), 0, Path("r.json"), "edgefashion compare r.json OTHER.json  # one of another computer"),
        (("zoo:cnn-64k",), 0, None, "edgefashion predict zoo:cnn-64k PICTURE.jpg"),
        ((), 0, None, "edgefashion bench --sustained 10  # what heat does\nedgefashion predict zoo:"),
    ],
)
def test_what_comes_next_is_something_new(
    names: tuple[str, ...], sustained: float, json_file: Path | None, expected: str
) -> None:
    found = Results(Device(), None, [row()], "bench", {"sustained_minutes": sustained})
    assert expected in "\n".join(after_benchmark(names, found, json_file))
    assert after_benchmark(names, replace(found, rows=[row(status="failed")]), json_file) == []
    assert after_benchmark(names, replace(found, protocol=None), json_file) == []


def test_after_an_evaluation_the_best_model_is_used(tmp_path: Path) -> None:
    paths = [tmp_path / "runs/cnn/artifacts" / name for name in ("cnn-int8.onnx", "cnn-float32.onnx")]
    own = Manifest(run="cnn", run_id="0", precision="int8", small_run=False, sha256="0" * 64)
    artifacts = [artifact.Artifact(path, own) for path in paths]
    rows = [row(path=str(path), accuracy=share) for path, share in zip(paths, (0.9, 0.8), strict=True)]
    assert after_evaluation(artifacts, Results(Device(), None, rows)) == [
        f"edgefashion predict {paths[0]} PICTURE.jpg",
        f"edgefashion bundle {tmp_path}/runs/cnn -o cnn.zip",
        f"edgefashion card {tmp_path}/runs/cnn -o CARD.md",
    ]
    better = [row(path=str(path), accuracy=share) for path, share in zip(paths, (0.8, 0.9), strict=True)]
    floats = artifact.Artifact(paths[1], structs.replace(own, precision="float32"))
    assert after_evaluation([artifacts[0], floats], Results(Device(), None, better))[0] == (
        f"edgefashion predict {paths[0]} PICTURE.jpg"
    )
    alone = [artifact.Artifact(paths[1], None)]
    assert after_evaluation(alone, Results(Device(), None, rows[1:]))[-1].endswith("PICTURE.jpg")
    assert after_evaluation(alone, Results(Device(), None, [row(accuracy=None)])) == []
