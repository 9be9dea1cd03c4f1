"""Results of many machines beside each other, and which machines failed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgefashion.errors import HostError, OutputError
from edgefashion.errors.wording import few
from edgefashion.evaluation.results import Results
from edgefashion.hosts.host import Host
from edgefashion.records.device import Device, State
from edgefashion.report.compare import Comparison, DeviceResults, choose, compare
from edgefashion.tables import Column, Page, Table
from edgefashion.tables.presentable import Presentable

NAMED = 3
"""Machines of a kind that are named in a line."""
_FAILED = (
    Column[HostError]("Host", lambda error: error.host, number=False),
    Column[HostError]("Why there is nothing of it", lambda error: error.why, number=False),
)


@dataclass(frozen=True)
class HostResults(Presentable):
    """A column for each machine that has results, and a row for each one that has none."""

    comparison: Comparison | None
    """None where no machine has any."""
    failed: tuple[HostError, ...]
    notes: tuple[tuple[Host, str], ...] = ()
    """What is to be remembered of a machine."""
    results: Mapping[str, Results] = field(default_factory=dict)
    """Of each machine that has any, by its name."""
    unwritten: tuple[OutputError, ...] = ()
    """Why results files could not be written."""
    interrupted: bool = False
    """Whether Ctrl-C ended it."""

    def __repr__(self) -> str:
        return f"<HostResults of {', '.join(self.results) or 'no host'}; .table() shows them>"

    def page(self) -> Page:
        """The comparison with the state of each machine, and what failed and what mends it."""
        failed = [Table("No results", _FAILED, self.failed)] if self.failed else []
        mends: dict[str, list[str]] = {}
        for error in self.failed:
            mends.setdefault(error.mend, []).append(error.host)
        lines = [f"{named(hosts)}: {mend}." for mend, hosts in mends.items()]
        lines += [f"{host}: {line}." for host, line in self.notes]
        if self.comparison is None:
            return Page([], failed, lines)
        page = self.comparison.page()
        states = [f"({each.number}) {_state(each.results.device)}" for each in self.comparison.sources]
        return replace(
            page,
            header=[*page.header, *states],
            tables=[*page.tables, *failed],
            notes=[*lines, *page.notes],
        )

    def to_dict(self) -> dict[str, Any]:
        """That of the comparison; `failed`: host, why, and what mends it; `notes`: host and note."""
        found = self.comparison.to_dict() if self.comparison else {}
        notes = [{"host": host.name, "note": line} for host, line in self.notes]
        return {**found, "failed": [failure(each) for each in self.failed], "notes": notes}

    def to_csv(self) -> str:
        """That of the comparison."""
        return self.comparison.to_csv() if self.comparison else ""

    def ways_to_save(self) -> dict[str, Callable[[], str]]:
        """CSV too."""
        return super().ways_to_save() | {".csv": self.to_csv}


def beside(
    results: Mapping[Host, tuple[Path, Results]],
    failed: Sequence[HostError],
    notes: Sequence[tuple[Host, str]] = (),
    unwritten: tuple[OutputError, ...] = (),
    interrupted: bool = False,
) -> HostResults:
    """Results of machines and where they are kept, in this order, beside each other."""
    sources = [
        DeviceResults(number, f"{host}, {_name(found.device)}", (path,), found)
        for number, (host, (path, found)) in enumerate(results.items(), 1)
    ]
    comparison = compare(sources, choose(sources, None)) if sources else None
    by_name = {host.name: found for host, (_, found) in results.items()}
    return HostResults(comparison, tuple(failed), tuple(notes), by_name, unwritten, interrupted)


def named(hosts: Sequence[str]) -> str:
    """The first few of them by name, and how many there are more."""
    return few(hosts, NAMED)


def failure(error: HostError) -> dict[str, str]:
    """Why a machine has no result, as JSON."""
    return {"host": error.host, "why": error.why, "mend": error.mend}


def _name(device: Device) -> str:
    name = device.name or "unknown device"
    return f"{name}, emulated" if device.emulated else name


def _state(device: Device) -> str:
    """In what state a machine was around and during a measurement, in a line."""
    looks = [device.before, *(device.during or ()), device.after]
    states = [each for each in looks if isinstance(each, State)]
    if not states:
        return "its state is not known"
    heat = [each.temperature_c for each in states if each.temperature_c is not None]
    others = [each.other_cores for each in states if each.other_cores is not None]
    held = dict.fromkeys(name for each in states for name in each.throttled or ())
    parts = [
        f"governor {states[0].governor or 'not known'}",
        f"{min(heat):.0f} to {max(heat):.0f} °C" if heat else "temperature not known",
        f"others used {max(others):.1f} cores at most" if others else "load of others not known",
        *([", ".join(held)] if held else []),
    ]
    return "; ".join(parts)
