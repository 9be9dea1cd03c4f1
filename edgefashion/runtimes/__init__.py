"""What runs a model file, found by the file's suffix. Importing this package imports no runtime."""

from importlib import import_module
from pathlib import Path

from edgefashion.errors import ArtifactError
from edgefashion.runtimes.base import Runtime

BY_SUFFIX = {
    ".tflite": ("edgefashion.runtimes.litert", "LiteRT"),
    ".onnx": ("edgefashion.runtimes.onnxruntime", "OnnxRuntime"),
}


def for_file(path: Path) -> Runtime:
    """The runtime of a model file, not yet started. Raises ArtifactError for a suffix nothing runs."""
    if path.suffix.lower() not in BY_SUFFIX:
        raise ArtifactError(f"{path} is not a .tflite or .onnx file")
    module, name = BY_SUFFIX[path.suffix.lower()]
    runtime: Runtime = getattr(import_module(module), name)()
    return runtime
