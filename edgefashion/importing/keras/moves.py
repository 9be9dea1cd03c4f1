"""Layers of a Keras file that move, cut or repeat numbers, or do nothing to them."""

from collections.abc import Sequence
from typing import Any

from edgefashion.importing.keras.graph import Layer
from edgefashion.importing.keras.reading import Draw, Reading, image, one
from edgefashion.importing.network import moves
from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.layout import CHANNELS_LAST, Data, transpose
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.network.windows import Margins

_DOING_NOTHING = (
    *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout"),
    *(
        "ActivityRegularization",
        "Identity",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
    ),
    *("RandomContrast", "RandomBrightness", "RandomColorJitter", "RandomColorDegeneration", "RandomErasing"),
    *("RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective"),
    *("RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomElasticTransform"),
    *("RandAugment", "MixUp", "CutMix", "AugMix"),
)
"""At inference."""


def _nothing(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    if layer.kind != "Identity":
        reading.left_out[layer.kind] = None
    return one(read)


def pair(layer: Layer, name: str) -> tuple[int, int]:
    """Of rows and columns, what a layer was told, once or for each."""
    found = layer.told(name, default=1)
    height, width = found if isinstance(found, list | tuple) else (found, found)
    return int(height), int(width)


def check_layout(layer: Layer) -> None:
    """Raise Unsupported for images whose channels come first."""
    if layer.told("data_format", default="channels_last") not in ("channels_last", None):
        raise Unsupported("with its channels first")


def kept_ratio(layer: Layer) -> str:
    """How a resizing keeps the ratio of the edges, or nothing."""
    options = ("crop_to_aspect_ratio", "pad_to_aspect_ratio")
    return ", ".join(option for option in options if layer.told(option))


def _resizing(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    """At the beginning, images come in its size; later on it may enlarge by a whole factor."""
    data, size = one(read), (int(layer.told("height")), int(layer.told("width")))
    if data.shape[:2] == size:
        return data
    if kept := kept_ratio(layer):
        raise Unsupported(f"inside the model, with {kept}")
    factors = [new // old if new % old == 0 else 0 for new, old in zip(size, data.shape, strict=False)]
    if not all(factors):
        raise Unsupported("inside the model, by other than whole factors")
    config = {"size": factors, "interpolation": layer.told("interpolation", default="bilinear")}
    return _enlarged(reading, data, config, layer)


def _upsampling(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    check_layout(layer)
    config = {"size": pair(layer, "size"), "interpolation": layer.told("interpolation", default="nearest")}
    return _enlarged(reading, one(read), config, layer)


def _enlarged(reading: Reading, data: Data, config: dict[str, Any], layer: Layer) -> Data:
    if config["interpolation"] not in ("nearest", "bilinear"):
        raise Unsupported(f"that is {str(config['interpolation'])[:20]}")
    tensor = reading.network.tensor_of(image(reading, data))
    edges = (edge * factor for edge, factor in zip(tensor.shape[:2], config["size"], strict=True))
    made = reading.network.add("UpSampling2D", [tensor], (*edges, tensor.shape[2]), config, (), layer.name)
    return Data(Curve.of(made), CHANNELS_LAST)


def _crop_to(reading: Reading, layer: Layer, read: Sequence[Any], weights: list[Array]) -> Data:
    if one(read).shape[:2] != (layer.told("height"), layer.told("width")):
        raise Unsupported("to another size")
    return _nothing(reading, layer, read, weights)


def _padding(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    check_layout(layer)
    (top, bottom), (left, right) = layer.told("padding")
    return moves.pad(reading.network, one(read), {1: (top, bottom), 2: (left, right)})


def _cropping(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    check_layout(layer)
    (top, bottom), (left, right) = layer.told("cropping")
    return cropped(reading, one(read), ((top, bottom), (left, right)), layer.name)


def cropped(reading: Reading, data: Data, margins: Margins, name: str) -> Data:
    """An image without its margins."""
    return Data(reading.network.crop(image(reading, data), margins, name), CHANNELS_LAST)


def _flatten(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    check_layout(layer)
    return moves.flatten(reading.network, one(read), 1, layer.name)


def _reshape(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    """The layer, or the operator, whose shape begins with the batch."""
    shape = layer.told("target_shape", "newshape", "shape")
    batch, rest = (1, shape) if "target_shape" in layer.config else (shape[0], shape[1:])
    return moves.resized(reading.network, one(read), batch or 1, [int(edge) for edge in rest], layer.name)


def _permute(reading: Reading, layer: Layer, read: Sequence[Any], _: list[Array]) -> Data:
    return transpose(one(read), (0, *layer.told("dims")))


MOVES: dict[str, Draw] = {
    **dict.fromkeys(_DOING_NOTHING, _nothing),
    **dict.fromkeys(("CenterCrop", "RandomCrop"), _crop_to),
    "Resizing": _resizing,
    "ZeroPadding2D": _padding,
    "Cropping2D": _cropping,
    "UpSampling2D": _upsampling,
    "Permute": _permute,
    "Flatten": _flatten,
    "Reshape": _reshape,
}
