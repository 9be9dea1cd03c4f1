"""Keras files: archives (.keras) and .h5, of Keras 3 and of Keras 2, which tf_keras is.

They are read as data. Keras itself never sees them: what they say of layers is compared with what is known
here, and numbers are taken from them.
"""

import io
from functools import partial
from pathlib import Path
from typing import Any

import h5py

from edgefashion.errors import BadInput, first_line
from edgefashion.escaping import visible
from edgefashion.files import archives, hdf5
from edgefashion.files.reading import MODEL_BYTES, load_json, read_bytes
from edgefashion.importing.drawn import draw
from edgefashion.importing.keras.graph import layer_of
from edgefashion.importing.keras.model import KerasModel, trace
from edgefashion.importing.keras.nodes import DAMAGE
from edgefashion.importing.keras.weights import open_weights
from edgefashion.importing.network.given import Refused
from edgefashion.importing.network.imported import Format, Imported

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
MOST_CONFIG = 32 << 20
_MOST_MEMBERS = 1000
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
        given = trace(opened(content), size)
        fixed = None if given.image.open else given.image.shape[:2]
        notes = tuple(given.notes)
        return Imported(draw(given), given.format, given.ending, given.preprocessing, fixed, None, notes)
    except Refused as error:
        raise BadInput(f"{path} {error}") from error
    except BadInput as error:
        reason = str(error)
        raise error if reason.startswith(str(path)) else BadInput(f"{path}: {reason}") from error
    except DAMAGE as error:
        why = first_line(error)[:300]
        raise BadInput(f"{path} is damaged or no Keras model ({why}): save it again") from error


def _most(content: bytes) -> int:
    """How many bytes of weights a file may have."""
    return min(MODEL_BYTES, _ROOM + _FACTOR * len(content))


def _open_archive(path: Path, content: bytes) -> KerasModel:
    """A .keras file. What lies in it beside the three parts that are read is not looked at."""

    def refused(path: Path, why: str) -> BadInput:
        return BadInput(f"{path} {visible(why)}: save the model again")

    def damaged(path: Path, why: str) -> BadInput:
        return BadInput(f"{path} is damaged ({visible(why)}): save the model again")

    kind = archives.Kind(_MOST_MEMBERS, refused, damaged, lambda path, member: None)
    archive = archives.Archive(path, io.BytesIO(content), kind)
    if missing := {CONFIG, WEIGHTS} - archive.names:
        raise Refused(f"lacks {' and '.join(sorted(missing))}: save the whole model with model.save")
    if archive.size(CONFIG) > MOST_CONFIG or archive.size(WEIGHTS) > _most(content):
        raise Refused("unpacks to more than a model of its size can hold")
    text = archive.read(CONFIG)
    config = load_json(text, CONFIG, "the configuration of a model", BadInput)
    metadata = archive.read(METADATA) if METADATA in archive.names else b"{}"
    version = load_json(metadata[:MOST_CONFIG], METADATA, "the metadata of a model", BadInput)
    format = _format(version.get("keras_version"), text)
    return _model(config, format, archive.read(WEIGHTS))


def _open_h5(content: bytes) -> KerasModel:
    """An .h5 file of a whole model."""
    file = h5py.File(io.BytesIO(content), "r")
    text, version = (file.attrs.get(name) for name in ("model_config", "keras_version"))
    if not isinstance(text, str | bytes):
        raise Refused("has weights and no model: save the whole model with model.save")
    text = text.encode() if isinstance(text, str) else text
    config = load_json(text, "model_config", "the configuration of a model", BadInput)
    return _model(config, _format(version, text), content)


def _format(version: Any, config: bytes) -> Format:
    """Which Keras wrote a file: as it says, else by what its configuration calls the shape of images."""
    if version:
        return "Keras 3" if hdf5.as_text(version).startswith("3.") else "Keras 2"
    names: dict[bytes, Format] = {b'"batch_shape"': "Keras 3", b'"batch_input_shape"': "Keras 2"}
    found = [format for name, format in names.items() if name in config]
    if len(found) != 1:
        raise Refused("does not say which Keras wrote it: save the model again")
    return found[0]


def _model(config: Any, format: Format, weights: bytes) -> KerasModel:
    """The model that a configuration and the bytes of an HDF5 file are."""
    file = h5py.File(io.BytesIO(weights), "r")
    return KerasModel(layer_of(config), format, partial(open_weights, file, at_most=_most(weights)))
