"""Post-training quantization without the bias that rounding brings.

    the deployed model, float32
        → weights that make a layer's rounding coarse clipped (see weight_clipping), those of models from
          elsewhere rounded with feedback (see weight_rounding), biases corrected for what rounding does
          (see bias_correction)
        → converted once, run on the representative dataset, and what its logits are still off on average,
          against the Keras model, taken off the last bias
        → converted

The converters then round what they always round.
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
from edgefashion.export.graph.graph import Graph, for_integers
from edgefashion.export.graph.layers import is_depthwise
from edgefashion.export.onnx import activation_ranges
from edgefashion.export.onnx import onnx_model as onnx
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import bias_correction
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import tflite_model as tflite
from edgefashion.models import imported
from edgefashion.models.architecture import with_weights
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.content import run_content
from edgefashion.tensorflow import keras

Shift = npt.NDArray[np.float32]
"""float32 [classes], to be added to the logits"""
Levels = Callable[[keras.layers.Layer], int]
"""The largest integer that a layer's weights will take"""


class PostTraining:
    """A graph on its way to int8 files, with what the calibrations that are compared have in common.

    `learned` are the ranges of activations that training settled on, by layer, where it did.
    """

    def __init__(
        self,
        graph: Graph,
        representative: RepresentativeDataset,
        options: ExportOptions,
        learned: onnx.LearnedRanges | None = None,
    ) -> None:
        self.graph = for_integers(graph)
        self.representative, self.options, self.learned = representative, options, learned
        self._full_range = options.target in WITH_8_BIT_WEIGHTS

    def to_tflite(self, _: str) -> bytes:
        """Full-integer TFLite, except layers that are to be in float; the converter calibrates in its own
        way. Raises what `tflite.int8` and `tflite.mix` raise, RuntimeCrash where that cannot be run.
        """
        graph = self._correct(eight_bits)

        def convert(shift: Shift) -> bytes:
            moved = graph.with_deployed(_shift_logits(graph.deployed, shift))
            return tflite.mix(tflite.int8(moved, self.representative), moved, self.options.keep_float)

        return self._center(convert, "first.tflite")

    def to_onnx(self, calibration: str) -> bytes:
        """Static QDQ for the target, with the ranges that this calibration finds, or those learned, beside
        which min-max gives the few that are missing. Raises what `onnx.int8` raises, RuntimeCrash where that
        cannot be run.
        """
        ranges = self._ranges["min-max" if self.learned else calibration]

        def convert(shift: Shift) -> bytes:
            moved = onnx.shift_logits(self._float_onnx, shift)
            return onnx.int8(
                moved, self.graph, ranges, self.learned, not self._full_range, self.options.keep_float
            )

        return self._center(convert, "first.onnx")

    @cached_property
    def _ranges(self) -> dict[str, TensorsData]:
        """Those of every calibration that may be asked for, by its name."""
        asked = CALIBRATION_METHODS if self.options.calibration == AUTO else [self.options.calibration]
        methods = ["min-max"] if self.learned else asked
        return activation_ranges.measure_ranges(self._float_onnx, self.representative.images, methods)

    @cached_property
    def _float_onnx(self) -> ModelProto:
        """What is quantized."""
        return onnx.prepare(self._correct(eight_bits if self._full_range else seven_bits_except_depthwise))

    @cached_property
    def _expected(self) -> Logits:
        """What the Keras model gives for the representative dataset."""
        logits: Logits = self.graph.predict(self.representative.pixels)
        return logits

    def _correct(self, levels: Levels) -> Graph:
        """The graph with corrected biases, and, unless training chose them, clipped kernels, except in the
        layers that stay in float. Kernels that come from elsewhere are rounded with feedback; files of our
        own architectures stay as they have always been made.
        """
        inputs = np.asarray(self.graph.resize(self.representative.images))
        chosen = bool(self.learned)
        feedback = not chosen and self.graph.architecture.name == imported.NAME
        model = bias_correction.correct_biases(
            self.graph.deployed, inputs, levels, self.options.keep_float, not chosen, feedback
        )
        return self.graph.with_deployed(model)

    def _center(self, convert: Callable[[Shift], bytes], name: str) -> bytes:
        """What `convert` makes with the shift that gives the mean logits of the Keras model; with none where
        the last layer has no bias to take it.
        """
        none = np.zeros_like(self._expected[0])
        if not _has_bias(self.graph.deployed):
            return convert(none)
        found, _ = run_content(convert(none), name, self.representative.pixels)
        return convert((self._expected - found).mean(axis=0))


def to_tflite(graph: Graph, representative: RepresentativeDataset, options: ExportOptions) -> Convert:
    """See `PostTraining.to_tflite`."""
    return PostTraining(graph, representative, options).to_tflite


def to_onnx(graph: Graph, representative: RepresentativeDataset, options: ExportOptions) -> Convert:
    """See `PostTraining.to_onnx`."""
    return PostTraining(graph, representative, options).to_onnx


def eight_bits(_: keras.layers.Layer) -> int:
    """The largest weight of every layer in 8 bits."""
    return 127


def seven_bits_except_depthwise(layer: keras.layers.Layer) -> int:
    """The largest weight under reduce_range, from which depthwise layers are excepted."""
    return 127 if is_depthwise(layer) else 64


def _last(model: keras.Model) -> keras.layers.Layer:
    return model.get_layer(model.output_names[0])


def _has_bias(model: keras.Model) -> bool:
    """Whether the logits are sums that end with a bias."""
    last = _last(model)
    dense = isinstance(last, keras.layers.Dense) and last.activation is keras.activations.linear
    return bool(dense and last.use_bias)


def _shift_logits(model: keras.Model, shift: Shift) -> keras.Model:
    """A copy whose logits are larger by `shift`, float32 [classes]."""
    if not shift.any():
        return model
    last = _last(model)
    kernel, bias = last.get_weights()
    return with_weights(model, {last.name: [kernel, bias + shift]})
