"""The variables of a SavedModel: numbers of the checkpoint beside its graph."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion.artifacts.protobuf import Message
from edgefashion.errors import ArtifactError
from edgefashion.files import reading
from edgefashion.importing.network.plan import Array
from edgefashion.importing.saved_model.graph import CALLS, Node

_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"
Bound = tuple[int, str]
"""The number of an object in the file, and the name of the variable that it is."""


def bound(objects: Message, nodes: Mapping[str, Node]) -> dict[str, Bound]:
    """Which object a handle of a variable is of, by the handle's name, as far as a graph's calls tell."""
    names = [each.message(7).text(6) for each in objects.messages(1)]
    captured = {entry.text(1): entry.message(2).integers(2) for entry in objects.messages(2)}
    found = {}
    for node in nodes.values():
        numbers = captured.get(node.function(), ()) if node.kind in CALLS else ()
        if 0 < len(numbers) <= len(node.inputs):
            for (handle, _), number in zip(node.inputs[-len(numbers) :], numbers, strict=True):
                if 0 <= number < len(names):
                    found[handle] = (number, names[number])
    return found


class Variables:
    """The variables in a folder. Keras 3 gives several handles to one, and several objects one name."""

    def __init__(self, folder: Path, bound: Mapping[str, Bound]) -> None:
        self._folder, self._bound = folder, bound

    def array(self, handle: Node) -> Array:
        """The values of a variable. Raises ValueError for one that is not there, ArtifactError for links."""
        key = self._by_object.get(self._bound.get(handle.name, (-1, "")))
        key = key or self._by_name.get(handle.text("shared_name"))
        if key is None or key not in self._shapes:
            raise ValueError("one of its variables is not beside it, or two have one name")
        return np.asarray(self._reader.get_tensor(key))

    @cached_property
    def _reader(self) -> Any:
        from edgefashion.tensorflow import tf

        files = reading.entries(self._folder, ArtifactError)
        if self._folder.is_symlink() or any(file.is_symlink() for file in files):
            raise ArtifactError(f"{self._folder} holds links: copy the files themselves there")
        try:
            return tf.train.load_checkpoint(str(self._folder / "variables"))
        except (tf.errors.OpError, ValueError, RuntimeError) as error:
            raise ValueError("its variables cannot be read") from error

    @cached_property
    def _shapes(self) -> dict[str, list[int]]:
        """Those of the variables. Raises ValueError where they have more numbers than their files bytes."""
        shapes: dict[str, list[int]] = self._reader.get_variable_to_shape_map()
        held = sum(file.stat().st_size for file in reading.entries(self._folder, ArtifactError))
        if sum(int(np.prod(shape, dtype=np.float64)) for shape in shapes.values()) > held:
            raise ValueError("its variables have more numbers than their files")
        return shapes

    @cached_property
    def _objects(self) -> list[tuple[int, str, str]]:
        """Number, name and key of the variables in the checkpoint."""
        if _OBJECTS not in self._shapes:
            return [(-1, name, name) for name in self._shapes]
        return [
            (number, entry.text(2), entry.text(3))
            for number, each in enumerate(Message(self._reader.get_tensor(_OBJECTS)).messages(1))
            for entry in each.messages(2)
            if entry.text(1) == _VALUE
        ]

    @cached_property
    def _by_object(self) -> dict[Bound, str]:
        return {(number, name): key for number, name, key in self._objects if number >= 0}

    @cached_property
    def _by_name(self) -> dict[str, str | None]:
        """None where two have the name."""
        keys: dict[str, str | None] = {}
        for _, name, key in self._objects:
            keys[name] = None if name in keys else key
        return keys
