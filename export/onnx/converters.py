"""What makes ONNX files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import onnx

from edgefashion.artifacts.metadata import NAME
from edgefashion.export.converters import Converters, Method, uncalibrated
from edgefashion.export.graph.fused_layers import Step
from edgefashion.export.onnx import onnx_model
from edgefashion.export.quantization import post_training, quantization_aware

if TYPE_CHECKING:
    from edgefashion.export.debug.probe import Probe

_STATIC_QDQ = "static QDQ, uint8 activations, bias correction, int8 weights per-channel"


def embed(content: bytes, text: bytes) -> bytes:
    """The model file `content` with the metadata `text` inside."""
    model = onnx.load_from_string(content)
    others = [entry for entry in model.metadata_props if entry.key != NAME]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    model.metadata_props.add(key=NAME, value=text.decode())
    return bytes(model.SerializeToString())


def probe(path: Path, steps: Sequence[Step]) -> "Probe":
    """What looks into the int8 file at `path`. Raises ArtifactError."""
    from edgefashion.export.onnx.probe import OnnxProbe

    return OnnxProbe(path, steps)


CONVERTERS = Converters(
    methods={
        "float32": uncalibrated(onnx_model.float32, "conversion without quantization"),
        "int8": Method(
            post_training.to_onnx,
            f"post-training quantization: {_STATIC_QDQ}",
        ),
        "int8-qat": Method(
            quantization_aware.to_onnx,
            f"quantization-aware training: ranges from training, {_STATIC_QDQ}",
        ),
    },
    packages=("edgefashion", "tensorflow", "tf_keras", "tf2onnx", "onnx", "onnxruntime"),
    embed=embed,
    probe=probe,
)
