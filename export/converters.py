"""What each artifact is made with, by (format, precision)."""

from collections.abc import Callable
from dataclasses import dataclass

from edgefashion.artifacts.artifact import CALIBRATIONS, INTEGER_PRECISIONS, TARGETED
from edgefashion.artifacts.targets import ANY, WITH_8_BIT_WEIGHTS
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import onnx_model as onnx
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import post_training, quantization_aware
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import tflite_model as tflite

Kind = tuple[str, str]
Converter = Callable[[Graph, RepresentativeDataset, ExportOptions], bytes]


@dataclass(frozen=True)
class Method:
    """A way to make an artifact: `convert` in code, `name` in words."""

    convert: Converter
    name: str


def uncalibrated(convert: Callable[[Graph], bytes], name: str) -> Method:
    """A method that needs the graph alone."""
    return Method(lambda graph, _, __: convert(graph), name)


_STATIC_QDQ = "static QDQ, uint8 activations, bias correction, int8 weights per-channel"

METHODS: dict[Kind, Method] = {
    ("tflite", "float32"): uncalibrated(tflite.float32, "conversion without quantization"),
    ("tflite", "float16"): uncalibrated(tflite.float16, "float16 weights, float32 arithmetic"),
    ("tflite", "dynamic"): uncalibrated(
        tflite.dynamic,
        "dynamic-range quantization: int8 weights, activations quantized while running",
    ),
    ("tflite", "int8"): Method(
        post_training.to_tflite,
        "post-training quantization: full integer, per-channel weights, bias correction",
    ),
    ("tflite", "int8-qat"): Method(
        quantization_aware.to_tflite,
        "quantization-aware training: full integer, per-channel weights, ranges from training",
    ),
    ("onnx", "float32"): uncalibrated(onnx.float32, "conversion without quantization"),
    ("onnx", "int8"): Method(
        post_training.to_onnx,
        f"post-training quantization: {_STATIC_QDQ}",
    ),
    ("onnx", "int8-qat"): Method(
        quantization_aware.to_onnx,
        f"quantization-aware training: ranges from training, {_STATIC_QDQ}",
    ),
}


def describe(kind: Kind, settings: ExportOptions) -> str:
    """What a manifest says of the way its artifact was made."""
    if kind not in TARGETED:
        return METHODS[kind].name
    bits = "8-bit" if settings.target in WITH_8_BIT_WEIGHTS else "7-bit but in depthwise layers"
    return f"{METHODS[kind].name}, {bits}"


def calibrations(kind: Kind, settings: ExportOptions) -> tuple[str, ...]:
    """How the ranges of its activations are to be found: what `settings` ask for, where the kind has it,
    or all it has; nothing where there are none to be found.
    """
    known = CALIBRATIONS.get(kind, ())
    return (settings.calibration,) if settings.calibration in known else known


def target_of(kind: Kind, settings: ExportOptions) -> str | None:
    """The processor an artifact is made for; None for a kind that does not depend on it."""
    return settings.target if kind in TARGETED else None


def kept_float(kind: Kind, settings: ExportOptions) -> list[str]:
    """The layers that an artifact computes in float although its precision is an integer one."""
    return list(settings.keep_float) if kind[1] in INTEGER_PRECISIONS else []


def suffix_of(kind: Kind, settings: ExportOptions) -> str:
    """What the name of a file says of its target, unless it is made for any, and of layers left in float."""
    target = target_of(kind, settings)
    mixed = "-keep-float" if kept_float(kind, settings) else ""
    return ("" if target in (None, ANY) else f"-{target}") + mixed
