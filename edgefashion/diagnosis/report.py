"""The results of all checks, for people and for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edgefashion.diagnosis.check import Check
from edgefashion.records.device import Device, State
from edgefashion.tables import Column, Page, Table
from edgefashion.tables.presentable import Presentable
from edgefashion.tables.terminal import fitted
from edgefashion.version import __version__

SCHEMA = 1


@dataclass(frozen=True)
class DoctorReport(Presentable):
    """A machine, its state, and the results of all checks."""

    device: Device
    state: State
    findings: list[Check]

    @property
    def fit(self) -> bool:
        """Whether nothing was found that would falsify a benchmark."""
        return not any(finding.falsifies for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """All of it: `schema` 1, `edgefashion` (version), `fit`, `device`, `state` and `findings`."""
        return {
            "schema": SCHEMA,
            "edgefashion": __version__,
            "fit": self.fit,
            "device": self.device.to_dict(),
            "state": self.state.to_dict(),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def page(self) -> Page:
        """A row for each finding, and the verdict."""
        return Page([], [Table("", _COLUMNS, self.findings)], [self._verdict()])

    def table(self, width: int | None = None) -> str:
        """A line for each finding, and the command that fixes it, if any."""
        return fitted("\n".join([*listed(self.findings), "", self._verdict()]), width)

    def _verdict(self) -> str:
        wrong = [finding.topic for finding in self.findings if finding.falsifies]
        if wrong:
            return f"Not fit to measure: {', '.join(dict.fromkeys(wrong))}."
        return "Nothing was found that would falsify a benchmark."


def listed(findings: Sequence[Check]) -> list[str]:
    """A line for each finding, and one for the command that fixes it, if any."""
    topics = max((len(finding.topic) for finding in findings), default=0) + 2
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:8}{finding.topic:{topics}}{finding.text}")
        if finding.mend:
            lines.append(f"{'':{8 + topics}}→ {finding.mend}")
    return lines


_COLUMNS: tuple[Column[Check], ...] = (
    Column("", lambda finding: finding.level, number=False),
    Column("", lambda finding: finding.topic, number=False),
    Column("Found", lambda finding: finding.text, number=False),
    Column("What fixes it", lambda finding: finding.mend or "", number=False),
)
