"""What runs a model file, by the file's format. Importing this package imports no runtime."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgefashion.artifacts import formats
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.errors.arguments import check
from edgefashion.escaping import visible
from edgefashion.runtimes.base import Runtime

RUNTIMES = {
    ("tflite", "LiteRT"): "edgefashion.runtimes.litert:LiteRT",
    ("onnx", "ONNX Runtime"): "edgefashion.runtimes.onnxruntime:OnnxRuntime",
    ("onnx", "OpenVINO"): "edgefashion.runtimes.openvino:OpenVINO",
    ("onnx", "OpenVINO-bf16"): "edgefashion.runtimes.openvino:OpenVINOBfloat16",
}
"""Format and name of a runtime → the place of its class. The first one of a format is its default."""
_LONGEST = 40


def names(format: str) -> list[str]:
    """The runtimes of a format, the default one first."""
    return [name for other, name in RUNTIMES if other == format]


def called(name: str) -> str:
    """What a user may call the runtime of this name: `openvino-bf16`."""
    return name.lower().replace(" ", "")


def named(text: str) -> str:
    """The name of the runtime that a user calls so, in any case, with or without spaces and hyphens.

    Raises BadInput for none.
    """
    names = {_letters(name): name for _, name in RUNTIMES}
    if _letters(text) not in names:
        known = ", ".join(map(called, names.values()))
        raise BadInput(f"there is no runtime {visible(repr(text[:_LONGEST]))}: choose from {known}")
    return names[_letters(text)]


def chosen(wanted: str | Sequence[str] | None, formats: Iterable[str]) -> dict[str, list[str]]:
    """Of each format the names of those runtimes that a user wants, as `named` takes them, and that run it.

    Raises BadInput for what is no runtime, and for one that runs none of the formats.
    """
    texts = [wanted] if isinstance(wanted, str) else wanted or ()
    for text in texts:
        check("a runtime", text, str)
    found = list(dict.fromkeys(map(named, texts)))
    known = {format: names(format) for format in formats}
    for name in found:
        if not any(name in own for own in known.values()):
            others = ", ".join(called(each) for own in known.values() for each in own)
            raise BadInput(f"{name} runs none of these files: choose from {others}")
    return {format: [name for name in found if name in own] for format, own in known.items()}


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


def _letters(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
