"""Inspections for people and for programs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from edgefashion import tables
from edgefashion.files import json_text
from edgefashion.inspection.base import Inspection, Operator, Port
from edgefashion.tables import Column, Page, Row, Table

UNKNOWN = tables.NONE
LONGEST_NAME = 40
CHANNELS_SHOWN = 1


def to_text(found: Iterable[Inspection]) -> str:
    """The pages as text."""
    return "\n\n".join(tables.to_text(page(inspection)) for inspection in found)


def to_json(found: Iterable[Inspection]) -> str:
    """A list of `Inspection.to_dict`."""
    return json_text([inspection.to_dict() for inspection in found], indent=2)


def page(found: Inspection) -> Page:
    """What people are shown: the model, then its layers by size, then its metadata."""
    heavy = [operator for operator in found.operators if operator.parameters or operator.computes]
    heavy.sort(key=lambda operator: operator.size_bytes, reverse=True)
    rows = [{"operator": operator, "all_bytes": found.weight_bytes or 1} for operator in heavy]
    metadata = [f"    {name:14} {_value(value)}" for name, value in (found.metadata or {}).items()]
    return Page(
        [*_lines(found)],
        [Table("", _COLUMNS, rows)] if rows else [],
        ["  metadata", *metadata] if metadata else [],
        "--json",
    )


def _lines(found: Inspection) -> Iterator[str]:
    yield f"{found.path}: {found.format}, {found.size_bytes:,} bytes, constants {found.weight_bytes:,}"
    for title, ports in (("input", found.inputs), ("output", found.outputs)):
        for port in ports:
            yield f"  {title:11} {_port(port)}"
    yield f"  operators   {', '.join(f'{kind} {count}' for kind, count in found.kinds.items()) or UNKNOWN}"
    yield f"  integer     {found.integer} of the {len(found.computing)} that multiply"
    yield f"  parameters  {found.parameters:,}"
    yield f"  MACs        {_macs(found)}"


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


def _name(operator: Operator) -> str:
    name = operator.name.split(";")[0]
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"


def _shape(shape: Sequence[int | str] | None) -> str:
    return UNKNOWN if shape is None else "x".join(map(str, shape))


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _share(row: Row) -> str:
    return f"{row['operator'].size_bytes / row['all_bytes']:.1%}"


_COLUMNS = (
    Column("layer", lambda row: _name(row["operator"]), number=False),
    Column("operator", lambda row: row["operator"].kind, number=False),
    Column("weights", lambda row: row["operator"].weights or UNKNOWN, number=False, importance=5),
    Column("output", lambda row: _shape(row["operator"].output_shape), importance=3),
    Column("parameters", lambda row: _count(row["operator"].parameters), importance=2),
    Column("MACs", lambda row: _count(row["operator"].macs), importance=7),
    Column("bytes", lambda row: _count(row["operator"].size_bytes), importance=6),
    Column("share", _share),
)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return UNKNOWN if value is None else str(value)
