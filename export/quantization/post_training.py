"""Post-training quantization without the bias that rounding brings.

the deployed model, float32
    → weights that make a layer's rounding coarse clipped (see weight_clipping), those of models from
      elsewhere rounded with feedback (see weight_rounding), biases corrected for what rounding does
      (see bias_correction)
    → converted, where the converters round what they always round
    → run on the representative dataset, and what its logits are still off on average, against the Keras
      model, taken off the last bias in the file
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt
from onnx import ModelProto
from onnxruntime.quantization.calibrate import TensorsData

from edgefashion.artifacts.formats import AUTO, CALIBRATION_METHODS
from edgefashion.artifacts.targets import WITH_8_BIT_WEIGHTS
from edgefashion.export.converters import Convert
from edgefashion.export.graph.graph import Graph
from edgefashion.export.graph.layers import is_depthwise
from edgefashion.export.onnx import activation_ranges
from edgefashion.export.onnx import last_bias as onnx_bias
from edgefashion.export.onnx import onnx_model as onnx
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import bias_correction
from edgefashion.export.source import Source
from edgefashion.export.tflite import last_bias as tflite_bias
from edgefashion.export.tflite import tflite_model as tflite
from edgefashion.models import imported
from edgefashion.runtimes.content import run_content
from edgefashion.tensorflow import keras

Bias = npt.NDArray[np.float32]
"""float32 [classes]"""
Levels = Callable[[keras.layers.Layer], int]
"""The largest integer that a layer's weights will take"""


class PostTraining:
    """A source on its way to int8 files, with what the calibrations that are compared have in common.

    `learned` are the ranges of activations that training settled on, by layer, where it did.
    """

    def __init__(
        self, source: Source, options: ExportOptions, learned: onnx.LearnedRanges | None = None
    ) -> None:
        self.source, self.options, self.learned = source, options, learned
        self._full_range = options.target in WITH_8_BIT_WEIGHTS

    def to_tflite(self, _: str) -> bytes:
        """Full-integer TFLite, except layers that are to be in float; the converter calibrates in its own
        way. Raises what `tflite.int8` and `tflite.mix` raise, RuntimeCrash where that cannot be run.
        """
        graph = self._correct(eight_bits)
        made = tflite.mix(tflite.int8(graph, self.source.representative), graph, self.options.keep_float)
        return self._center(made, "first.tflite", graph, tflite_bias.replace_bias)

    def to_onnx(self, calibration: str) -> bytes:
        """Static QDQ for the target, with the ranges that this calibration finds, or those learned, beside
        which min-max gives the few that are missing. Raises what `onnx.int8` raises, RuntimeCrash where that
        cannot be run.
        """
        made = onnx.int8(
            self._float_onnx,
            self.source.integers,
            self._ranges["min-max" if self.learned else calibration],
            self.learned,
            not self._full_range,
            self.options.keep_float,
        )
        return self._center(made, "first.onnx", self._corrected, onnx_bias.replace_bias)

    @cached_property
    def _ranges(self) -> dict[str, TensorsData]:
        """Those of every calibration that may be asked for, by its name."""
        asked = CALIBRATION_METHODS if self.options.calibration == AUTO else [self.options.calibration]
        methods = ["min-max"] if self.learned else asked
        return activation_ranges.measure_ranges(self._float_onnx, self.source.representative.images, methods)

    @cached_property
    def _corrected(self) -> Graph:
        """What ONNX files are made of."""
        return self._correct(eight_bits if self._full_range else seven_bits_except_depthwise)

    @cached_property
    def _float_onnx(self) -> ModelProto:
        """What is quantized."""
        return onnx.prepare(self._corrected)

    def _correct(self, levels: Levels) -> Graph:
        """The graph with corrected biases, and, unless training chose them, clipped kernels, except in the
        layers that stay in float. Kernels that come from elsewhere are rounded with feedback; files of our
        own architectures stay as they have always been made.
        """
        graph, chosen = self.source.integers, bool(self.learned)
        feedback = not chosen and graph.architecture.name == imported.NAME
        model = bias_correction.correct_biases(
            self.source.inputs, levels, self.options.keep_float, not chosen, feedback
        )
        return graph.with_deployed(model)

    def _center(
        self, content: bytes, name: str, graph: Graph, replace_bias: Callable[[bytes, Bias], bytes]
    ) -> bytes:
        """The file, made of `graph`, with the last bias that gives the mean logits of the Keras model; as it
        is where the last layer has no bias.
        """
        last = _last(graph.deployed)
        if not _has_bias(last):
            return content
        found, _ = run_content(content, name, self.source.representative.pixels)
        shift = (self.source.logits - found).mean(axis=0)
        return replace_bias(content, last.get_weights()[1] + shift)


def to_tflite(source: Source, options: ExportOptions) -> Convert:
    """See `PostTraining.to_tflite`."""
    return PostTraining(source, options).to_tflite


def to_onnx(source: Source, options: ExportOptions) -> Convert:
    """See `PostTraining.to_onnx`."""
    return PostTraining(source, options).to_onnx


def eight_bits(_: keras.layers.Layer) -> int:
    """The largest weight of every layer in 8 bits."""
    return 127


def seven_bits_except_depthwise(layer: keras.layers.Layer) -> int:
    """The largest weight under reduce_range, from which depthwise layers are excepted."""
    return 127 if is_depthwise(layer) else 64


def _last(model: keras.Model) -> keras.layers.Layer:
    return model.get_layer(model.output_names[0])


def _has_bias(last: keras.layers.Layer) -> bool:
    """Whether the logits are sums that end with a bias."""
    dense = isinstance(last, keras.layers.Dense) and last.activation is keras.activations.linear
    return bool(dense and last.use_bias)
