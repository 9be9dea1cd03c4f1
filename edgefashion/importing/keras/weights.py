"""The weights in a Keras file, of each layer that its configuration has.

Keras writes them in two ways. Its archives have a group for each layer, called by its class and counted:
`layers/conv2d_1/vars/0`. Its .h5 files have a list for each layer of the outermost model, in which those of a
model inside stand as Keras trains them: first all that are trained, then all others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from edgefashion.escaping import visible
from edgefashion.files import hdf5
from edgefashion.importing.keras.graph import Layer

Array = NDArray[np.float32]
_NORM_WEIGHTS = (("gamma",), ("beta",), ("moving_mean",), ("moving_variance",))
_KERNELS = {
    "Conv2D": (("kernel",),),
    "Dense": (("kernel",),),
    "DepthwiseConv2D": (("depthwise_kernel", "kernel"),),
    "SeparableConv2D": (("depthwise_kernel",), ("pointwise_kernel",)),
}
_NORMALIZING = tuple(
    f"{name}BatchNormalization{version}" for name in ("", "Sync") for version in ("", "V1", "V2")
)
_RANDOM_STATES = ("StateVar", "seed_generator_state")
_LAYERS, _OLDER = "layers", "_layer_checkpoint_dependencies"
"""What the layers of a model are called in archives; in those of Keras 2.12 and 2.13, which count layers with
weights twice.
"""


@dataclass(frozen=True)
class _Weight:
    """What a layer has one array for: the names Keras gives it, and whether it is trained."""

    path: tuple[str, ...]
    names: tuple[str, ...]
    trained: bool


class Weights(Protocol):
    """The arrays of a layer, in the order in which Keras makes them. Raises ValueError where they lack."""

    def __call__(self, layer: Layer) -> list[Array]:
        """No array for a layer that has none."""


class ArchivedWeights:
    """Those in the `model.weights.h5` of a Keras archive; all of them have at most so many bytes."""

    def __init__(self, file: h5py.Group, model: Layer, at_most: int) -> None:
        self._file, self._left = file, at_most
        self._groups = dict(_groups(file, model, ""))

    def __call__(self, layer: Layer) -> list[Array]:
        """See `Weights`."""
        count = len(_own(layer))
        if not count:
            return []
        group = f"{self._groups[layer.path]}/vars"
        found = hdf5.find(self._file, group)
        name = hdf5.as_text(found.attrs.get("name", layer.name))
        if len(found) != count or name != layer.name:
            raise ValueError(
                f"{visible(group)} has {len(found)} arrays of {visible(name)}, "
                f"and {visible(layer.name)} takes {count}"
            )
        arrays = []
        for number in range(count):
            arrays.append(hdf5.read_numbers(self._file, f"{group}/{number}", self._left))
            self._left -= arrays[-1].nbytes
        return arrays


def _groups(file: h5py.Group, model: Layer, prefix: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The group of each layer, also of those in models inside, by its path."""
    around = hdf5.find(file, prefix.rstrip("/")) if prefix else file
    older = _OLDER in around
    counts: dict[str, int] = {}
    for layer in model.layers():
        if model.kind == "Sequential" and layer.kind == "InputLayer":
            continue
        kind = _snake_case(layer.kind)
        number = counts.get(kind, 0)
        counts[kind] = number + (2 if older and any(_in_order(layer)) else 1)
        group = f"{prefix}{_OLDER if older else _LAYERS}/{kind}" + (f"_{number}" if number else "")
        yield layer.path, group
        if layer.is_model:
            yield from _groups(file, layer, f"{group}/")


def _snake_case(kind: str) -> str:
    kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()


class ListedWeights:
    """Those in the group `model_weights` of an .h5 file; all of them have at most so many bytes."""

    def __init__(self, file: h5py.Group, model: Layer, at_most: int) -> None:
        self._file, self._left = file, at_most
        wanted = [weights for layer in model.layers() if (weights := list(_in_order(layer)))]
        given = [names for name in hdf5.texts(file, "layer_names") if (names := self._listed(name))]
        if len(wanted) != len(given):
            raise ValueError(f"it has weights of {len(given)} layers, and its model has {len(wanted)}")
        self._names: dict[tuple[str, ...], list[str]] = {}
        for weights, names in zip(wanted, given, strict=True):
            self._assign(weights, names)

    def _listed(self, layer: str) -> list[str]:
        names = hdf5.texts(hdf5.find(self._file, layer), "weight_names")
        return [f"{layer}/{name}" for name in names if _last_part(name) not in _RANDOM_STATES]

    def _assign(self, weights: list[_Weight], names: list[str]) -> None:
        parts = [_last_part(name) for name in names]
        if len(names) != len(weights) or any(
            part not in weight.names for part, weight in zip(parts, weights, strict=True)
        ):
            known = ", ".join(weight.names[0] for weight in weights[:8])
            raise ValueError(
                f"{visible('/'.join(weights[0].path))} has the weights {visible(', '.join(parts[:8]))} "
                f"instead of {known}"
            )
        for weight, name in zip(weights, names, strict=True):
            self._names.setdefault(weight.path, []).append(name)

    def __call__(self, layer: Layer) -> list[Array]:
        """See `Weights`."""
        arrays = []
        for name in self._names.get(layer.path, ()):
            arrays.append(hdf5.read_numbers(self._file, name, self._left))
            self._left -= arrays[-1].nbytes
        return arrays


def _last_part(name: str) -> str:
    """`kernel` of `model/conv/kernel_1:0`."""
    return re.sub(r"_\d+$", "", name.split("/")[-1].split(":")[0])


def _in_order(layer: Layer) -> Iterator[_Weight]:
    """The weights of a layer or model as .h5 files list them."""
    if layer.is_model:
        inside = [weight for each in layer.layers() for weight in _in_order(each)]
        if layer.config.get("trainable", True):
            inside.sort(key=lambda weight: not weight.trained)
        yield from inside
        return
    trainable = bool(layer.config.get("trainable", True))
    for names in _own(layer):
        fixed = layer.kind == "Normalization" or names[0].startswith("moving")
        yield _Weight(layer.path, names, trainable and not fixed)


def _own(layer: Layer) -> tuple[tuple[str, ...], ...]:
    """What Keras calls the arrays of a layer of a kind that has some."""
    config = layer.config
    if layer.kind in _KERNELS:
        return (*_KERNELS[layer.kind], *((("bias",),) if config.get("use_bias", True) else ()))
    if layer.kind in _NORMALIZING:
        gamma, beta, *statistics = _NORM_WEIGHTS
        scale = (gamma,) if config.get("scale", True) else ()
        center = (beta,) if config.get("center", True) else ()
        return (*scale, *center, *statistics)
    if layer.kind == "PReLU":
        return (("alpha",),)
    if layer.kind == "Normalization" and config.get("mean") is None:
        return (("mean",), ("variance",), ("count",))
    return ()


def open_weights(file: h5py.File, model: Layer, at_most: int) -> Weights:
    """Those of a file, whichever way it has them. Raises ValueError where it has not."""
    if "model_weights" in file:
        return ListedWeights(hdf5.find(file, "model_weights"), model, at_most)
    return ArchivedWeights(file, model, at_most)
