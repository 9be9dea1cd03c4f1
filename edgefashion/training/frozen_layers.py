"""Training only the layers behind a certain one, whose output is computed once for each image, where that is
always the same.

The first layers of a pretrained model see the largest images and take most of the time of a step, and what
they look for depends least on the images it was trained on (Yosinski et al. 2014). They keep their weights,
and batch normalization in them its statistics.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgefashion.data import Splits, Subset
from edgefashion.errors import BadInput
from edgefashion.files.stored import without_name
from edgefashion.models import Architecture, Normalization
from edgefashion.models.batch_norm_folding import connect
from edgefashion.tensorflow import keras, quiet, tf

BATCH_SIZE = 250


def split(model: keras.Model, name: str) -> tuple[keras.Model, keras.Model]:
    """The layers of a flat model up to `name`, and those behind it, as two models that share its weights.

    Raises BadInput if no layer has that name, or one behind it takes more than what it gives.
    """
    names = [layer.name for layer in model.layers]
    if name not in names[1:-1]:
        raise BadInput(f"{model.name} has no layer {name} to freeze: `edgefashion train` lists the layers")
    last = model.get_layer(name)
    layers = model.layers[names.index(name) + 1 :]
    known = {id(layer.output) for layer in (last, *layers)}
    for layer in layers:
        if missing := [tensor for tensor in tf.nest.flatten(layer.input) if id(tensor) not in known]:
            raise BadInput(
                f"{layer.name} behind the layer {name} also takes {missing[0].name}: freeze up to another"
            )
    image = keras.Input(last.output_shape[1:], name="features")
    tensors = {id(last.output): image}
    connect(layers, tensors, lambda layer: layer)
    return keras.Model(model.input, last.output), keras.Model(image, tensors[id(model.output)])


def behind(architecture: Architecture, name: str) -> Architecture:
    """The part of an architecture that learns. Its images are prepared for the layers that are frozen."""
    return replace(
        architecture, build=lambda task, weights: split(architecture.build(task, weights), name)[1]
    )


def on_features(architecture: Architecture, name: str) -> Architecture:
    """The same, where its images are what the layer `name` gives, see `features`."""
    return replace(
        behind(architecture, name),
        normalization=Normalization(scale=1.0, zero_point=0),
        expand=lambda features: features,
    )


def features(
    architecture: Architecture,
    weights: str | None,
    name: str,
    splits: Splits,
    folder: Path,
    report: Callable[[str], None],
) -> Splits:
    """What the layer `name` of a model with the initial `weights` gives for the images of both splits, in
    their place: float16 [N, ...], in files without a name in `folder`. Raises BadInput as `split` does, and
    OutputError.
    """
    first, _ = split(architecture.build(splits.task, weights), name)
    with quiet():
        tf.cast(0.0, "half")  # the first time, TensorFlow says which of its kernels are not for such numbers
    answer = tf.function(lambda pixels: tf.cast(first(architecture.prepare(pixels), training=False), "half"))
    shape, dtype = first.output_shape[1:], np.dtype(np.float16)
    size = 2 * np.prod(shape) * (len(splits.train) + len(splits.validation))
    report(
        f"frozen until {name}: what it gives is computed once, and takes {size / 1e6:,.0f} MB of disk space"
    )

    def of(subset: Subset) -> Subset:
        starts = range(0, len(subset), BATCH_SIZE)
        parts = (answer(subset.images[start : start + BATCH_SIZE]).numpy() for start in starts)
        return Subset(without_name(folder, dtype, shape, parts), subset.labels, subset.indices)

    return replace(splits, train=of(splits.train), validation=of(splits.validation))
