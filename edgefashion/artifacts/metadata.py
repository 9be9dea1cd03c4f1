"""The metadata inside an exported model file: readable without its manifest and without any package.

It is one JSON object under the name `edgefashion`: in a TFLite file a buffer named in `Model.metadata`, in
an ONNX file an entry of `metadata_props`. `edgefashion.export.embed` writes it.

    schema                      1
    run, run_id, small_run      the training run; whether it saw a part of the data only
    base_run_id                 the run that it was fine-tuned from; or null
    architecture, precision     cnn or mobilenetv2; float32, float16, dynamic, int8 or int8-qat
    width                       what the channels of its layers are multiplied by, where not 1
    target                      the processor that an int8 ONNX file is made for, see `targets`; or null
    kept_float                  the layers that an int8 file computes in float
    task                        what it is for: name, shape of images, classes, how pictures become images
    labels                      the classes, in the order of the logits
    input, output               names, shapes and what the values are
    preprocessing               how the model normalizes, inside
    calibration                 split, count, seed and digest of the images, and the method; or null
    edgefashion                 the version that exported it
"""

from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion.artifacts import formats
from edgefashion.errors import ArtifactError
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.records.manifest import Metadata

NAME = "edgefashion"
MOST_BYTES = 1 << 20


def read(path: Path) -> "Metadata | None":
    """The metadata in a model file; None if it has none that can be read."""
    format = formats.of(path)
    if format is None:
        return None
    try:
        return find(reading.map_model(path, ArtifactError), format.name)
    except ArtifactError:
        return None


def is_ours(path: Path, inside: "Metadata | None") -> bool:
    """Whether a manifest beside a model file, or what is `inside`, says that edgefashion exported it."""
    return inside is not None or path.with_name(f"{path.name}.json").is_file()


def find(content: bytes | memoryview, format: str) -> "Metadata | None":
    """The metadata in the content of a model file of the format called `format`; None as in `read`."""
    try:
        text = formats.FORMATS[format].find_text(content, NAME, MOST_BYTES + 1)
        return None if text is None or len(text) > MOST_BYTES else _parsed(text, "metadata")
    except (ValueError, MemoryError, RecursionError, ArtifactError):
        return None


def _parsed(text: bytes, name: str) -> "Metadata":
    from edgefashion.records.manifest import Metadata as Record

    found: Metadata = reading.load_json(text, name, "metadata", ArtifactError, Record)
    return found
