"""Writes into a model file what `edgefashion.artifacts.metadata` reads out of it."""

import json
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from edgefashion import __version__
from edgefashion.artifacts.metadata import NAME
from edgefashion.export.tflite import packing

SCHEMA = 1
LICENSE = "Apache-2.0"
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
        "license": LICENSE,
        "edgefashion": __version__,
    }


def embed(content: bytes, format: str, metadata: dict[str, Any]) -> bytes:
    """The model file `content`, of format `tflite` or `onnx`, with the metadata inside."""
    text = json.dumps(metadata, ensure_ascii=False).encode()
    return {"tflite": _into_tflite, "onnx": _into_onnx}[format](content, text)


def _into_onnx(content: bytes, text: bytes) -> bytes:
    model = onnx.load_from_string(content)
    others = [entry for entry in model.metadata_props if entry.key not in (NAME, "model_license")]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    model.metadata_props.add(key="model_license", value=LICENSE)
    model.metadata_props.add(key=NAME, value=text.decode())
    return bytes(model.SerializeToString())


def _into_tflite(content: bytes, text: bytes) -> bytes:
    model = packing.unpack(content)
    data = np.frombuffer(text, np.uint8)
    model.metadata = model.metadata or []
    for entry in model.metadata:
        if entry.name.decode() == NAME:
            model.buffers[entry.buffer].data = data
            return packing.pack(model)
    model.metadata.append(schema.MetadataT(name=NAME, buffer=len(model.buffers)))
    model.buffers.append(schema.BufferT(data=data))
    return packing.pack(model)
