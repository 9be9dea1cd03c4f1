"""Dilated convolutions as TensorFlow writes them: an image is cut into a picture for each place of a block,
which are convolved without dilations, and put together again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgefashion.importing.network.curves import GRID, Curve
from edgefashion.importing.network.layout import CHANNELS_LAST, Data, placed
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read, data_of, needed
from edgefashion.importing.network.plan import Array, Tensor, Unsupported
from edgefashion.importing.network.windows import NONE, Margins
from edgefashion.importing.saved_model.graph import Node

Pair = tuple[int, int]


@dataclass(eq=False)
class Cut(Curve):
    """An image that is cut, or what a convolution makes of one: no layer computes it, none but these read it.

    image: the whole one. block: rows and columns from one number of a picture to the next. margins: what is
    padded before. convolve: the convolution, once there is one, of the whole image with such margins.
    """

    image: Curve | None = None
    block: Pair = (1, 1)
    margins: Margins = NONE
    convolve: Callable[[Margins], Curve] | None = None

    def convolved(self, network: Network, kernel: Array, groups: int, name: str) -> "Cut":
        """Behind a convolution without padding, strides and dilations."""
        image = self.image
        if image is None or self.convolve is not None:
            raise Unsupported("of an image that was cut")
        shape = (*(self.base.shape[axis] + 1 - kernel.shape[axis] for axis in (0, 1)), kernel.shape[3])

        def convolve(margins: Margins) -> Curve:
            return network.conv(image, kernel, None, (1, 1), margins, self.block, groups, name)

        return replace(self, base=Tensor(shape), convolve=convolve)


def cut(network: Network, _: Node, read: Read) -> Data:
    """SpaceToBatchND."""
    tensor = network.image_of(placed(network, data_of(read), CHANNELS_LAST))
    block, margins = _block(needed(read, 1)), _margins(needed(read, 2))
    padded = [edge + sum(margin) for edge, margin in zip(tensor.shape[:2], margins, strict=True)]
    if min(block) < 1 or any(edge % step for edge, step in zip(padded, block, strict=True)):
        raise ValueError("an image is not cut into whole pictures")
    made = Tensor((padded[0] // block[0], padded[1] // block[1], tensor.shape[2]))
    nothing = np.full_like(GRID, np.nan)
    return Data(
        Cut(made, "cut", nothing, image=Curve.of(tensor), block=block, margins=margins), CHANNELS_LAST
    )


def join(_: Network, __: Node, read: Read) -> Data:
    """BatchToSpaceND; what it crops, nothing has to pad."""
    curve = data_of(read).curve
    if not isinstance(curve, Cut) or curve.convolve is None or curve.block != _block(needed(read, 1)):
        raise Unsupported("of other than a convolution of an image that was cut")
    crops = _margins(needed(read, 2))
    first, second = (
        (before - least, after - most)
        for (before, after), (least, most) in zip(curve.margins, crops, strict=True)
    )
    if min(*first, *second) < 0:
        raise Unsupported("that crops more than was padded")
    return Data(curve.convolve((first, second)), CHANNELS_LAST)


def _block(values: Array) -> Pair:
    if values.shape != (2,):
        raise Unsupported("of other than height and width")
    return int(values[0]), int(values[1])


def _margins(values: Array) -> Margins:
    if values.shape != (2, 2) or values.min() < 0:
        raise Unsupported("of other than height and width")
    (top, bottom), (left, right) = values.astype(int).tolist()
    return (top, bottom), (left, right)
