"""The graph that is exported: raw pixels in, logits out, preprocessing inside."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from edgefashion.errors import VerificationError
from edgefashion.export.graph.layers import first_kernel
from edgefashion.export.graph.unread_pixels import crop_unread
from edgefashion.files.stored import ImageSet
from edgefashion.models import Architecture, Normalization
from edgefashion.models.architecture import unwrapped, with_weights
from edgefashion.models.hard_activations import without_sixths
from edgefashion.models.twins import merge_twins
from edgefashion.task import Task
from edgefashion.tensorflow import gather, keras, tf
from edgefashion.training.runs import Run
from edgefashion.training.trained import architecture_of, load_model

INPUT, OUTPUT = "image", "logits"


@dataclass(frozen=True)
class Graph:
    """A trained model ready for conversion.

    task: what it is for.
    model: the Keras model as it was trained.
    deployed: the one that is exported, without batch normalization and unread pixels.
    resize: normalized images, float32 [N, height, width, channels] → its input.
    """

    task: Task
    model: keras.Model
    architecture: Architecture
    deployed: keras.Model
    resize: Callable[[Any], Any]

    @property
    def normalization(self) -> Normalization:
        """How pixels become what `from_normalized` takes."""
        return self.architecture.normalization

    @cached_property
    def from_pixels(self) -> Any:
        """tf.function, uint8 [N, height, width, channels] → float32 [N, classes], for the float formats.

        Where all before the first kernel is linear, the scale of the normalization is part of that kernel,
        where it costs nothing.
        """
        first = first_kernel(self.deployed)
        if first is None:
            return self._function(tf.uint8, self.normalization, self.deployed)
        zero_point = float(self.normalization.zero_point)

        def center(pixels: Any) -> Any:
            values = tf.cast(pixels, tf.float32)
            return values - zero_point if zero_point else values

        kernel, *others = first.get_weights()
        changed = {first.name: [kernel * self.normalization.scale, *others]}
        return self._function(tf.uint8, center, with_weights(self.deployed, changed))

    @cached_property
    def from_normalized(self) -> Any:
        """The same from normalized images, float32 [N, height, width, channels], for the quantizers: what
        they find as the scale and zero point of its input is the normalization itself.
        """
        return self._function(tf.float32, tf.identity, self.deployed)

    def _function(self, dtype: Any, before: Any, model: keras.Model) -> Any:
        for layer in map(unwrapped, model.layers):
            if _is_grouped(layer):
                # Keras would call a compiled function, which is no operator of any format.
                layer._jit_compiled_convolution_op = layer.convolution_op

        def logits(image: Any) -> Any:
            return tf.identity(model(self.resize(before(image)), training=False), name=OUTPUT)

        shape = [None, *self.task.image_shape]
        return tf.function(logits, input_signature=[tf.TensorSpec(shape, dtype, name=INPUT)])

    @property
    def last_layer(self) -> str:
        """The name of the layer that gives the logits."""
        return str(self.deployed.output_names[0])

    def with_deployed(self, deployed: keras.Model) -> "Graph":
        """The same with another model in the place of the deployed one."""
        return replace(self, deployed=deployed)

    def check_input(self, format: str, scale: float, zero_point: int) -> None:
        """Raise VerificationError unless a quantizer found the normalization as the input's parameters."""
        wanted = self.normalization
        if zero_point != wanted.zero_point or abs(scale / wanted.scale - 1) > 1e-4:
            raise VerificationError(
                f"the int8 {format} model reads pixels with scale {scale:.6f} and zero point {zero_point}, "
                f"and was trained with {wanted.scale:.6f} and {wanted.zero_point}: the representative "
                "dataset has no pixel of 0 or none of 255; use more calibration images"
            )

    def predict(self, pixels: ImageSet) -> Any:
        """What the trained Keras model says: uint8 [N, height, width, channels] → float32 [N, classes]
        numpy array.
        """
        rows = tf.data.Dataset.range(len(pixels)).batch(20)
        batches = rows.map(lambda each: self.architecture.prepare(gather(pixels, each)))
        return self.model.predict(batches, verbose=0)


def build(run: Run) -> Graph:
    """Load the run's model and make its graph. Raises RunError where the model cannot be read."""
    model = load_model(run)
    architecture = architecture_of(run)
    deployed = crop_unread(architecture.fold(model, run.task))
    return Graph(run.task, model, architecture, deployed, architecture.resize)


def _is_grouped(layer: keras.layers.Layer) -> bool:
    plain = isinstance(layer, keras.layers.Conv2D) and not isinstance(layer, keras.layers.DepthwiseConv2D)
    return plain and layer.groups > 1


def for_integers(graph: Graph) -> Graph:
    """The same function in layers that integer kernels compute fast, each of which a file has."""
    return graph.with_deployed(merge_twins(without_sixths(graph.deployed)))
