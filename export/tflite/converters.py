"""What makes TFLite files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgefashion.artifacts.metadata import NAME
from edgefashion.export.converters import Converters, Method, uncalibrated
from edgefashion.export.graph.fused_layers import Step
from edgefashion.export.quantization import post_training, quantization_aware
from edgefashion.export.tflite import packing, signature, tflite_model

if TYPE_CHECKING:
    from edgefashion.export.debug.probe import Probe


def embed(content: bytes, text: bytes) -> bytes:
    """The model file `content` with the metadata `text` and a signature inside."""
    model = packing.unpack(content)
    signature.sign(model)
    data = np.frombuffer(text, np.uint8)
    model.metadata = model.metadata or []
    for entry in model.metadata:
        if entry.name.decode() == NAME:
            model.buffers[entry.buffer].data = data
            return packing.pack(model)
    model.metadata.append(schema.MetadataT(name=NAME, buffer=len(model.buffers)))
    model.buffers.append(schema.BufferT(data=data))
    return packing.pack(model)


def probe(path: Path, steps: Sequence[Step]) -> "Probe":
    """What looks into the int8 file at `path`. Raises ArtifactError."""
    from edgefashion.export.tflite.probe import TFLiteProbe

    return TFLiteProbe(path, steps)


CONVERTERS = Converters(
    methods={
        "float32": uncalibrated(tflite_model.float32, "conversion without quantization"),
        "float16": uncalibrated(tflite_model.float16, "float16 weights, float32 arithmetic"),
        "dynamic": uncalibrated(
            tflite_model.dynamic,
            "dynamic-range quantization: int8 weights, activations quantized while running",
        ),
        "int8": Method(
            post_training.to_tflite,
            "post-training quantization: full integer, per-channel weights, bias correction",
        ),
        "int8-qat": Method(
            quantization_aware.to_tflite,
            "quantization-aware training: full integer, per-channel weights, ranges from training",
        ),
    },
    packages=("edgefashion", "tensorflow", "tf_keras", "ai-edge-litert"),
    embed=embed,
    probe=probe,
)
