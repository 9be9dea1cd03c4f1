"""Latency over minutes as a picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgefashion.benchmarking.plot import plot
from edgefashion.records.device import Device
from edgefashion.records.results import Row

FigureOf = Callable[[Callable[[Path], object]], Any]
DEVICE = msgspec.convert({"board": "Raspberry Pi 4", "date": "2026-11-20T10:00:00+00:00"}, Device)


def _row(number: int, warm: bool = True) -> Row:
    points = [
        {"at_s": 60.0 * minute, "p50_us": 9.0 + 0.3 * number + 0.01 * minute}
        | {"temperature_c": 50.0 + 0.1 * minute if warm else None, "mhz": 1800.0 if warm else None}
        for minute in range(11)
    ]
    row = {"model": "cnn", "format": "tflite", "precision": "int8", "runtime": "LiteRT", "threads": 1}
    file = {"path": f"a folder/a model of a long name {number}-int8.tflite", "status": "ok", "error": None}
    measured = {"accuracy": None, "latency_us": {}, "note": None, "sustained": points, "size_bytes": 1}
    return msgspec.convert({**row, **file, **measured}, Row)


@pytest.mark.parametrize("count", [1, 40])
def test_a_speck_of_heat_is_no_rise(count: int, figure_of: FigureOf) -> None:
    rows = [_row(number) for number in range(count)]
    latency, temperature, clock = figure_of(lambda path: plot(rows, DEVICE, path)).axes
    assert latency.get_ylim()[0] == clock.get_ylim()[0] == 0
    assert temperature.get_ylim() == (20, 90)
    assert len(latency.lines) >= count and bool(latency.texts) == (count > 1)


def test_what_is_not_known_is_not_drawn(figure_of: FigureOf) -> None:
    (latency,) = figure_of(lambda path: plot([_row(0, warm=False)], DEVICE, path)).axes
    assert latency.get_ylabel() == "latency (p50), µs"


def test_latencies_far_apart_have_a_logarithmic_axis(figure_of: FigureOf) -> None:
    (latency,) = figure_of(lambda path: plot([_row(0, False), _row(900, False)], DEVICE, path)).axes
    assert latency.get_yscale() == "log" and latency.get_ylim()[0] < 5
