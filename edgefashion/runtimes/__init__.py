"""What runs a model file, by the file's format. Importing this package imports no runtime."""

from pathlib import Path

from edgefashion.artifacts import formats
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.runtimes.base import Runtime

RUNTIMES = {
    ("tflite", "LiteRT"): "edgefashion.runtimes.litert:LiteRT",
    ("onnx", "ONNX Runtime"): "edgefashion.runtimes.onnxruntime:OnnxRuntime",
}
"""Format and name of a runtime → the place of its class. The first one of a format is its default."""


def names(format: str) -> list[str]:
    """The runtimes of a format, the default one first."""
    return [name for other, name in RUNTIMES if other == format]


def for_file(path: Path, name: str | None = None) -> Runtime:
    """The runtime of a model file, not yet started: that called `name`, or the default of its format.

    Raises ArtifactError for a suffix that nothing runs, BadInput for a runtime of other formats.
    """
    format = formats.of(path)
    known = names(format.name) if format else []
    if format is None or not known:
        raise ArtifactError(f"{path} is not a {formats.suffixes()} file")
    name = name or known[0]
    if name not in known:
        raise BadInput(f"{name} does not run {format.suffix} files: choose from {', '.join(known)}")
    runtime: Runtime = formats.open_place(RUNTIMES[format.name, name])()
    return runtime
