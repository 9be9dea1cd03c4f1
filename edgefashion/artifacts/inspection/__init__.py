"""What is inside a `.tflite` or `.onnx` file, whoever made it, without running it.

Multiply-accumulates are those of one call, with a batch of one where it is open. A convolution's are counted
whole, padding of the image included, but for the zeros that `edgefashion export` fills kernels up with where
it computes several places at once: see `multiplied`.

A file is read once, in a time and memory that its size bounds: at most MOST_READS fields and values of it
(see `edgefashion.artifacts.budget`), MOST_PARTS operators and as many constants, and none of the
constants' values but few. What has more is refused.

base.py                what an inspection finds
onnx.py, onnx_file.py  .onnx files
onnx_operators.py      which of their operators multiply
onnx_shapes.py, onnx_rules.py, onnx_runtime_rules.py  how large their tensors are
tflite.py, tflite_file.py, tflite_shapes.py  .tflite files
multiplied.py          which weights of a kernel are there to be multiplied
weighing.py            which operator a constant belongs to
external.py            constants in other files
text.py                for people
"""

from collections.abc import Iterable
from pathlib import Path

from edgefashion.artifacts import formats, metadata
from edgefashion.artifacts.inspection import external
from edgefashion.artifacts.inspection.base import Inspection, contradiction
from edgefashion.errors import ArtifactError
from edgefashion.files import reading


def inspect(path: str | Path) -> Inspection:
    """Read a model file. Needs no TensorFlow: for ONNX no package at all, for TFLite that of LiteRT.

    Raises ArtifactError where the file is missing, damaged, no model, or one of several of which others are
    missing or elsewhere; MissingExtra.
    """
    path = Path(path)
    format = formats.of(path)
    if format is None:
        raise ArtifactError(f"{path} is not a {formats.suffixes()} file")
    content = reading.map_model(path, ArtifactError)
    own = metadata.find(content, format.name)
    try:
        model = format.inspect(content)
    except (ValueError, MemoryError) as error:
        again = "export" if metadata.is_ours(path, own) else "copy"
        why = str(error) or "it needs more memory than there is"
        raise ArtifactError(
            f"{path} is damaged or not a {format.title} model ({why}): {again} it again"
        ) from error
    others = external.checked(path, model.external)
    size = len(content) + sum(each.stat().st_size for each in others)
    return Inspection(
        str(path),
        format.name,
        size,
        list(map(str, others)),
        model.inputs,
        model.outputs,
        list(model.signatures),
        model.operators,
        own,
    )


def inspect_all(paths: Iterable[Path]) -> tuple[list[Inspection], list[ArtifactError]]:
    """Read what can be read; the errors are those of the other files. Raises MissingExtra."""
    found, errors = [], []
    for path in paths:
        try:
            found.append(inspect(path))
        except ArtifactError as error:
            errors.append(error)
    return found, errors


__all__ = ["Inspection", "contradiction", "inspect", "inspect_all"]
