"""Checks of what training and exporting need; a machine that only measures needs none of it."""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

from edgefashion.data import locate
from edgefashion.diagnosis.check import Check
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


def findings(data_folder: Path | None = None) -> list[Check]:
    """Findings on the data set, the packages, and where those are there, the weights; nothing is opened."""
    lacking = [package for module, package in MODULES.items() if find_spec(module) is None]
    return [_data(data_folder), *([_packages(lacking)] if lacking else [_ready(), _weights()])]


def _data(named: Path | None) -> Check:
    try:
        if pictures := _pictures(named):
            return pictures
        folder = locate.at_hand(named)
    except DataError as error:
        return Check("problem", "data set", str(error))
    if folder:
        return Check("ok", "data set", f"in {folder}, not checked")
    if part := locate.named(named):
        mend = f"edgefashion data --data {shlex.quote(str(part))} names them"
        return Check("problem", "data set", f"{part} lacks files of a data set", mend)
    text = "not on this machine: needed to train, to export and to evaluate what you have trained,"
    text += " not for bundles and the models of the zoo"
    return Check("note", "data set", text, "edgefashion data")


def _pictures(named: Path | None) -> Check | None:
    """What is in a folder of pictures; None of any other. Raises DataError for what cannot be one."""
    path = locate.named(named)
    if path is None or locate.is_idx(path):
        return None
    from edgefashion.data.picture_sets import examining, layouts

    entries = layouts.read(examining.tree_of(path)).entries
    classes = len({entry.label for entry in entries})
    return Check("ok", "data set", f"{len(entries):,} files of {classes} classes in {path}, not opened")


def _packages(lacking: list[str]) -> Check:
    text = f"not possible here: {', '.join(lacking)} not installed; not needed to measure"
    if sys.version_info >= TOO_NEW:
        return Check("note", "export", text, "use Python 3.11 to 3.13, which TensorFlow is built for")
    return Check("note", "export", text, pip_install("train"))


def _ready() -> Check:
    return Check("ok", "export", "all packages for training and exporting are installed")


def _weights() -> Check:
    try:
        path = Path.home() / ".keras/models" / WEIGHTS
        there = reading.is_file(path, DataError)
    except (DataError, RuntimeError) as error:  # a user whom the system does not know has no home
        return Check("problem", "weights", str(error))
    if there:
        return Check("ok", "weights", f"of ImageNet, in {path}")
    text = "the ImageNet weights are not on this machine: only training MobileNetV2 needs them"
    return Check("note", "weights", text, "edgefashion train --model mobilenetv2 fetches them")
