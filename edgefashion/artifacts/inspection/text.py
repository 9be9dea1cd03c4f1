"""Inspections for people and for programs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from edgefashion import tables
from edgefashion.artifacts.inspection.base import Inspection, Operator, Port, contradiction
from edgefashion.errors.wording import few, setting
from edgefashion.files import json_text
from edgefashion.tables import Column, Page, Row, Table

UNKNOWN = tables.NONE
LONGEST_NAME = 40
MOST_LAYERS = 1000
MOST_NAMES = 20
"""Of a list in the metadata."""
CHANNELS_SHOWN = 1


def to_text(found: Iterable[Inspection]) -> str:
    """The pages as text."""
    return "\n\n".join(tables.to_text(page(inspection)) for inspection in found)


def to_json(found: Iterable[Inspection]) -> str:
    """A list of `Inspection.to_dict`."""
    return json_text([inspection.to_dict() for inspection in found], indent=2)


def page(found: Inspection) -> Page:
    """What people are shown: the model, then its layers by size, then its metadata."""
    heavy = [operator for operator in found.operators if operator.parameters != 0 or operator.computes]
    heavy.sort(key=lambda operator: operator.size_bytes, reverse=True)
    all_bytes = found.weight_bytes or 1
    rows = [{"operator": operator, "all_bytes": all_bytes} for operator in heavy[:MOST_LAYERS]]
    more = len(heavy) - len(rows)
    fields = dict(_fields(found.metadata.to_dict() if found.metadata else {}))
    width = max(map(len, fields), default=0)
    metadata = [f"    {name:{width}}  {value}" for name, value in fields.items()]
    return Page(
        [*_lines(found)],
        [Table("", _COLUMNS, rows)] if rows else [],
        [
            *([f"  {more:,} more are no larger: {setting('--json')} has them all"] if more else []),
            *(["  metadata", *metadata] if metadata else []),
        ],
        setting("--json"),
    )


def _lines(found: Inspection) -> Iterator[str]:
    others = f" with {', '.join(found.external)}" if found.external else ""
    size = f"{found.size_bytes:,} bytes{others}"
    yield f"{found.path}: {found.format}, {size}, constants {found.weight_bytes:,}"
    for title, ports in (("input", found.inputs), ("output", found.outputs)):
        for port in ports:
            yield f"  {title:11} {_port(port)}"
    yield f"  operators   {', '.join(f'{kind} {count}' for kind, count in found.kinds.items()) or UNKNOWN}"
    yield f"  integer     {found.integer} of the {len(found.computing)} that multiply{_opaque(found)}"
    yield f"  parameters  {_parameters(found)}"
    yield f"  MACs        {_macs(found)}"
    if found.other_signatures:
        yield f"  not shown   what else it can run: {', '.join(found.other_signatures)}"
    yield from _contradiction(found)


def _port(port: Port) -> str:
    shape = f"{port.name}  {port.dtype} [{', '.join(map(str, port.shape))}]"
    if not port.scales:
        return shape
    if len(port.scales) > CHANNELS_SHOWN:
        return f"{shape}  {len(port.scales)} scales"
    return f"{shape}  scale {port.scales[0]:.6g}, zero point {port.zero_points[0] if port.zero_points else 0}"


def _macs(found: Inspection) -> str:
    if found.macs is not None:
        images = "one image" if found.batch == 1 else f"a call of {found.batch} images"
        return f"{found.macs:,} for {'one inference' if found.batch is None else images}"
    return _not_known(operator.kind for operator in found.operators if operator.macs is None)


def _parameters(found: Inspection) -> str:
    if found.parameters is not None:
        return f"{found.parameters:,}"
    return _not_known(operator.kind for operator in found.operators if operator.parameters is None)


def _not_known(kinds: Iterable[str]) -> str:
    return f"{UNKNOWN} (not known of {', '.join(dict.fromkeys(kinds))})"


def _opaque(found: Inspection) -> str:
    kinds = dict.fromkeys(operator.kind for operator in found.operators if operator.computes is None)
    return f"; not known of {', '.join(kinds)}" if kinds else ""


def _contradiction(found: Inspection) -> Iterator[str]:
    """A line where the file says another precision of itself than its operators have."""
    own = found.metadata
    if own is None or own.kept_float:
        return
    if said := contradiction(own.precision, found.precision):
        yield f"  {said}"


def _name(operator: Operator) -> str:
    name = operator.name.split(";")[0]
    return _short(name)


def _shape(shape: Sequence[int | str] | None) -> str:
    return UNKNOWN if shape is None else "x".join(map(str, shape))


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _share(row: Row) -> str:
    return f"{row['operator'].size_bytes / row['all_bytes']:.1%}"


_COLUMNS: tuple[Column[Row], ...] = (
    Column("layer", lambda row: _name(row["operator"]), number=False),
    Column("operator", lambda row: _short(row["operator"].kind), number=False),
    Column("weights", lambda row: row["operator"].weights or UNKNOWN, number=False, importance=5),
    Column("output", lambda row: _shape(row["operator"].output_shape), importance=3),
    Column("parameters", lambda row: _count(row["operator"].parameters), importance=2),
    Column("MACs", lambda row: _count(row["operator"].macs), importance=7),
    Column("bytes", lambda row: _count(row["operator"].size_bytes), importance=6),
    Column("share", _share),
)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"


def _fields(parts: Mapping[str, object], of: str = "") -> Iterator[tuple[str, str]]:
    """Each field and its value; one in another is called `other.field`."""
    for name, value in parts.items():
        if isinstance(value, dict):
            yield from _fields(value, f"{of}{name}.")
        else:
            yield f"{of}{name}", _value(value)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return few(value, MOST_NAMES) or UNKNOWN
    return UNKNOWN if value is None else str(value)
