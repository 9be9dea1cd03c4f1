"""Keras files: archives (.keras) and .h5, of Keras 3 and of Keras 2, which tf_keras is.

They are read as data. Keras itself never sees them: what they say of layers is compared with what is known
here, and numbers are taken from them.
"""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py

from edgefashion.errors import BadInput, first_line
from edgefashion.escaping import visible
from edgefashion.files import archives, hdf5
from edgefashion.files.reading import MODEL_BYTES, load_json, read_bytes
from edgefashion.importing.imported import Imported
from edgefashion.importing.keras_graph import Layer, layer_of
from edgefashion.importing.keras_model import KerasModel, trace
from edgefashion.importing.keras_weights import Weights, open_weights

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
MOST_CONFIG = 32 << 20
_ROOM, _FACTOR = 64 << 20, 20
"""How many bytes a file may come to when it is unpacked: so many, and so many times its own."""

Size = tuple[int, int]


def read(path: Path, size: Size | None = None) -> Imported:
    """The classifier in a Keras file; `size` is that of images where the file leaves it open.

    Raises BadInput for any other file, and for a model that cannot be read, with all that is in the way.
    """
    content = read_bytes(path, "a Keras model", BadInput, MODEL_BYTES)
    opened = _open_h5 if content.startswith(hdf5.MAGIC) else partial(_open_archive, path)
    try:
        return trace(opened(content), size, _most(content))
    except BadInput as error:
        reason = str(error)
        raise BadInput(
            reason if reason.startswith(str(path)) else f"{path} cannot be read: {reason}"
        ) from error


def _most(content: bytes) -> int:
    """How many bytes of weights a file may have."""
    return min(MODEL_BYTES, _ROOM + _FACTOR * len(content))


def _open_archive(path: Path, content: bytes) -> KerasModel:
    """A .keras file. What lies in it beside the three parts that are read is not looked at."""

    def refuse(path: Path, why: str) -> BadInput:
        return BadInput(f"{path} {visible(why)}: save the model again")

    kind = archives.Kind(1000, refuse, refuse, lambda path, member: None)
    archive = archives.Archive(path, io.BytesIO(content), kind)
    if missing := {CONFIG, WEIGHTS} - archive.names:
        raise BadInput(f"it lacks {' and '.join(sorted(missing))}: save the whole model with model.save")
    if archive.size(CONFIG) > MOST_CONFIG or archive.size(WEIGHTS) > _most(content):
        raise BadInput("it unpacks to more than a model of its size can hold")
    config = load_json(archive.read(CONFIG), CONFIG, "the configuration of a model", BadInput)
    metadata = archive.read(METADATA) if METADATA in archive.names else b"{}"
    version = load_json(metadata[:MOST_CONFIG], METADATA, "the metadata of a model", BadInput)
    weights = archive.read(WEIGHTS)
    return _file(config, version.get("keras_version"), lambda model: _weights(weights, model, _most(content)))


def _open_h5(content: bytes) -> KerasModel:
    """An .h5 file of a whole model."""
    try:
        file = h5py.File(io.BytesIO(content), "r")
        text, version = (file.attrs.get(name) for name in ("model_config", "keras_version"))
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"it is damaged ({first_line(error)})") from error
    if not isinstance(text, str | bytes):
        raise BadInput("it has weights and no model: save the whole model with model.save")
    config = load_json(
        text.encode() if isinstance(text, str) else text,
        "model_config",
        "the configuration of a model",
        BadInput,
    )
    return _file(config, version, lambda model: _weights(content, model, _most(content)))


def _weights(content: bytes, model: Layer, at_most: int) -> Weights:
    try:
        return open_weights(h5py.File(io.BytesIO(content), "r"), model, at_most)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, OSError) as error:
        raise BadInput(f"its weights are damaged ({first_line(error)})") from error


def _file(config: Any, version: Any, weights: Callable[[Layer], Weights]) -> KerasModel:
    try:
        model = layer_of(config)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput("its configuration is not that of a model") from error
    return KerasModel(model, "Keras 3" if hdf5.as_text(version).startswith("3.") else "Keras 2", weights)
