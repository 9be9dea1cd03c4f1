"""Results files: the sound ones once each, and what is wrong with the others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion import files, results
from edgefashion.errors import BadInput
from edgefashion.results import Results

_TEXTS = ("model", "format", "target", "path", "status")
_TEXTS_OR_NONE = ("precision", "runtime", "runtime_version", "sha256", "note", "error")
_NUMBERS_OR_NONE = ("accuracy", "images", "size_bytes", "energy_mj")
_PERCENTILES = ("p50", "p90", "p99", "mean", "samples")
_OF_DEVICE = ("board", "cpu", "machine", "os", "date", "emulated")


@dataclass(frozen=True)
class File:
    """What was measured, and every path it was given as, the first one first."""

    paths: tuple[Path, ...]
    results: Results


def read_all(paths: Sequence[Path]) -> tuple[list[File], list[str]]:
    """The results in these files, and a line for each that is left out and why.

    Files that are the same to the byte are one. Raises BadInput when there is no sound one.
    """
    found: dict[str, File] = {}
    left_out: list[str] = []
    for path in paths:
        try:
            own = _read(path)
            digest = files.sha256(path)
        except BadInput as error:
            left_out.append(str(error))
            continue
        if digest in found:
            left_out.append(f"{path} is the same as {found[digest].paths[0]}, which is taken once")
        known = found[digest].paths if digest in found else ()
        found[digest] = File((*known, path), own)
    if not found:
        raise BadInput("; ".join(left_out))
    return list(found.values()), left_out


def _read(path: Path) -> Results:
    try:
        found = results.read(path)
    except RecursionError as error:
        raise BadInput(f"{path} is no results file of edgefashion: name one, or measure again") from error
    known = isinstance(found.protocol, dict | None)
    if not (known and _sound_device(found.device) and _sound_dataset(found.dataset)):
        raise BadInput(f"{path} is damaged: it does not say what was measured on what; measure again")
    for number, row in enumerate(found.rows, 1):
        if not _sound_row(row):
            raise BadInput(f"{path} is damaged: its result {number} makes no sense; measure again")
    if not found.rows:
        raise BadInput(f"{path} has no results in it: measure again")
    return found


def _sound_device(device: Any) -> bool:
    return (
        isinstance(device, dict)
        and all(isinstance(device.get(name), str | None) for name in _OF_DEVICE)
        and isinstance(device.get("isa"), list | None)
    )


def _sound_dataset(dataset: Any) -> bool:
    if dataset is None:
        return True
    return isinstance(dataset, dict) and isinstance(dataset.get("checksums"), dict | None)


def _sound_row(row: dict[str, Any]) -> bool:
    """Whether everything that is compared is of its type, and every number one that can be."""
    latency, flags = row["latency_us"], row["flags"]
    return (
        all(isinstance(row[name], str) for name in _TEXTS)
        and all(isinstance(row.get(name), str | None) for name in _TEXTS_OR_NONE)
        and all(row.get(name) is None or _is_number(row[name]) for name in _NUMBERS_OR_NONE)
        and isinstance(row["threads"], int)
        and _is_interval(row.get("accuracy_ci95"))
        and isinstance(row["host"], dict | None)
        and isinstance(latency, dict)
        and all(latency.get(name) is None or _is_number(latency[name]) for name in _PERCENTILES)
        and latency.get("p50") != 0
        and _are_times(row["raw_us"])
        and _are(row["round_samples"], lambda count: isinstance(count, int) and count > 0)
        and _are(row["kept_float"], lambda name: isinstance(name, str))
        and _are(flags, lambda flag: isinstance(flag, dict) and {"flag", "why"} <= flag.keys())
    )


def _are(values: Any, sound: Any) -> bool:
    return isinstance(values, list) and all(map(sound, values))


def _are_times(samples: Any) -> bool:
    try:
        times = np.asarray(samples, dtype=float)
    except (TypeError, ValueError):
        return False
    return times.ndim == 1 and bool(np.all((times > 0) & (times < np.inf)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


def _is_interval(value: Any) -> bool:
    return value is None or (_are(value, _is_number) and len(value) == 2)
