"""Post-training quantization without the bias that rounding brings.

    the deployed model, float32
        → biases corrected for the rounding of the weights (see bias_correction)
        → converted once, run on the representative dataset, and what its logits are still off on average,
          against the Keras model, taken off the last bias
        → converted

The converters then round what they always round.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from edgefashion.keras import keras
from edgefashion.models.base import with_weights
from edgefashion.targets import WITH_8_BIT_WEIGHTS
from export import bias_correction, onnx, tflite
from export.calibration import RepresentativeDataset
from export.graph import Graph
from export.settings import Settings
from export.verify import run_content

Convert = Callable[[Graph, RepresentativeDataset], bytes]
Levels = Callable[[keras.layers.Layer], int]
LAST = "logits"


def to_tflite(graph: Graph, calibration: RepresentativeDataset, settings: Settings) -> bytes:
    """Full-integer TFLite. Raises what `tflite.int8` raises."""
    return quantize(tflite.int8, ".tflite", eight_bits, graph, calibration)


def to_onnx(
    graph: Graph,
    calibration: RepresentativeDataset,
    settings: Settings,
    ranges: onnx.Ranges | None = None,
) -> bytes:
    """Static QDQ for the target, with the ranges given, if any. Raises what `onnx.int8` raises."""
    full = settings.target in WITH_8_BIT_WEIGHTS
    convert = partial(onnx.int8, ranges=ranges, reduce_range=not full)
    return quantize(convert, ".onnx", eight_bits if full else seven_bits_but_depthwise, graph, calibration)


def eight_bits(_: keras.layers.Layer) -> int:
    """The largest weight of every layer in 8 bits."""
    return 127


def seven_bits_but_depthwise(layer: keras.layers.Layer) -> int:
    """The largest weight under reduce_range, from which depthwise layers are excepted."""
    return 127 if bias_correction.is_depthwise(layer) else 64


def quantize(
    convert: Convert, suffix: str, levels: Levels, graph: Graph, calibration: RepresentativeDataset
) -> bytes:
    """Convert with corrected biases. `levels` says how finely the converter will round each layer's weights.

    Raises what `convert` raises, and RuntimeCrash when the first conversion cannot be run.
    """
    inputs = np.asarray(graph.resize(calibration.images))
    corrected = graph.with_deployed(bias_correction.corrected(graph.deployed, inputs, levels))
    found = run_content(convert(corrected, calibration), f"first{suffix}", calibration.pixels)[0]
    shift = (found - graph.predict(calibration.pixels)).mean(axis=0)
    return convert(corrected.with_deployed(_shifted(corrected.deployed, -shift)), calibration)


def _shifted(model: keras.Model, shift: npt.NDArray[np.float32]) -> keras.Model:
    """A copy whose logits are larger by `shift`, float32 [10]."""
    kernel, bias = model.get_layer(LAST).get_weights()
    return with_weights(model, {LAST: [kernel, bias + shift]})
