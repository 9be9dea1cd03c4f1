"""Any model file: what it is by its content, whatever it is called."""

from importlib import import_module
from pathlib import Path

from edgefashion.errors import BadInput
from edgefashion.files import hdf5, reading
from edgefashion.importing.network.imported import Imported
from edgefashion.importing.saved_model import file as saved_model

Size = tuple[int, int]
_START = 8
_READERS = {
    "keras": "edgefashion.importing.keras.file",
    "tflite": "edgefashion.importing.tflite.file",
    "onnx": "edgefashion.importing.onnx.file",
    "saved_model": "edgefashion.importing.saved_model.file",
}
"""The module with `read` for a kind of file; each opens what it needs, some of them TensorFlow."""


def read_model(path: Path, size: Size | None = None) -> Imported:
    """The classifier in a model file; `size` is height and width of images where the file leaves them open.

    Raises BadInput for what is no such file, and for a model that cannot be read, with what is in the way.
    """
    found = import_module(_READERS[kind_of(path)]).read(path, size)
    if isinstance(found, Imported):
        return found
    from edgefashion.importing.drawn import imported

    return imported(path, found)


def kind_of(path: Path) -> str:
    """`keras`, `tflite` or `onnx`, by how a file begins; `saved_model` for the folder of one. Raises BadInput
    for another folder.
    """
    if reading.is_file(path / saved_model.GRAPH, BadInput):
        return "saved_model"
    with reading.open_file(path, "a model file", BadInput) as file:
        start = file.read(_START)
    if start == hdf5.MAGIC or start.startswith(b"PK\x03\x04"):
        return "keras"
    return "tflite" if start[4:] == b"TFL3" else "onnx"
