"""The graph that is exported: raw pixels in, logits out, preprocessing inside."""

from dataclasses import dataclass
from typing import Any

from edgefashion.keras import keras, tf
from edgefashion.models import Architecture, Normalisation, architecture_for
from edgefashion.models.base import load_model
from edgefashion.runs import Run

IMAGE_SHAPE = (28, 28, 1)
INPUT, OUTPUT = "image", "logits"


@dataclass(frozen=True)
class Graph:
    """A trained model ready for conversion.

    from_pixels: tf.function, uint8 [N, 28, 28, 1] → float32 [N, 10], for the float formats.
    from_normalised: the same from normalised images, float32 [N, 28, 28, 1], for the quantizers: what
        they find as the scale and zero point of its input is the normalisation itself.
    """

    model: keras.Model
    architecture: Architecture
    from_pixels: Any
    from_normalised: Any

    @property
    def normalisation(self) -> Normalisation:
        """How pixels become what `from_normalised` takes."""
        return self.architecture.normalisation

    def predict(self, pixels: Any) -> Any:
        """What the trained Keras model says: uint8 [N, 28, 28, 1] → float32 [N, 10] numpy array."""
        batches = tf.data.Dataset.from_tensor_slices(pixels).batch(100).map(self.architecture.prepare)
        return self.model.predict(batches, verbose=0)


def build(run: Run) -> Graph:
    """Load the run's model and make its graph. Raises RunError where the model cannot be read."""
    architecture = architecture_for(run.info["recipe"]["model"], run.base_run_id is not None)
    model = load_model(run.model_path)
    logits = architecture.deployable(model)

    @tf.function(input_signature=[tf.TensorSpec([None, *IMAGE_SHAPE], tf.uint8, name=INPUT)])
    def from_pixels(image: Any) -> Any:
        return tf.identity(logits(architecture.normalisation(image)), name=OUTPUT)

    @tf.function(input_signature=[tf.TensorSpec([None, *IMAGE_SHAPE], tf.float32, name=INPUT)])
    def from_normalised(image: Any) -> Any:
        return tf.identity(logits(image), name=OUTPUT)

    return Graph(model, architecture, from_pixels, from_normalised)
