"""Writes into a model file what `edgefashion.artifacts.metadata` reads out of it."""

import json
from typing import Any

from edgefashion.export.converters import converters_of
from edgefashion.version import __version__

SCHEMA = 1
KEPT = (
    *("run", "run_id", "base_run_id", "small_run", "architecture", "precision"),
    *("target", "kept_float", "task", "labels", "input", "output"),
)
CALIBRATION_KEPT = ("split", "count", "seed", "indices_sha256", "method")


def describe(manifest: dict[str, Any]) -> dict[str, Any]:
    """The part of a manifest that goes into the file: what stays the same however often it is exported."""
    calibration = manifest["calibration"]
    return {
        "schema": SCHEMA,
        **{key: manifest[key] for key in KEPT if key in manifest},
        "preprocessing": manifest["preprocessing"],
        "calibration": {key: calibration[key] for key in CALIBRATION_KEPT} if calibration else None,
        "edgefashion": __version__,
    }


def embed(content: bytes, format: str, metadata: dict[str, Any]) -> bytes:
    """The model file `content`, of the format called `format`, with the metadata inside."""
    text = json.dumps(metadata, ensure_ascii=False).encode()
    return converters_of(format).embed(content, text)
