"""Results files as devices would write them, with samples drawn at random."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from edgefashion.evaluation.results import Results
from edgefashion.records.device import Device
from edgefashion.records.results import Row
from edgefashion.report import compare
from edgefashion.report.compare import Comparison, DeviceResults

DATASET: dict[str, Any] = {
    "name": "Fashion-MNIST",
    "complete": True,
    "checksums": {"t10k-images-idx3-ubyte": "ab"},
    "counts": {"train": 60_000, "test": 10_000},
}
SIZES = {"float32": 904_320, "int8": 241_088}


class Rows:
    """Makes rows; the same seed, the same samples."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def __call__(self, p50: float, precision: str = "float32", rounds: int = 25, **changes: Any) -> Row:
        """A row whose rounds differ by 1 %, and whose samples are 10 % slower at times."""
        counts = [40] * rounds
        moods = p50 * self.random.normal(1, 0.01, rounds)
        raw = np.repeat(moods, 40) * (1 + self.random.exponential(0.02, 40 * rounds))
        row = {
            "model": "cnn",
            "format": "tflite",
            "precision": precision,
            "runtime": "LiteRT",
            "runtime_version": "2.3.0",
            "threads": 1,
            "path": f"cnn-{precision}.tflite",
            "size_bytes": SIZES[precision],
            "sha256": f"{precision}-made-once",
            "images": 10_000,
            "accuracy": 0.9044,
            "accuracy_ci95": [0.8985, 0.91],
            "latency_us": {
                "p50": round(float(np.median(raw)), 3),
                "p90": round(float(np.percentile(raw, 90)), 3),
                "p99": None,
                "mean": round(float(raw.mean()), 3),
                "samples": len(raw),
            },
            "small_run": False,
            "status": "ok",
            "error": None,
            "bad_file": False,
            "note": None,
            "raw_us": [round(float(sample), 3) for sample in raw],
            "round_samples": counts,
        }
        return msgspec.convert({**row, **changes}, Row)


@pytest.fixture
def rows() -> Rows:
    return Rows(seed=1)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a results file: write("pi5.json", [row, ...], board="Raspberry Pi 5")."""

    def written(name: str, rows: list[Row], dataset: dict[str, Any] | None = DATASET, **device: Any) -> Path:
        path = tmp_path / name
        machine = {
            "machine": "aarch64",
            "board": None,
            "cpu": "Cortex-A76",
            "cores": 4,
            "isa": ["asimd", "asimddp"],
            "os": "Debian GNU/Linux 12 (bookworm)",
            "date": "2026-11-20T10:00:00+00:00",
            "emulated": None,
            **device,
        }
        content = Results(replace(Device(), **machine), None, rows, "bench").to_dict()
        path.write_text(json.dumps({**content, "dataset": dataset}))
        return path

    return written


@pytest.fixture
def joined() -> Callable[..., Comparison]:
    """Joins results files: joined([path, ...], against="2")."""

    def join(paths: list[Path], against: str | None = None) -> Comparison:
        sources: list[DeviceResults] = compare.name_all(compare.read_all(paths).files)
        return compare.compare(sources, compare.choose(sources, against))

    return join
