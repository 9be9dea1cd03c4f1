"""Findings on what training and exporting need; a machine that only measures needs none of it."""

import sys
from importlib.util import find_spec
from pathlib import Path

from edgefashion.data import locate
from edgefashion.diagnosis.finding import Finding
from edgefashion.errors import DataError
from edgefashion.files import reading
from edgefashion.installation import pip_install

MODULES = {
    "tensorflow": "tensorflow",
    "tf_keras": "tf_keras",
    "tensorflow_model_optimization": "tensorflow-model-optimization",
    "onnx": "onnx",
    "tf2onnx": "tf2onnx",
    "flatbuffers": "flatbuffers",
    "ai_edge_litert": "ai-edge-litert",
    "onnxruntime": "onnxruntime",
}
"""Module → the package that brings it."""
TOO_NEW = (3, 14)
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"


def findings(data_folder: Path | None = None) -> list[Finding]:
    """Findings on the data set, the packages, and where those are there, the weights; nothing is opened."""
    lacking = [package for module, package in MODULES.items() if find_spec(module) is None]
    return [_data(data_folder), *([_packages(lacking)] if lacking else [_ready(), _weights()])]


def _data(named: Path | None) -> Finding:
    try:
        folder = locate.at_hand(named)
    except DataError as error:
        return Finding("problem", "data set", str(error))
    if folder:
        return Finding("ok", "data set", f"in {folder}, not checked")
    text = "not on this machine: needed to train, to export and to evaluate what you have trained,"
    text += " not for bundles and the models that come along"
    return Finding("note", "data set", text, "edgefashion data")


def _packages(lacking: list[str]) -> Finding:
    text = f"not possible here: {', '.join(lacking)} not installed; not needed to measure"
    if sys.version_info >= TOO_NEW:
        return Finding("note", "export", text, "use Python 3.11 to 3.13, which TensorFlow is built for")
    return Finding("note", "export", text, pip_install("train"))


def _ready() -> Finding:
    return Finding("ok", "export", "all packages for training and exporting are installed")


def _weights() -> Finding:
    try:
        path = Path.home() / ".keras/models" / WEIGHTS
        there = reading.is_file(path, DataError)
    except (DataError, RuntimeError) as error:  # a user whom the system does not know has no home
        return Finding("problem", "weights", str(error))
    if there:
        return Finding("ok", "weights", f"of ImageNet, in {path}")
    text = "the ImageNet weights are not on this machine: only training MobileNetV2 needs them"
    return Finding("note", "weights", text, "edgefashion train --model mobilenetv2 fetches them")
