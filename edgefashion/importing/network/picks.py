"""Channels that a file cuts out, splits or shuffles: a 1x1 convolution with ones picks them."""

import numpy as np

from edgefashion.importing.network.curves import Curve
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.network.windows import NONE

MOST_ONES = 1 << 26
"""Weights of all kernels that pick channels."""


def pick(network: Network, read: Curve, channels: Array, name: str = "") -> Curve:
    """These channels of an image, integers [M]; of others that were picked, from where these come."""
    tensor = network.image_of(read)
    if tensor.maker is not None and tensor.maker.picks is not None:
        channels, (tensor,) = tensor.maker.picks[channels], tensor.maker.read
    count = tensor.shape[2]
    if np.array_equal(channels, np.arange(count)):
        return Curve.of(tensor)
    ones = sum(layer.weights[0].size for layer in network.layers if layer.picks is not None)
    if ones + count * len(channels) > MOST_ONES:
        raise Unsupported("of too many channels")
    kernel = np.zeros((1, 1, count, len(channels)), np.float32)
    kernel[0, 0, channels, np.arange(len(channels))] = 1
    made = network.conv(Curve.of(tensor), kernel, None, (1, 1), NONE, name=name)
    if made.base.maker is not None:
        made.base.maker.picks = channels
    return made
