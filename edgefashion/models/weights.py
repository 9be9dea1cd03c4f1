"""A model's weights from an untrusted file: numbers are taken from it, and nothing else.

The model is built here, in code. Keras writes its weights, as they are, into a file of ours, which tells what
the file that was given has to hold, and where. That is checked, copied over, and read back by Keras, which
itself never sees what was given: it would build layers from it that run code or name any function of
TensorFlow.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from edgefashion.errors import BadInput, RunError, first_line
from edgefashion.files import hdf5, temporary
from edgefashion.files.arrays import check_finite
from edgefashion.files.reading import load_json, read_bytes
from edgefashion.tensorflow import keras

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
ENTRIES = {CONFIG, WEIGHTS, "metadata.json"}
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those that are decompressed no further than one asks for."""
OVERHEAD = 4 << 20
"""What a file may have beside the weights."""


def take_from_run(path: Path, model: keras.Model, name: str) -> None:
    """Give `model`, of the architecture `name`, the weights in `path`, the Keras archive of a model like it.

    Raises RunError for any other file.
    """
    content = read_bytes(path, "the model of a run", RunError, _most(model))
    try:
        _take(model, _from_archive(content, model, name), ".weights.h5")
    except Exception as error:  # as many kinds as there are kinds of damage
        raise RunError(f"{path} is no {name} of this project: {first_line(error)}; train it again") from error


def take_from_h5(path: Path, model: keras.Model) -> None:
    """Give `model` the weights in `path`, an HDF5 file of Keras. Raises BadInput for any others, with
    the reason alone.
    """
    content = read_bytes(path, "an .h5 file of weights", BadInput, _most(model))
    if not content.startswith(hdf5.MAGIC):
        raise BadInput("it is not an HDF5 file")
    try:
        with _opened(content) as given:
            layout = ".h5" if "layer_names" in given.attrs else ".weights.h5"
        _take(model, content, layout)
    except Exception as error:  # as many kinds as there are kinds of damage
        raise BadInput(first_line(error)) from error


def _most(model: keras.Model) -> int:
    return OVERHEAD + 2 * int(sum(weight.nbytes for weight in model.get_weights()))


def _from_archive(content: bytes, model: keras.Model, name: str) -> bytes:
    """The HDF5 file in a Keras archive whose layers are of the kinds of `model`'s."""
    if content.startswith(hdf5.MAGIC):
        raise ValueError("it is an HDF5 file, of which Keras would run code")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        found, wanted = (sorted(names) for names in ((entry.filename for entry in entries), ENTRIES))
        if found != wanted:
            raise ValueError(f"it holds {', '.join(found[:5])} instead of {', '.join(wanted)}")
        if any(entry.compress_type not in COMPRESSIONS for entry in entries):
            raise ValueError("it uses a compression that Keras never does")
        _check_kinds(_entry(archive, CONFIG, OVERHEAD), model, name)
        return _entry(archive, WEIGHTS, _most(model))


def _entry(archive: zipfile.ZipFile, name: str, at_most: int) -> bytes:
    with archive.open(name) as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise ValueError(f"{name} has more than {at_most:,} bytes")
    return content


def _check_kinds(config: bytes, model: keras.Model, name: str) -> None:
    """Raise ValueError for layers of other kinds than `model` has: what is opened is what was trained."""
    layers = load_json(config, CONFIG, "the configuration of a model", BadInput)["config"]["layers"]
    found = [str(layer["class_name"]) for layer in layers if layer["class_name"] != "InputLayer"]
    wanted = [
        type(layer).__name__ for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)
    ]
    if strange := [kind for kind in found if kind not in wanted]:
        raise ValueError(f"it has a layer of the kind {strange[0]}, which {name} does not have")
    if found != wanted:
        raise ValueError(f"its layers are not those of {name}")


def _take(model: keras.Model, content: bytes, layout: str) -> None:
    with temporary.Folder() as folder:
        own = str(folder / f"own{layout}")
        model.save_weights(own)
        with h5py.File(own, "r+") as wanted, _opened(content) as given:
            for name, dataset in _datasets(wanted):
                dataset[...] = _array(given, name, dataset)
        model.load_weights(own)


def _opened(content: bytes) -> h5py.File:
    return h5py.File(io.BytesIO(content), "r")


def _datasets(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    for member in group.values():
        if isinstance(member, h5py.Dataset):
            yield member.name.strip("/"), member
        else:
            yield from _datasets(member)


def _array(given: h5py.Group, name: str, like: h5py.Dataset) -> npt.NDArray[Any]:
    """The array `name` of a file, of the shape and type of `like`, as it lies in that very file."""
    found = hdf5.find(given, name)
    if not isinstance(found, h5py.Dataset) or (found.shape, found.dtype) != (like.shape, like.dtype):
        kind = f"{found.dtype} {found.shape}" if isinstance(found, h5py.Dataset) else "a group"
        raise ValueError(f"{name} is {kind} instead of {like.dtype} {like.shape}")
    storage = found.id.get_create_plist()
    if storage.get_layout() != h5py.h5d.CONTIGUOUS or storage.get_external_count():
        raise ValueError(f"{name} does not lie in the file as Keras has it")
    array = np.asarray(found[()])
    check_finite(name, array)
    return array
