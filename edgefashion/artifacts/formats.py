"""The formats of model files: what all rooms ask of one, and where its own code stands.

To add a format is to add an entry to `FORMATS` and the modules that it names. These are opened when they are
called, so that nothing heavy is imported with this file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from edgefashion.artifacts.inspection.base import Model

CALIBRATION_IMAGES = 500
"""Images of the representative dataset, by default."""
AUTO = "auto"
"""What is chosen by measurement, and not by the user."""
CALIBRATION_METHODS = ("min-max", "percentile", "entropy")
INTEGER_PRECISIONS = ("int8", "int8-qat")
"""Those that compute with integers, except in layers that are left in float by name."""
QAT_PRECISIONS = ("int8-qat",)
"""What a run trained quantization-aware is exported as; no other run is."""


@dataclass(frozen=True)
class Format:
    """A format of model files.

    inspection, embedded and external are places `module:function` of functions that take a file's content:
    `(content) -> Model`; `(content, name, most) -> bytes | None`, the text kept under a name, or so much of
    it; `(content) -> dict[str, int]`, other files with constants of it, and the bytes that they must have.
    """

    name: str
    """Also the suffix of its files, behind the dot."""
    title: str
    """What people call it."""
    precisions: tuple[str, ...]
    inspection: str
    embedded: str
    external: str | None = None
    converters: str | None = None
    """The place of its `edgefashion.export.converters.Converters`; None where nothing exports to it."""
    calibrations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Precision → the ways to find the ranges of activations."""
    targeted: tuple[str, ...] = ()
    """The precisions that depend on the processor they are made for."""
    bit_exact: bool = False
    """Whether a file that computes in integers only gives the same logits on every processor."""

    @property
    def suffix(self) -> str:
        """Of its files, in lower case."""
        return f".{self.name}"

    def inspect(self, content: bytes | memoryview) -> "Model":
        """What is in a file. Raises ValueError for a damaged one, MissingExtra."""
        model: Model = open_place(self.inspection)(content)
        return model

    def find_text(self, content: bytes | memoryview, name: str, most: int) -> bytes | None:
        """The text that a file keeps under `name`, or its first `most` bytes; None without one.

        Raises ValueError for a damaged file.
        """
        text: bytes | None = open_place(self.embedded)(content, name, most)
        return text

    def find_external(self, content: bytes | memoryview) -> dict[str, int]:
        """Other files with constants of it, as it names them, and how many bytes they must have.

        Raises ValueError for a damaged file.
        """
        found: dict[str, int] = open_place(self.external)(content) if self.external else {}
        return found


class Variant(NamedTuple):
    """What a file is exported as: its format by name, and its precision."""

    format: str
    precision: str

    @property
    def calibrations(self) -> tuple[str, ...]:
        """How the ranges of its activations can be found; empty if there are none to find."""
        return FORMATS[self.format].calibrations.get(self.precision, ())

    @property
    def targeted(self) -> bool:
        """Whether it depends on the processor it is made for."""
        return self.precision in FORMATS[self.format].targeted


_INSPECTION = "edgefashion.artifacts.inspection"
_FORMATS = (
    Format(
        "tflite",
        "TFLite",
        precisions=("float32", "float16", "dynamic", "int8", "int8-qat"),
        inspection=f"{_INSPECTION}.tflite:read",
        embedded=f"{_INSPECTION}.tflite_file:find_text",
        converters="edgefashion.export.tflite.converters:CONVERTERS",
        calibrations={"int8": ("min-max",)},  # TensorFlow's converter has this way only
        bit_exact=True,
    ),
    Format(
        "onnx",
        "ONNX",
        precisions=("float32", "int8", "int8-qat"),
        inspection=f"{_INSPECTION}.onnx:read",
        embedded=f"{_INSPECTION}.onnx_file:find_text",
        external=f"{_INSPECTION}.onnx_file:find_external",
        converters="edgefashion.export.onnx.converters:CONVERTERS",
        calibrations={"int8": CALIBRATION_METHODS, "int8-qat": ("training",)},
        targeted=("int8", "int8-qat"),
    ),
)
FORMATS = {each.name: each for each in _FORMATS}
"""By name; where files are listed, in this order."""
PRECISIONS = tuple(dict.fromkeys(precision for each in _FORMATS for precision in each.precisions))
"""Those of all formats."""


def of(path: Path) -> Format | None:
    """The format of a file, by its suffix in upper or lower case; None where it is not a model file."""
    return FORMATS.get(path.suffix.lower().removeprefix("."))


def variants() -> list[Variant]:
    """All that can be exported, by format."""
    return [Variant(name, precision) for name, each in FORMATS.items() for precision in each.precisions]


def rank(name: str) -> int:
    """The place of a format in the order of all; unknown ones come last."""
    return list(FORMATS).index(name) if name in FORMATS else len(FORMATS)


def title(name: str) -> str:
    """What people call a format; an unknown one keeps its name."""
    return FORMATS[name].title if name in FORMATS else name


def suffixes(conjunction: str = "or") -> str:
    """Those of all model files, for people."""
    *others, last = (each.suffix for each in FORMATS.values())
    return f"{', '.join(others)} {conjunction} {last}"


def open_place(place: str) -> Any:
    """What stands at `module:name`, its module imported."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
