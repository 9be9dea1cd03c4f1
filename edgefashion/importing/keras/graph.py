"""What a Keras file says of its model: the layers, and which calls which, as one flat list of calls.

Nothing of it is looked up or made: names of modules and classes are compared, values are numbers and texts.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgefashion.escaping import visible
from edgefashion.importing.keras.nodes import (
    Json,
    Reference,
    Result,
    parse_node,
    references,
    references_in,
    resolved,
    results_in,
)
from edgefashion.importing.network.given import Refused
from edgefashion.models.imported import MOST_LAYERS

MODELS = ("Functional", "Model", "Sequential")
"""The classes of models that consist of layers, and of nothing else."""
INPUT = "InputLayer"
_OWN_MODULES = ("keras", "tf_keras", "tensorflow", "builtins")


@dataclass(frozen=True)
class Layer:
    """A layer of a file: its class, what it was told, and the names of the models around it and its own."""

    kind: str
    config: Json
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """As its model calls it."""
        return self.path[-1]

    def told(self, *names: str, default: Any = None) -> Any:
        """What its configuration says under the first of these names that it has."""
        return next((self.config[name] for name in names if name in self.config), default)

    @property
    def is_model(self) -> bool:
        """Whether it has layers of its own."""
        return self.kind in MODELS

    def layers(self) -> "list[Layer]":
        """Those of a model, in its order. Raises ValueError where two have one name."""
        entries = _entries(self.config)
        found = [layer_of(entry, self.path) for entry in entries]
        if len({layer.name for layer in found}) < len(found):
            raise ValueError(f"two layers of {self.name} have one name")
        return found


@dataclass(frozen=True)
class Call:
    """A layer and what it is called with: results, numbers, arrays and slices, by place and by name."""

    layer: Layer
    operands: tuple[Any, ...] = ()
    named: Json = field(default_factory=dict)


_Key = tuple[str, int]


def layer_of(entry: Json, around: tuple[str, ...] = ()) -> Layer:
    """What an entry of a configuration says of a layer. Classes of others get the name they were given."""
    kind, config = str(entry["class_name"]), entry["config"]
    name = str(entry.get("name") or config.get("name") or kind)
    registered, module = str(entry.get("registered_name") or ""), str(entry.get("module") or "keras")
    if ">" in registered:
        kind = registered
    elif module.split(".")[0] not in _OWN_MODULES:
        kind = f"{module}.{kind}"
    return Layer(kind, config if isinstance(config, dict) else {"layers": config}, (*around, name))


def flatten(model: Layer) -> tuple[list[Call], list[Result]]:
    """All calls, each behind those it reads, the first one of the input; and what the model answers.

    Raises Refused for what is no such model, and for one of more than one input; one of `keras.nodes.DAMAGE`
    for a damaged one.
    """
    if not model.is_model:
        raise Refused(
            f"has a model of the class {visible(model.kind[:80])}, whose code would have to be run: "
            "build it from layers as a Functional or Sequential model"
        )
    flattening = _Flattening()
    return flattening.calls, flattening.expand(model, None)


def _entries(config: Json) -> list[Json]:
    entries = config["layers"]
    if isinstance(entries, dict):  # what the first Keras wrote of a Sequential
        entries = entries["layers"]
    if not isinstance(entries, list):
        raise TypeError("layers are no list")
    return entries


class _Flattening:
    """The calls so far, of one model inside another."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def expand(self, model: Layer, read: Result | None) -> list[Result]:
        """Add the calls of a model that reads a result, or the image where there is none."""
        if model.kind == "Sequential":
            return self._expand_chain(model, read)
        return self._expand_graph(model, read)

    def _add(self, call: Call) -> list[Result]:
        if len(self.calls) > MOST_LAYERS:
            raise Refused(f"has more than {MOST_LAYERS:,} layers")
        self.calls.append(call)
        return [Result(len(self.calls) - 1)]

    def _call(self, layer: Layer, operands: tuple[Any, ...], named: Json) -> list[Result]:
        if not layer.is_model:
            return self._add(Call(layer, operands, named))
        read = list(results_in(operands))
        if len(read) != 1:
            raise Refused(
                f"has a model inside it, {visible(layer.name[:60])}, with {len(read)} inputs: one is read"
            )
        return self.expand(layer, read[0])

    def _expand_chain(self, model: Layer, read: Result | None) -> list[Result]:
        layers = model.layers()
        if read is None:
            shape = _chain_shape(model, layers)
            config = {"batch_shape": shape}
            read = self._add(Call(Layer(INPUT, config, (*model.path, "image"))))[0]
        for layer in layers:
            if layer.kind != INPUT:
                (read,) = self._call(layer, (read,), {})
        return [read]

    def _expand_graph(self, model: Layer, read: Result | None) -> list[Result]:
        layers = {layer.name: layer for layer in model.layers()}
        inputs, outputs = (references(model.config[key]) for key in ("input_layers", "output_layers"))
        if len(inputs) != 1:
            raise Refused(f"has {len(inputs)} inputs, and a classifier of pictures has one")
        first = layers[inputs[0].name]
        results = {(first.name, 0): [read] if read else self._add(Call(first))}

        def key(reference: Reference) -> _Key:
            # What Keras counts as the first call of a model inside differs from version to version.
            return reference.name, 0 if layers[reference.name].is_model else reference.node

        nodes = {
            (name, number): parse_node(node)
            for name, entry in zip(layers, _entries(model.config), strict=True)
            for number, node in enumerate(entry.get("inbound_nodes") or ())
        }
        if several := [name for name, layer in layers.items() if layer.is_model and (name, 1) in nodes]:
            raise Refused(f"calls a model inside it, {visible(several[0][:60])}, several times: once is read")
        reads = {node: {key(each) for each in references_in(call)} for node, call in nodes.items()}
        for node in _ordered(reads, (first.name, 0)):
            operands, named = resolved(nodes[node], lambda each: results[key(each)][each.tensor])
            results[node] = self._call(layers[node[0]], operands, named)
        return [results[key(each)][each.tensor] for each in outputs]


def _chain_shape(model: Layer, layers: Sequence[Layer]) -> Any:
    """What a Sequential says of its images; it, or its first layer, may be another model."""
    candidates = [model.config.get("build_input_shape")]
    if layers:
        config = layers[0].config
        candidates = [config.get("batch_shape"), config.get("batch_input_shape"), *candidates]
        if layers[0].is_model:
            candidates.append(_input_shape(layers[0]))
    return next((each for each in candidates if each), None)


def _input_shape(model: Layer) -> Any:
    found = next((layer for layer in model.layers() if layer.kind == INPUT), None)
    return found and (found.config.get("batch_shape") or found.config.get("batch_input_shape"))


def _ordered(reads: dict[_Key, set[_Key]], first: _Key) -> Iterator[_Key]:
    """Each node behind those that it reads, which begin with the first one."""
    readers: dict[_Key, list[_Key]] = {}
    for node, needed in reads.items():
        for each in needed:
            readers.setdefault(each, []).append(node)
    missing = {node: len(needed - {first}) for node, needed in reads.items()}
    ready = deque(node for node, count in missing.items() if not count and node != first)
    done = 0
    while ready:
        node = ready.popleft()
        yield node
        done += 1
        for reader in readers.get(node, ()):
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
    if done < len(reads.keys() - {first}):
        raise ValueError("its layers read each other in a circle, or layers that are not there")
