"""Margins of images, and how Keras pads."""

import math

from edgefashion.importing.network.plan import Tensor

Margins = tuple[tuple[int, int], tuple[int, int]]
NONE: Margins = ((0, 0), (0, 0))
_NOT_NEGATIVE = ("ReLU", "HardSigmoid", "sigmoid", "softplus")
_KEEPING_SIGN = ("MaxPooling2D", "AveragePooling2D", "ZeroPadding2D", "Concatenate", "Add", "Multiply")


def same_margins(edge: int, reach: int, stride: int) -> tuple[int, int]:
    """What Keras' padding `same` adds before and behind an edge, for a window that reaches so far."""
    total = max((math.ceil(edge / stride) - 1) * stride + reach - edge, 0)
    return total // 2, total - total // 2


def added(inner: Margins, outer: Margins) -> Margins:
    """Two margins around each other."""
    height, width = ((a + c, b + d) for (a, b), (c, d) in zip(inner, outer, strict=True))
    return height, width


def is_positive(tensor: Tensor) -> bool:
    """Whether it is known to hold no number below 0."""
    waiting, seen = [tensor], set()
    while waiting:
        layer = waiting.pop().maker
        if layer is None:
            return False
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if layer.kind in _KEEPING_SIGN:
            waiting += layer.read
        elif layer.config.get("negative_slope") or {layer.kind, layer.config.get("activation")}.isdisjoint(
            _NOT_NEGATIVE
        ):
            return False
    return True
