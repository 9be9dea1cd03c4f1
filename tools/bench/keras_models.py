"""Models of Keras 3 or tf_keras, whichever is given, as people make them, with random weights."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

EDGE, CLASSES = 64, 10
Make = Callable[[Any], Any]


def randomize(keras: Any, model: Any, seed: int = 0) -> Any:
    """The model with statistics of images in its batch normalizations, and no weights that are all equal."""
    chance = np.random.default_rng(seed)
    layers = list(leaves(model))
    for layer in layers:
        for weight in layer.trainable_weights:
            if len(weight.shape) == 1:
                values = weight.numpy()
                weight.assign(values + chance.uniform(-0.3, 0.3, values.shape).astype(values.dtype))
        if type(layer).__name__ == "Normalization":
            for weight, value in zip(layer.weights[:2], (0.45, 0.06), strict=True):
                weight.assign(value + chance.uniform(-0.02, 0.02, weight.shape).astype(np.float32))
            layer.finalize_state()
    norms = [layer for layer in layers if type(layer).__name__ == "BatchNormalization"]
    for norm in norms:
        norm.momentum = 0.3
    pixels = images(model, 16, seed)
    for _ in range(4 if norms else 0):
        model(pixels, training=True)
    return model


def leaves(model: Any) -> Iterator[Any]:
    """The layers of a model that are no models, also those inside others."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from leaves(layer)
        else:
            yield layer


def images(model: Any, count: int, seed: int = 1) -> Any:
    """float32 [count, *shape]: smooth images of pixels from 0 to 255, of the model's size or 64x64."""
    shape = [edge or EDGE for edge in model.input_shape[1:]]
    chance = np.random.default_rng(seed)
    coarse = chance.uniform(0, 255, (count, 4, 4, *shape[2:]))
    rows, columns = (np.arange(edge) * 4 // edge for edge in shape[:2])
    noise = chance.uniform(-40, 40, (count, *shape))
    return np.clip(coarse[:, rows][:, :, columns] + noise, 0, 255).astype(np.float32)


def application(name: str, **options: Any) -> Make:
    """One of `keras.applications`, untrained."""

    def make(keras: Any) -> Any:
        built = getattr(keras.applications, name)(
            weights=None, input_shape=(EDGE, EDGE, 3), classes=CLASSES, classifier_activation=None, **options
        )
        return randomize(keras, built)

    return make


def nested(keras: Any) -> Any:
    """MobileNetV2 under a head, with augmentation and preprocessing inside: the layout of most tutorials."""
    base = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(EDGE, EDGE, 3))
    randomize(keras, base)
    base.trainable = True
    for layer in base.layers[:100]:
        layer.trainable = False
    augmentation = keras.Sequential(
        [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.2)], name="augmentation"
    )
    image = keras.Input((EDGE, EDGE, 3))
    tensor = keras.applications.mobilenet_v2.preprocess_input(augmentation(image))
    tensor = keras.layers.GlobalAveragePooling2D()(base(tensor, training=False))
    tensor = keras.layers.Dropout(0.2)(tensor)
    return keras.Model(image, keras.layers.Dense(CLASSES)(tensor))


MODELS: dict[str, Make] = {
    "MobileNetV2": application("MobileNetV2"),
    "MobileNetV2 under a head": nested,
    "MobileNetV3Small": application("MobileNetV3Small"),
    "EfficientNetB0": application("EfficientNetB0"),
    "ResNet50": application("ResNet50"),
    "DenseNet121": application("DenseNet121"),
    "NASNetMobile": application("NASNetMobile"),
}
