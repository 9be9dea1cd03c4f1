"""Writes into a model file what `edgefashion.artifacts.metadata` reads out of it."""

import json
from typing import Any

import msgspec

from edgefashion.export.converters import converters_of
from edgefashion.records.manifest import Metadata
from edgefashion.version import __version__

SCHEMA = 1
CALIBRATION_KEPT = ("split", "count", "seed", "indices_sha256", "method")


def describe(told: dict[str, Any]) -> Metadata:
    """The part of a manifest that goes into the file: what stays the same however often it is exported."""
    found = told["calibration"]
    calibration = {key: found[key] for key in CALIBRATION_KEPT} if found else None
    own = {**told, "schema": SCHEMA, "calibration": calibration, "edgefashion": __version__}
    return msgspec.convert(own, Metadata)


def embed(content: bytes, format: str, metadata: dict[str, Any]) -> bytes:
    """The model file `content`, of the format called `format`, with the metadata inside."""
    text = json.dumps(metadata, ensure_ascii=False).encode()
    return converters_of(format).embed(content, text)
