"""The comparison with the stock conversion: it is a fair one, it is complete, and it refuses in one line."""

import contextlib
import io
import json
import runpy
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import Dataset
from edgefashion.models import ARCHITECTURES
from edgefashion.training.runs import Run

TOOLS = Path(__file__).parents[2] / "tools/bench"
ROUNDS = 2


@dataclass(frozen=True)
class Brief(BenchmarkOptions):
    """Blocks no longer than it takes to have figures."""

    seconds: float = 0.04
    samples: int = 20
    warm_up_seconds: float = 0.02


def bench_stock(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, TOOLS / "against_stock", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(TOOLS)
    return import_module("stock")


@pytest.fixture(scope="module")
def compared(
    trained: Run, sample_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any]]:
    """What a short comparison prints, and its JSON."""
    file = tmp_path_factory.mktemp("stock") / "stock.json"
    options = ("--data", sample_folder, "--calibration-images", "50", "--rounds", str(ROUNDS), "--json", file)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.syspath_prepend(TOOLS)
        main = runpy.run_path(str(TOOLS / "against_stock"))["main"]
        patch.setitem(main.__globals__, "BenchmarkOptions", Brief)
        main([str(word) for word in (trained.folder, *options)])
    return printed.getvalue(), json.loads(file.read_text())


@pytest.mark.parametrize(("name", "size"), [("cnn", None), ("mobilenetv2", 96)])
def test_the_caller_prepares_images_as_training_did(
    stock: ModuleType, sample: Dataset, name: str, size: int | None
) -> None:
    architecture = ARCHITECTURES[name]
    normalization = architecture.normalization
    prepare = stock.Preprocessing(float(normalization.zero_point), 1 / normalization.scale, size)
    image = sample.test.images[:1]
    expected = np.asarray(architecture.prepare(image))
    found = prepare(image)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    # Pillow rounds what it resizes to whole pixels.
    assert np.abs(found - expected).max() <= (normalization.scale if size else 1e-6)


def test_float_models_agree(compared: tuple[str, dict[str, Any]]) -> None:
    (result,) = compared[1]["results"]
    for row in result["rows"]:
        if row["precision"] == "float32":
            assert row["agreement"] == 1
            assert row["mcnemar_p"] == 1
            assert row["stock"]["accuracy"] == row["ours"]["accuracy"] > 0.5


def test_every_figure_is_there(compared: tuple[str, dict[str, Any]]) -> None:
    printed, content = compared
    assert {"cpu", "isa", "date"} <= content["device"].keys()
    assert {"tensorflow", "onnxruntime", "tf2onnx"} <= content["versions"].keys()
    (result,) = content["results"]
    kinds = [(row["format"], row["precision"]) for row in result["rows"]]
    assert kinds == [(form, precision) for form in ("tflite", "onnx") for precision in ("float32", "int8")]
    assert result["images"] == 400
    for row in result["rows"]:
        assert f"{row['format']} {row['precision']}" in printed
        assert len(row["ratio"]["rounds"]) == ROUNDS
        assert row["ratio"]["reached"] == (row["ratio"]["median"] <= row["ratio"]["target"])
        assert row["agreement"] > 0.9
        for side in (row["stock"], row["ours"]):
            assert side["latency_us"]["samples"] == len(side["raw_us"]) >= ROUNDS
            assert side["size_bytes"] > 10_000
    assert set(result["int8_to_float32"]) == {"tflite", "onnx"}


def test_the_run_is_left_as_it_was(compared: tuple[str, dict[str, Any]], trained: Run) -> None:
    assert compared[1]["results"][0]["run_id"] == trained.id
    assert not trained.artifacts.exists()


def test_no_run_is_one_line(tmp_path: Path) -> None:
    done = bench_stock("--runs", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path) in done.stderr
