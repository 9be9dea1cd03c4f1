"""Writes into a model file what `edgefashion.metadata` reads out of it."""

import json
from typing import Any

import flatbuffers
import onnx

from edgefashion import __version__
from edgefashion.flatbuffer import IDENTIFIER, Flatbuffer
from edgefashion.metadata import NAME

SCHEMA = 1
LICENSE = "Apache-2.0"
KEPT = (
    *("run", "run_id", "base_run_id", "small_run", "architecture", "precision"),
    *("target", "kept_float", "labels", "input", "output"),
)
CALIBRATION_KEPT = ("split", "count", "seed", "indices_sha256", "method")
MODEL_ALIGNMENT, BUFFER_ALIGNMENT = 64, 16
"""In a TFLite file: of the original model, whose own weights want 16 bytes, and of a buffer."""
# Fields of the table Model in TFLite's schema; but for the version, 0, each points at something.
_BUFFERS, _METADATA, _SLOTS = 4, 6, 10


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
    """Put a new root before the original, whose bytes stay as they are, and so does their alignment.

    Unpacking and packing the whole model instead would drop what the schema at hand does not know and
    leave weights where they are not aligned. The original's own root, some dozens of bytes, stays unused.
    """
    old = Flatbuffer(content).root()
    builder = flatbuffers.Builder(len(content) + len(text) + 4096)
    start, _ = _put(builder, content, MODEL_ALIGNMENT)
    buffers = old.positions(_BUFFERS)
    entries = [entry.position for entry in old.tables(_METADATA) if entry.text(0) != NAME]
    name = builder.CreateString(NAME)
    _, data = _put(builder, text, BUFFER_ALIGNMENT)
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, data, 0)
    buffer = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUint32Slot(1, len(buffers), 0)
    entry = builder.EndObject()
    fields = {slot: start - target for slot in range(1, _SLOTS) if (target := old.target(slot)) is not None}
    fields[_BUFFERS] = _tables(builder, [*(start - position for position in buffers), buffer])
    fields[_METADATA] = _tables(builder, [*(start - position for position in entries), entry])
    builder.StartObject(_SLOTS)
    builder.PrependUint32Slot(0, old.integer(0, "I"), 0)
    for slot, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    builder.Finish(builder.EndObject(), IDENTIFIER)
    return bytes(builder.Output())


def _put(builder: flatbuffers.Builder, content: bytes, alignment: int) -> tuple[int, int]:
    """Write a vector of bytes; gives the builder's offsets of its first byte and of the vector."""
    builder.StartVector(1, len(content), alignment)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    return builder.Offset(), builder.EndVector()


def _tables(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    """Write a vector of tables."""
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
