"""Reads a classifier in float out of a SavedModel, TensorFlow's folder: as a plan of plain layers.

TensorFlow does not load it, which would run what is in it: its operators are followed one by one from the
signature's output, through the functions that they call, and of its variables the numbers are taken.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgefashion.artifacts.protobuf import Message
from edgefashion.errors import ArtifactError
from edgefashion.files import reading
from edgefashion.importing.network.given import Given, Image, Refused, image_of, naming
from edgefashion.importing.network.operands import check_size
from edgefashion.importing.network.plan import Array, Unsupported
from edgefashion.importing.network.walk import Walk
from edgefashion.importing.saved_model.graph import CALLS, DTYPES, Body, Node, Place, function_of, place_of
from edgefashion.importing.saved_model.layers import LAYERS, PASSING, RULES
from edgefashion.importing.saved_model.variables import Variables, bound

GRAPH = "saved_model.pb"
VARIABLES = "variables"
DEEPEST = 32
PREFERRED = ("serving_default", "serve")


def read(path: Path, size: tuple[int, int] | None = None) -> Given:
    """The classifier in a folder; `size` is height and width where it leaves them open.

    Raises ArtifactError for a damaged one, and BadInput for one that is no classifier in float of images.
    """
    content = reading.map_model(path / GRAPH, ArtifactError)
    with naming(path, "TensorFlow"):
        model = next(Message(content).messages(2), None)
        if model is None:
            raise ValueError("it holds no graph")
        graph = model.message(2)
        nodes = {node.name: node for node in map(Node, graph.messages(1))}
        functions = dict(map(function_of, graph.message(2).messages(1)))
        source, output = _signature(model)
        if source[0] not in nodes:
            raise ValueError("its input is not in it")
        image = _image(nodes[source[0]], size)
        variables = Variables(path / VARIABLES, bound(model.message(7), nodes))
        reader = _Reader(image, source[0], functions, variables)
        body = Body(nodes, (source[0],), (output,))
        (found,) = reader.run(body, [source[0]], "", 0)
        return reader.given(found, "SavedModel")


def _signature(model: Message) -> tuple[Place, Place]:
    """Where the input and the output of the model are. Raises Refused where it has more of them."""
    found = {entry.text(1): entry.message(2) for entry in model.messages(5)}
    usable = [*(name for name in PREFERRED if name in found), *found]
    for name in usable:
        ports = [[entry.message(2).text(1) for entry in found[name].messages(slot)] for slot in (1, 2)]
        if len(ports[0]) == len(ports[1]) == 1:
            return place_of(ports[0][0]), place_of(ports[1][0])
    raise Refused("has no signature of one input and one output, as a classifier of pictures has")


def _image(node: Node, size: tuple[int, int] | None) -> Image:
    if node.kind != "Placeholder":
        raise ValueError("its input is computed")
    edges = [dim.integer(1) for dim in node.shape().messages(2)]
    dtype = DTYPES.get(node.integer("dtype"), "another type")
    return image_of([None if edge < 0 else edge for edge in edges], dtype, size, channels_last=True)


class _Reader(Walk[str, Node]):
    """A graph on its way to a plan; a tensor's key is what makes it, behind the calls on the way there."""

    layers, computed, passing = LAYERS, RULES, PASSING
    sizes, open_batch = "Shape", -1

    def __init__(self, image: Image, source: str, functions: dict[str, Body], variables: Variables) -> None:
        super().__init__(image, source, left_out="")
        self._functions, self._variables = functions, variables

    def constant(self, key: str) -> Array:
        raise ValueError("an operator reads what none makes")

    def compute(self, operator: Node, read: Sequence[Array]) -> Array:
        if operator.kind not in RULES:
            raise Unsupported("of constants")
        try:
            if operator.kind not in (
                "Identity",
                "IdentityN",
                "ReadVariableOp",
                "Cast",
                "Reshape",
                "StridedSlice",
            ):
                check_size(read, joined=operator.kind in ("Pack", "ConcatV2", "GatherV2"))
            return np.asarray(RULES[operator.kind](operator, read))
        except (IndexError, TypeError, OverflowError) as error:
            raise ValueError(f"its {operator.kind} of constants is against the rules") from error

    def run(self, body: Body, arguments: Sequence[str], scope: str, depth: int) -> list[str]:
        """The keys of what a graph or function gives for arguments of these keys."""
        if depth > DEEPEST or len(arguments) != len(body.arguments):
            raise ValueError("its functions call each other too deeply, or with other arguments")
        keys: dict[Place, str] = {(name, 0): key for name, key in zip(body.arguments, arguments, strict=True)}
        for node in body.ordered():
            inputs = [self._key(keys, place) for place in node.inputs]
            made = f"{scope}{node.name}"
            if node.kind in CALLS:
                called = self._functions.get(node.function())
                if called is None:
                    raise ValueError("it calls a function that is not in it")
                for number, key in enumerate(self.run(called, inputs, f"{made}/", depth + 1)):
                    keys[node.name, number] = key
            else:
                self._one(node, inputs, made)
                keys[node.name, 0] = made
        return [self._key(keys, place) for place in body.results]

    def _key(self, keys: dict[Place, str], place: Place) -> str:
        if place not in keys:
            key = f"?{place[0]}"
            self.found[key] = "missing"
            self.failures.add(f"{place[0]}, of which another output is read", Unsupported())
            return key
        return keys[place]

    def _one(self, node: Node, inputs: Sequence[str], made: str) -> None:
        try:
            if node.kind == "Const":
                self.found[made] = node.tensor()
            elif node.kind == "VarHandleOp":
                self.found[made] = self._variables.array(node)
            else:
                self.step(node, inputs, [made])
        except Unsupported as reason:
            self.failures.add(node.kind, reason)
            self.found[made] = "missing"
