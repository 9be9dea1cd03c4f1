"""The results of all checks, for people and for programs."""

from dataclasses import asdict, dataclass
from typing import Any

from edgefashion import __version__
from edgefashion.diagnosis.check import Check
from edgefashion.files import json_text

SCHEMA = 1


@dataclass(frozen=True)
class DoctorReport:
    """A machine, its state, and the results of all checks."""

    device: dict[str, Any]
    """See `device.describe`."""
    state: dict[str, Any]
    """See `device.state`."""
    findings: list[Check]

    @property
    def fit(self) -> bool:
        """Whether nothing was found that would falsify a benchmark."""
        return not any(finding.falsifies for finding in self.findings)

    def to_json(self) -> str:
        """All of it: `schema` 1, `edgefashion` (version), `fit`, `device`, `state` and `findings`."""
        content = {"schema": SCHEMA, "edgefashion": __version__, "fit": self.fit, **asdict(self)}
        return json_text(content, indent=2)

    def to_text(self) -> str:
        """A line for each finding, and the command that fixes it, if any."""
        width = max(len(finding.topic) for finding in self.findings)
        lines = []
        for finding in self.findings:
            lines.append(f"{finding.level:8}{finding.topic:{width + 2}}{finding.text}")
            if finding.mend:
                lines.append(f"{'':{8 + width + 2}}→ {finding.mend}")
        return "\n".join([*lines, "", self._verdict()])

    def _verdict(self) -> str:
        wrong = [finding.topic for finding in self.findings if finding.falsifies]
        if wrong:
            return f"Not fit to measure: {', '.join(dict.fromkeys(wrong))}."
        return "Nothing was found that would falsify a benchmark."
