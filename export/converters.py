"""What each artifact is made with, by format and precision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion.artifacts.formats import FORMATS, INTEGER_PRECISIONS, Variant, open_place
from edgefashion.artifacts.targets import ANY, WITH_8_BIT_WEIGHTS
from edgefashion.errors import BadInput
from edgefashion.export.graph.fused_layers import Step
from edgefashion.export.graph.graph import Graph
from edgefashion.export.options import ExportOptions
from edgefashion.export.source import Source

if TYPE_CHECKING:
    from edgefashion.export.debug.probe import Probe

Convert = Callable[[str], bytes]
"""From the name of a calibration to the content of a file; where there is none to choose, from any name."""
Converter = Callable[[Source, ExportOptions], Convert]


@dataclass(frozen=True)
class Method:
    """A way to make an artifact: `converter` in code, `name` in words.

    What a converter gives holds all that the calibrations which are compared have in common.
    """

    converter: Converter
    name: str


@dataclass(frozen=True)
class Converters:
    """What the exporter asks of a format: see `edgefashion.artifacts.formats.Format.converters`.

    methods: by precision.
    packages: those whose versions decide what a file becomes.
    embed: (content, text) → the content with the text inside, as the format's reader finds it.
    probe: (file, steps) → what looks into an int8 file, layer by layer.
    """

    methods: dict[str, Method]
    packages: tuple[str, ...]
    embed: Callable[[bytes, bytes], bytes]
    probe: Callable[[Path, Sequence[Step]], "Probe"]


def uncalibrated(convert: Callable[[Graph], bytes], name: str) -> Method:
    """A method that needs the graph alone."""
    return Method(lambda source, _: lambda _: convert(source.graph), name)


def converters_of(format: str) -> Converters:
    """Those of a format. Raises BadInput for one that nothing exports to."""
    place = FORMATS[format].converters
    if place is None:
        raise BadInput(f"nothing is exported to {FORMATS[format].title}: choose another format")
    found: Converters = open_place(place)
    return found


def method_of(variant: Variant) -> Method:
    """What a variant is made with."""
    return converters_of(variant.format).methods[variant.precision]


def describe(variant: Variant, options: ExportOptions) -> str:
    """What a manifest says of the way its artifact was made."""
    name = method_of(variant).name
    if not variant.targeted:
        return name
    bits = "8-bit" if options.target in WITH_8_BIT_WEIGHTS else "7-bit, 8-bit in depthwise layers"
    return f"{name}, {bits}"


def calibrations(variant: Variant, options: ExportOptions) -> tuple[str, ...]:
    """How the ranges of its activations are to be found: what `options` ask for, where the variant has it,
    or all it has; nothing where there are none to be found.
    """
    known = variant.calibrations
    return (options.calibration,) if options.calibration in known else known


def target_of(variant: Variant, options: ExportOptions) -> str | None:
    """The processor an artifact is made for; None for a variant that does not depend on it."""
    return options.target if variant.targeted else None


def float_layers(variant: Variant, options: ExportOptions) -> list[str]:
    """The layers that an artifact computes in float although its precision is an integer one."""
    return list(options.keep_float) if variant.precision in INTEGER_PRECISIONS else []


def suffix_of(variant: Variant, options: ExportOptions) -> str:
    """What the name of a file says of its target, unless it is made for any, and of layers left in float."""
    target = target_of(variant, options)
    mixed = "-keep-float" if float_layers(variant, options) else ""
    return ("" if target in (None, ANY) else f"-{target}") + mixed
