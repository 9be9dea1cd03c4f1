"""What a model file computes, as a plan of plain layers: channels last, nothing built yet.

A reader adds layers as it goes through the operators of a file. Constants that scale and shift channels are
layers of the kind `AFFINE` at first. When the file is read they go where they cost nothing: into what is
done to a picture before the model, into the convolution before or behind them, and only else into a 1x1
depthwise convolution.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.errors import BadInput
from edgefashion.importing.network.imported import Preprocessing

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
AFFINE = "affine"
MOST_VALUES = 1 << 28
"""Numbers between two layers, of one picture."""
MOST_LAYERS = 4_000
KERNELS = ("Conv2D", "DepthwiseConv2D", "Dense")


class Unsupported(Exception):
    """An operator that no layer here computes; the message is what about it, or nothing.

    curves: what could not be made a tensor, the innermost first, where that came out when it was read.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.curves: list[object] = []


@dataclass(eq=False)
class Tensor:
    """What a layer gives: its shape without the batch, channels last; the image is made by none."""

    shape: Shape
    maker: "Layer | None" = None


@dataclass(eq=False)
class Layer:
    """A layer; `config` and `weights` are as `Drawing.draw` takes them. A kernel has its bias always.

    picks: of one that only picks channels, these, integers [M].
    """

    kind: str
    read: list[Tensor]
    config: dict[str, Any]
    weights: list[Array]
    name: str
    made: Tensor = field(init=False)
    picks: Array | None = None


