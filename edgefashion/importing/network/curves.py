"""Functions of one number, as files spell them: operator by operator, each of the numbers of one tensor.

An activation has many spellings: a hard swish is one operator, or a sum, a clip, a product and a division.
So it is not its spelling that is looked at but what it computes, on a grid of numbers: where that is what a
known activation computes, it is that one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.importing.network.plan import Tensor, Unsupported

Values = npt.NDArray[np.float64]
Function = Callable[..., Values]

_HALF = np.concatenate([np.linspace(0, 12, 481), np.geomspace(12.5, 1e8, 120)])
GRID = np.concatenate([-_HALF[:0:-1], _HALF])
"""Close together where activations bend, and out to where a clip may lie."""
MOST_IN_A_ROW = 100
_TOLERANCE = 2e-6
_LOOSER = {"gelu": 2e-3}
"""How far the gelu that is written with tanh is from the one with erf."""
_SIXTH = 5e-4
"""How far 6 times 1/6 in half precision is from 1."""


def _erf(x: Values) -> Values:
    return np.asarray([math.erf(value) for value in x])


def _sigmoid(x: Values) -> Values:
    return 0.5 * (1 + np.tanh(x / 2))


FUNCTIONS: dict[str, Function] = {
    "affine": lambda x, scale, shift: x * scale + shift,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "leaky": lambda x, slope: np.where(x < 0, slope * x, x),
    "elu": lambda x, alpha: np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x),
    "hard_sigmoid": lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "erf": _erf,
    "erfc": lambda x: 1 - _erf(x),
    "softplus": lambda x: np.logaddexp(0, x),
    "swish": lambda x: x * _sigmoid(x),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "gelu": lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "square": np.square,
    "cube": lambda x: x**3,
    "add": np.add,
    "multiply": np.multiply,
    "subtract": np.subtract,
}
"""What each operator computes, of arrays and then of numbers."""
_ACTIVATIONS: dict[tuple[str, str], Function] = {
    **{("Activation", name): FUNCTIONS[name] for name in ("sigmoid", "tanh", "softplus", "swish", "gelu")},
    ("Activation", "elu"): lambda x: FUNCTIONS["elu"](x, 1.0),
    ("HardSigmoid", ""): lambda x: FUNCTIONS["hard_sigmoid"](x, 1 / 6, 0.5),
    ("HardSwish", ""): FUNCTIONS["hard_swish"],
}


@dataclass(eq=False)
class Curve:
    """A function of the numbers of a tensor: what it gives on the grid, and how that came about.

    The tensor itself is the curve of kind "tensor". `made` is what a layer gives for it, once there is one.
    """

    base: Tensor
    kind: str
    values: Values
    read: tuple["Curve", ...] = ()
    numbers: tuple[float, ...] = ()
    name: str = ""
    depth: int = 0
    made: Tensor | None = None

    @staticmethod
    def of(tensor: Tensor) -> "Curve":
        """The tensor as it is."""
        return Curve(tensor, "tensor", GRID)


def apply(kind: str, *read: Curve, numbers: tuple[float, ...] = (), name: str = "") -> Curve:
    """One operator more, on curves of one tensor. Raises Unsupported for too many in a row."""
    depth = 1 + max(each.depth for each in read)
    if depth > MOST_IN_A_ROW:
        raise Unsupported(f"behind {MOST_IN_A_ROW} others of its kind")
    with np.errstate(all="ignore"):
        values = FUNCTIONS[kind](*(each.values for each in read), *numbers)
    return Curve(read[0].base, kind, values, read, numbers, name, depth)


def line(curve: Curve) -> tuple[float, float] | None:
    """Scale and shift, where that is all it does."""
    middle = len(GRID) // 2
    shift = float(curve.values[middle])
    scale = float(curve.values[middle + 40] - shift) / float(GRID[middle + 40])
    return (scale, shift) if _alike(curve.values, scale * GRID + shift) else None


def activation(curve: Curve) -> tuple[str, dict[str, Any]] | None:
    """The layer that computes the same: its kind and configuration; None where there is none."""
    for (kind, name), function in _ACTIVATIONS.items():
        if _alike(curve.values, function(GRID), _LOOSER.get(name or kind, _TOLERANCE)):
            return kind, {"activation": name} if name else {}
    return _relu(curve.values)


def ramp(curve: Curve) -> tuple[float, float, float] | None:
    """Scale, shift and top, where it is that line between 0 and a top of about 1, and those outside: a hard
    sigmoid.
    """
    top = float(curve.values[-1])
    if abs(top - 1) > _SIXTH:
        return None
    values = curve.values / top
    rising = np.flatnonzero((values > 0) & (values < 1))
    if len(rising) < 2:
        return None
    first, last = rising[0], rising[-1]
    scale = float(values[last] - values[first]) / float(GRID[last] - GRID[first])
    shift = float(values[first]) - scale * float(GRID[first])
    return (scale, shift, top) if _alike(values, np.clip(scale * GRID + shift, 0, 1)) else None


def _relu(values: Values) -> tuple[str, dict[str, Any]] | None:
    """A straight line from 0 upward, to a largest value if there is one, and a flatter one below."""
    largest = float(values[-1])
    ceiling = None if largest > GRID[-1] / 2 else largest
    at_minus_one = int(np.argmin(np.abs(GRID + 1)))
    slope = -float(values[at_minus_one])
    if slope < 0 or (ceiling is not None and ceiling <= 0):
        return None
    rising = GRID if ceiling is None else np.minimum(GRID, ceiling)
    if not _alike(values, np.where(GRID < 0, slope * GRID, rising)):
        return None
    if slope and ceiling is None:
        return "LeakyReLU", {"alpha": slope}
    return "ReLU", {"max_value": ceiling, "negative_slope": slope}


def _alike(found: Values, wanted: Values, tolerance: float = _TOLERANCE) -> bool:
    return bool(np.all(np.abs(found - wanted) <= tolerance * np.maximum(1, np.abs(wanted))))
