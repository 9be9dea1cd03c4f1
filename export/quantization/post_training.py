"""Post-training quantization without the bias that rounding brings.

    the deployed model, float32
        → biases corrected for the rounding of the weights (see bias_correction)
        → converted once, run on the representative dataset, and what its logits are still off on average,
          against the Keras model, taken off the last bias
        → converted

The converters then round what they always round.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from edgefashion.artifacts.targets import WITH_8_BIT_WEIGHTS
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges
from edgefashion.export.onnx import onnx_model as onnx
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import bias_correction
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import tflite_model as tflite
from edgefashion.export.verify import run_content
from edgefashion.models.architecture import with_weights
from edgefashion.tensorflow import keras

Shift = npt.NDArray[np.float32]
"""float32 [10], to be added to the logits"""
Levels = Callable[[keras.layers.Layer], int]
"""The largest integer that a layer's weights will take"""
LAST = "logits"


def to_tflite(graph: Graph, calibration: RepresentativeDataset, settings: ExportOptions) -> bytes:
    """Full-integer TFLite, but for layers that are to be in float. Raises what `tflite.int8` and
    `tflite.mixed` raise, RuntimeCrash where that cannot be run.
    """
    corrected = _corrected(graph, calibration, eight_bits, settings.keep_float)

    def convert(shift: Shift) -> bytes:
        moved = corrected.with_deployed(_shifted(corrected.deployed, shift))
        return tflite.mixed(tflite.int8(moved, calibration), moved, settings.keep_float)

    return _centered(convert, ".tflite", graph, calibration)


def to_onnx(
    graph: Graph,
    calibration: RepresentativeDataset,
    settings: ExportOptions,
    learned: onnx.LearnedRanges | None = None,
) -> bytes:
    """Static QDQ for the target, with the ranges that `settings` say how to find, or those learned, beside
    which min-max gives the few that are missing. Raises what `onnx.int8` raises, RuntimeCrash where that
    cannot be run.
    """
    full = settings.target in WITH_8_BIT_WEIGHTS
    levels = eight_bits if full else seven_bits_but_depthwise
    model = _float_onnx(graph, calibration, levels, settings.keep_float)
    method = "min-max" if learned else settings.calibration
    found = activation_ranges.measured(model, calibration.images, method)

    def convert(shift: Shift) -> bytes:
        moved = onnx.shifted(model, shift)
        return onnx.int8(moved, graph, found, learned, not full, settings.keep_float)

    return _centered(convert, ".onnx", graph, calibration)


def eight_bits(_: keras.layers.Layer) -> int:
    """The largest weight of every layer in 8 bits."""
    return 127


def seven_bits_but_depthwise(layer: keras.layers.Layer) -> int:
    """The largest weight under reduce_range, from which depthwise layers are excepted."""
    return 127 if bias_correction.is_depthwise(layer) else 64


@lru_cache(maxsize=1)
def _float_onnx(
    graph: Graph, calibration: RepresentativeDataset, levels: Levels, keep_float: tuple[str, ...]
) -> ModelProto:
    """What to quantize; kept, since the calibration methods that are compared have it in common."""
    return onnx.prepared(_corrected(graph, calibration, levels, keep_float))


def _corrected(
    graph: Graph, calibration: RepresentativeDataset, levels: Levels, keep_float: tuple[str, ...]
) -> Graph:
    """The same with corrected biases, but in the layers that stay in float."""
    inputs = np.asarray(graph.resize(calibration.images))
    return graph.with_deployed(bias_correction.corrected(graph.deployed, inputs, levels, keep_float))


def _centered(
    convert: Callable[[Shift], bytes], suffix: str, graph: Graph, calibration: RepresentativeDataset
) -> bytes:
    """What `convert` makes when it is given the shift with which the mean logits are those of the model."""
    expected = graph.predict(calibration.pixels)
    found, _ = run_content(convert(np.zeros_like(expected[0])), f"first{suffix}", calibration.pixels)
    return convert((expected - found).mean(axis=0))


def _shifted(model: keras.Model, shift: Shift) -> keras.Model:
    """A copy whose logits are larger by `shift`, float32 [10]."""
    kernel, bias = model.get_layer(LAST).get_weights()
    return with_weights(model, {LAST: [kernel, bias + shift]})