class Plan:
    """The layers in their order, from the image on."""

    def __init__(self, image_shape: Shape) -> None:
        self.image = Tensor(_checked(image_shape))
        self.layers: list[Layer] = []

    def add(
        self,
        kind: str,
        read: Sequence[Tensor],
        shape: Shape,
        config: Mapping[str, Any] | None = None,
        weights: Sequence[Array] = (),
        name: str = "",
    ) -> Tensor:
        """What a new layer makes: a tensor of this shape. Raises BadInput for weights that are not finite."""
        numbers = [np.asarray(one, np.float32) for one in weights]
        if not all(np.isfinite(one).all() for one in numbers):
            raise BadInput(
                "it has weights that are not finite: they did not survive its training or its copy"
            )
        if len(self.layers) >= MOST_LAYERS:
            raise BadInput(f"it has more than {MOST_LAYERS:,} layers")
        layer = Layer(kind, list(read), dict(config or {}), numbers, name or kind)
        layer.made = Tensor(_checked(shape), layer)
        self.layers.append(layer)
        return layer.made

    def affine(self, tensor: Tensor, scale: Array | float, shift: Array | float, name: str = "") -> Tensor:
        """Each channel times its scale plus its shift, one for all or float [channels]."""
        channels = tensor.shape[-1]
        both = [np.broadcast_to(np.asarray(each, np.float64), (channels,)) for each in (scale, shift)]
        made = self.add(AFFINE, [tensor], tensor.shape, {}, both, name)
        assert made.maker is not None
        made.maker.weights = list(both)  # folded in double precision
        return made

    def settle(self, logits: Tensor) -> tuple[Tensor, Preprocessing | None]:
        """Keep what the logits hang on, and put the scales and shifts of channels where they cost least.

        Gives the logits again, and what was done to the image before the first layer.
        """
        self._keep(logits)
        for layer in [layer for layer in self.layers if layer.kind == AFFINE]:
            self._merge(layer)
        preprocessing = self._take_first(logits)
        for layer in [layer for layer in self.layers if layer.kind == AFFINE]:
            if not self._into_maker(layer, logits):
                self._into_readers(layer, logits)
        self._join_pooling(logits)
        return self._keep(logits), preprocessing

    def _keep(self, logits: Tensor) -> Tensor:
        needed = {id(logits)}
        kept = []
        for layer in reversed(self.layers):
            if id(layer.made) in needed:
                needed |= {id(tensor) for tensor in layer.read}
                kept.append(layer)
        self.layers = kept[::-1]
        return logits

    def _readers(self, tensor: Tensor) -> list[Layer]:
        return [layer for layer in self.layers if any(each is tensor for each in layer.read)]

    def _only_reader(self, tensor: Tensor, reader: Layer, logits: Tensor) -> bool:
        return tensor is not logits and self._readers(tensor) == [reader]

    def _merge(self, layer: Layer) -> None:
        """Two in a row are one."""
        before = layer.read[0].maker
        if before is not None and before.kind == AFFINE:
            scale, shift = before.weights
            layer.weights = [layer.weights[0] * scale, layer.weights[0] * shift + layer.weights[1]]
            layer.read = list(before.read)
            if not self._readers(before.made):
                self.layers.remove(before)

    def _take_first(self, logits: Tensor) -> Preprocessing | None:
        readers = self._readers(self.image)
        if len(readers) != 1 or readers[0].kind != AFFINE or readers[0].made is logits:
            return None
        scale, offset = (_one_or_all(each) for each in readers[0].weights)
        self._drop(readers[0])
        return Preprocessing(scale=scale, offset=offset)

    def _drop(self, layer: Layer) -> None:
        """Let what reads this layer read what it reads."""
        for reader in self._readers(layer.made):
            reader.read = [layer.read[0] if each is layer.made else each for each in reader.read]
        self.layers.remove(layer)

    def _into_maker(self, layer: Layer, logits: Tensor) -> bool:
        """Fold it into the kernel before it, if nothing else reads what that makes."""
        maker = layer.read[0].maker
        if maker is None or maker.kind not in KERNELS or not self._only_reader(layer.read[0], layer, logits):
            return False
        scale, shift = layer.weights
        kernel, bias = maker.weights
        outputs = kernel.shape[2:] if maker.kind == "DepthwiseConv2D" else (-1,)
        maker.weights = [_single(kernel * scale.reshape(outputs)), _single(bias * scale + shift)]
        maker.made = layer.made
        layer.made.maker = maker
        self.layers.remove(layer)
        return True

    def _into_readers(self, layer: Layer, logits: Tensor) -> None:
        """Fold it into the kernels behind it, where nothing else reads it; else make it a layer."""
        scale, shift = layer.weights
        readers = self._readers(layer.made)
        if layer.made is logits or not readers or not all(_takes(reader, shift) for reader in readers):
            self._as_depthwise(layer)
            return
        for reader in readers:
            kernel, bias = reader.weights
            reader.weights = [  # an image that is `shift` everywhere adds the same to all of the output
                _single(kernel * scale.reshape(-1, 1)),
                _single(bias + shift @ kernel.reshape(-1, *kernel.shape[-2:]).sum(0)),
            ]
        self._drop(layer)

    def _as_depthwise(self, layer: Layer) -> None:
        scale, shift = layer.weights
        channels = len(scale)
        kernel = _single(scale.reshape(1, 1, channels, 1))
        config: dict[str, Any] = {"kernel_size": (1, 1)}
        if len(layer.made.shape) == 3:
            layer.kind, layer.config, layer.weights = "DepthwiseConv2D", config, [kernel, _single(shift)]
            return
        if len(layer.made.shape) != 1:
            raise BadInput(f"{layer.name} scales or shifts what is no image: no layer here does that")
        place = self.layers.index(layer)
        image = Layer("Reshape", layer.read, {"target_shape": (1, 1, channels)}, [], f"{layer.name}_image")
        image.made = Tensor((1, 1, channels), image)
        scaled = Layer("DepthwiseConv2D", [image.made], config, [kernel, _single(shift)], layer.name)
        scaled.made = Tensor((1, 1, channels), scaled)
        layer.kind, layer.read, layer.weights, layer.name = "Flatten", [scaled.made], [], f"{layer.name}_flat"
        self.layers[place:place] = [image, scaled]

    def _join_pooling(self, logits: Tensor) -> None:
        """A global pooling gives a row of channels itself where only a flattening reads it."""
        for layer in [layer for layer in self.layers if layer.kind == "Flatten"]:
            maker = layer.read[0].maker
            if maker is None or not maker.kind.startswith("Global"):
                continue
            if self._only_reader(layer.read[0], layer, logits):
                maker.config["keepdims"] = False
                maker.made, layer.made.maker = layer.made, maker
                self.layers.remove(layer)


def count(names: Sequence[str]) -> str:
    """Names with how often each is there, the most frequent first."""
    return ", ".join(f"{name} ({number})" for name, number in Counter(names).most_common())


def _checked(shape: Shape) -> Shape:
    if math.prod(shape) > MOST_VALUES or min(shape, default=1) < 1:
        raise BadInput(f"it makes an array of the shape {list(shape)}: too large or empty")
    return tuple(map(int, shape))


def _takes(reader: Layer, shift: Array) -> bool:
    """Whether a reader's kernel can take over what happens before it: at its borders zeros are added behind
    that.
    """
    if reader.kind == "Dense":
        return True
    whole = reader.kind == "Conv2D" and reader.config.get("groups", 1) == 1
    return whole and (reader.config.get("padding") == "valid" or not shift.any())


def _single(array: Array) -> Array:
    return np.asarray(array, np.float32)


def _one_or_all(values: Array) -> tuple[float, ...]:
    found = tuple(float(value) for value in values)
    return found[:1] if len(set(found)) == 1 else found
