"""Inspections for people and for programs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from edgefashion.escaping import visible
from edgefashion.files import json_text
from edgefashion.inspection.base import Inspection, Operator, Port

UNKNOWN = "–"
LONGEST_NAME = 40
CHANNELS_SHOWN = 1


def to_text(found: Iterable[Inspection]) -> str:
    """A block of lines for each."""
    return "\n\n".join("\n".join(map(visible, lines(inspection))) for inspection in found)


def to_json(found: Iterable[Inspection]) -> str:
    """A list of `Inspection.to_dict`."""
    return json_text([inspection.to_dict() for inspection in found], indent=2)


def lines(found: Inspection) -> Iterator[str]:
    """What a terminal is shown: the model, then its layers by size, then its metadata."""
    yield f"{found.path}: {found.format}, {found.size_bytes:,} bytes, constants {found.weight_bytes:,}"
    for title, ports in (("input", found.inputs), ("output", found.outputs)):
        for port in ports:
            yield f"  {title:11} {_port(port)}"
    yield f"  operators   {', '.join(f'{kind} {count}' for kind, count in found.kinds.items()) or UNKNOWN}"
    yield f"  integer     {found.integer} of the {len(found.computing)} that multiply"
    yield f"  parameters  {found.parameters:,}"
    yield f"  MACs        {_macs(found)}"
    yield from _layers(found)
    if found.metadata:
        yield ""
        yield "  metadata"
        for name, value in found.metadata.items():
            yield f"    {name:14} {_value(value)}"


def _port(port: Port) -> str:
    shape = f"{port.name}  {port.dtype} [{', '.join(map(str, port.shape))}]"
    if not port.scales:
        return shape
    if len(port.scales) > CHANNELS_SHOWN:
        return f"{shape}  {len(port.scales)} scales"
    return f"{shape}  scale {port.scales[0]:.6g}, zero point {port.zero_points[0] if port.zero_points else 0}"


def _macs(found: Inspection) -> str:
    if found.macs is not None:
        return f"{found.macs:,} for one image"
    unknown = dict.fromkeys(operator.kind for operator in found.operators if operator.macs is None)
    return f"{UNKNOWN} (not known of {', '.join(unknown)})"


def _layers(found: Inspection) -> Iterator[str]:
    heavy = [operator for operator in found.operators if operator.parameters or operator.computes]
    if not heavy:
        return
    heading = ("layer", "operator", "weights", "output", "parameters", "MACs", "bytes", "share")
    rows = [_row(operator, found) for operator in sorted(heavy, key=lambda o: o.size_bytes, reverse=True)]
    yield ""
    yield from columns([heading, *rows], words=3)


def columns(rows: Sequence[Sequence[str]], words: int) -> Iterator[str]:
    """Rows as lines of a table: the first `words` columns stand to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        left = [f"{text:{width}}" for text, width in zip(row[:words], widths, strict=False)]
        right = [f"{text:>{width}}" for text, width in zip(row[words:], widths[words:], strict=True)]
        yield "  " + "  ".join(left + right)


def _row(operator: Operator, found: Inspection) -> tuple[str, ...]:
    name = operator.name.split(";")[0]
    shape = operator.output_shape
    return (
        name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}",
        operator.kind,
        operator.weights or UNKNOWN,
        UNKNOWN if shape is None else "x".join(map(str, shape)),
        f"{operator.parameters:,}",
        UNKNOWN if operator.macs is None else f"{operator.macs:,}",
        f"{operator.size_bytes:,}",
        f"{operator.size_bytes / (found.weight_bytes or 1):.1%}",
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return UNKNOWN if value is None else str(value)
