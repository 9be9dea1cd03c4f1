"""What is inside a `.tflite` or `.onnx` file, whoever made it, without running it."""

from collections.abc import Iterable
from pathlib import Path

from edgefashion import metadata, reading
from edgefashion.errors import ArtifactError
from edgefashion.inspection.base import Inspection

FORMATS = {".tflite": "tflite", ".onnx": "onnx"}


def inspect(path: Path) -> Inspection:
    """Read a model file. Needs no TensorFlow: for ONNX no package at all, for TFLite that of LiteRT.

    Raises ArtifactError where the file is missing, damaged or no model; MissingExtra.
    """
    if path.suffix.lower() not in FORMATS:
        raise ArtifactError(f"{path} is not a .tflite or .onnx file")
    content = reading.read_bytes(path, "a model file", ArtifactError, reading.MODEL_BYTES)
    format = FORMATS[path.suffix.lower()]
    try:
        if format == "tflite":
            from edgefashion.inspection.tflite import read
        else:
            from edgefashion.inspection.onnx import read
        model = read(content)
    except ValueError as error:
        raise ArtifactError(
            f"{path} is damaged or no {format} model ({error}): export or copy it again"
        ) from error
    return Inspection(str(path), format, len(content), *model, metadata.read(path))


def inspect_all(paths: Iterable[Path]) -> tuple[list[Inspection], list[ArtifactError]]:
    """Read what can be read; the errors are those of the other files. Raises MissingExtra."""
    found, errors = [], []
    for path in paths:
        try:
            found.append(inspect(path))
        except ArtifactError as error:
            errors.append(error)
    return found, errors


__all__ = ["Inspection", "inspect", "inspect_all"]
