"""A classifier that was trained elsewhere: the flat model that was read from its file.

It is made of plain layers (see `models.layer_kinds`), each used once: by `Drawing`, for who reads files of
others, and by `build`, from what Keras wrote of it into a run folder.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.errors import BadInput, RunError, first_line
from edgefashion.escaping import visible
from edgefashion.files import reading
from edgefashion.files.reading import MODEL_BYTES
from edgefashion.models.architecture import Architecture, Normalization
from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.models.branches import merge_branches
from edgefashion.models.layer_kinds import count_weights, make
from edgefashion.models.weights import take_from_run
from edgefashion.task import Task
from edgefashion.tensorflow import keras, tf

NAME = "imported"
LARGEST = 1024
"""The longest edge of its images, in pixels."""
MOST_LAYERS = 10_000
MOST_WEIGHTS = MODEL_BYTES // 4
_LONGEST_NAME = 100
Array = npt.NDArray[Any]


class Drawing:
    """A flat model while it is made: `draw` adds the layer that reads tensors there are.

    Names are made plain, of letters, digits and underlines, and different from each other. No more than
    `at_most` weights are made.
    """

    def __init__(self, shape: Sequence[int], name: str = "image", at_most: int = MOST_WEIGHTS) -> None:
        """Of images float32 [N, *shape], height, width and channels. Raises BadInput for no such shape."""
        if len(shape) != 3 or not all(isinstance(each, int) and 0 < each <= 1 << 16 for each in shape):
            raise BadInput(f"its input of the shape {visible(str(tuple(shape)))} is no image")
        self._names: set[str] = set()
        self._left, self._layers = at_most, 0
        self.image = keras.Input(tuple(shape), name=self._own(name))

    def draw(
        self,
        kind: str,
        read: Any,
        config: Mapping[str, Any] | None = None,
        weights: Sequence[Array] = (),
        name: str = "",
    ) -> Any:
        """What a new layer makes of a tensor, or of a list of them.

        `config` is what `models.layer_kinds` says, `weights` are in the order of Keras' `get_weights`; none
        leaves them new. Raises BadInput for a layer that is not known or cannot be.
        """
        name = self._own(name or kind)
        layer = make(kind, {**(config or {}), "name": name})
        self._layers += 1
        self._left -= count_weights(layer, tuple(tf.nest.flatten(read)[0].shape[1:]))
        if self._left < 0 or self._layers > MOST_LAYERS:
            raise BadInput("it has more layers or weights than its file can hold")
        try:
            tensor = layer(read)
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise BadInput(f"{name} ({kind}) does not fit what it reads: {_brief(error)}") from error
        if weights:
            wanted, found = ([tuple(one.shape) for one in some] for some in (layer.weights, weights))
            if wanted != found:
                raise BadInput(f"{name} ({kind}) has weights of the shapes {found} instead of {wanted}")
            layer.set_weights([np.asarray(one, np.float32) for one in weights])
        return tensor

    def model(self, logits: Any) -> keras.Model:
        """The model that answers with this tensor."""
        return keras.Model(self.image, logits, name=NAME)

    def _own(self, name: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9]+", "_", name)[-_LONGEST_NAME:].strip("_") or "layer"
        found, number = plain, 1
        while found.lower() in self._names:  # TensorFlow does not tell cases apart
            number += 1
            found = f"{plain}_{number}"
        self._names.add(found.lower())
        return found


def build(config: Any, at_most: int = MOST_WEIGHTS) -> keras.Model:
    """The model, with new weights, of which `config` is the JSON that `get_config` gave of it.

    Raises BadInput for one that is not flat, has a layer of another kind or more weights than `at_most`.
    """
    try:
        first, *layers = config["layers"]
        drawing = Drawing(first["config"]["batch_input_shape"][1:], first["config"]["name"], at_most)
        tensors = {first["config"]["name"]: drawing.image}
        for layer in layers:
            (node,) = layer["inbound_nodes"]
            read = [tensors[name] for name, *_ in node]
            tensors[layer["config"]["name"]] = drawing.draw(
                layer["class_name"].removeprefix("edgefashion>"),
                read if len(read) > 1 else read[0],
                layer["config"],
                name=layer["config"]["name"],
            )
        ((last, *_),) = config["output_layers"]
        return drawing.model(tensors[last])
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise BadInput(f"it is no flat model of one input and one output ({_brief(error)})") from error


def architecture(normalization: Normalization, path: Path, at_most: int = MOST_WEIGHTS) -> Architecture:
    """That of an imported model of whose layers the file `path` tells, which holds what `get_config` gave: it
    reads images as large as its task says. `build` raises RunError for a file of anything else, and for more
    weights than `at_most`.
    """

    def build_again(task: Task, weights: str | None) -> keras.Model:
        config = reading.read_json(path, "the layers of a model", RunError, reading.INFO_BYTES)
        try:
            model = build(config, at_most)
            shapes = tuple(model.input_shape[1:]), tuple(model.output_shape[1:])
            if shapes != (task.image_shape, (len(task.classes),)):
                raise BadInput(f"it reads {shapes[0]} and gives {shapes[1]}, and its task is another")
        except BadInput as error:
            raise RunError(f"{path} tells of no imported model ({error}): import it again") from error
        if weights:
            take_from_run(Path(weights), model, NAME)
        return model

    return Architecture(
        name=NAME,
        edges=(1, LARGEST),
        normalization=normalization,
        build=build_again,
        expand=lambda images: images,
        fold=lambda model, _: merge_branches(fold_batch_norms(model)),
        resize=lambda images: images,
    )


def _brief(error: Exception) -> str:
    return first_line(error)[:200]
