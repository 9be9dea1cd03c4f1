"""What a machine lacks, before anything is sent to it: what its shell and Python tell, and, where this
edgefashion is there already, what its own doctor says.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edgefashion.diagnosis import Check, DoctorReport
from edgefashion.diagnosis.report import listed
from edgefashion.errors import BadInput, HostError
from edgefashion.escaping import visible
from edgefashion.files import reading
from edgefashion.hosts import environment, probe
from edgefashion.hosts.host import Host
from edgefashion.hosts.probe import Probe
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress
from edgefashion.shelf.asking import Limits, NotAnswered, ask
from edgefashion.shelf.machines import Machines
from edgefashion.shelf.messages import Request
from edgefashion.shelf.table import failure
from edgefashion.version import __version__

SCHEMA = 1
LIMITS = Limits(120.0, reading.INFO_BYTES)
_HERE = re.compile(r"(?<![\w/.-])(on this machine|here)(?![\w/.-])")
_NOT_OVER_SSH = ("edgefashion ", "pip install ")
"""Commands of who is at the machine: its environment is made from here."""


@dataclass(frozen=True)
class Diagnosis:
    """What was found on one machine."""

    host: Host
    findings: Sequence[Check]

    @property
    def fit(self) -> bool:
        """Whether it can measure, and nothing was found that would falsify that."""
        return not any(finding.falsifies for finding in self.findings)

    def table(self) -> str:
        """A line for each finding below the machine's name."""
        return "\n".join([f"{self.host}:", *listed(self.findings)])

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        findings = [asdict(finding) for finding in self.findings]
        return {"host": self.host.name, "fit": self.fit, "findings": findings}


def to_dict(diagnoses: Sequence[Diagnosis], failed: Sequence[HostError]) -> dict[str, Any]:
    """Those of all machines, and the machines that could not be looked at, as JSON."""
    return {
        "schema": SCHEMA,
        "edgefashion": __version__,
        "hosts": [each.to_dict() for each in diagnoses],
        "failed": [failure(error) for error in failed],
    }


def diagnose(
    remote: Remote, python: str | None, report: Path, tell: Progress, machines: Machines
) -> Diagnosis:
    """Look at a machine; `report` is a file to use meanwhile. Raises HostError where nothing answers, and for
    one that is in `machines` already.
    """
    tell("looking at it", 0, 0)
    found = probe.look(remote)
    machines.enter(remote.host, found)
    findings = _of_machine(found)
    try:
        there, told = _there(remote, found, python)
    except HostError as error:
        return Diagnosis(remote.host, [*findings, _problem(error.why, error.mend)])
    findings += told
    if there:
        try:
            ask(remote, there, Request("doctor"), report, LIMITS, tell)
        except NotAnswered as error:
            what = "environment may be damaged" if there.is_ours else "Python does not serve"
            why = f"its {what}: {error.why}"
            return Diagnosis(remote.host, [*findings, _problem(why, _mend(remote.host, there.is_ours))])
        findings += map(_told, _read(remote.host, report).findings)
    return Diagnosis(remote.host, findings)


def _problem(why: str, mend: str) -> Check:
    return Check("problem", "edgefashion", why, mend, falsifies=True)


def _mend(host: Host, is_ours: bool) -> str:
    if not is_ours:
        return f"install edgefashion {__version__} anew for it there"
    return f"edgefashion bench --forget --host {host} removes it; the next benchmark makes it anew"


def _of_machine(found: Probe) -> list[Check]:
    findings = [Check("ok", "ssh", f"it answers, and runs {found.system} on {found.machine}")]
    if found.clock:
        findings.append(Check("note", "clock", found.clock, "there: sudo timedatectl set-ntp true"))
    if found.hanging:
        findings.append(Check("note", "python", found.passed_over, "mend or remove it there"))
    return findings


def _there(
    remote: Remote, found: Probe, python: str | None
) -> tuple[environment.Environment | None, list[Check]]:
    """The edgefashion that is there, and what is to be said of it. Raises HostError where none can be."""
    if python:
        there = environment.named(remote, python)
        return there, [Check("ok", "edgefashion", f"{__version__}, of {python}")]
    existing = environment.there(found)
    used = found.require(0 if existing else environment.ROOM_MIB)
    folder = visible(found.folder)
    if existing and not environment.is_whole(remote, found):
        why = f"its environment is damaged: files of it are missing in {folder}"
        raise HostError(remote.host.name, why, f"edgefashion bench --host {remote.host} makes it anew")
    if existing:
        return existing, [Check("ok", "edgefashion", f"{__version__}, in {folder}")]
    text = f"{used} at {visible(used.path)}; {used.free_mib:,} MiB free for {folder}"
    mend = f"edgefashion bench --host {remote.host} makes it; then this looks further"
    return None, [
        Check("ok", "python", text),
        Check("note", "edgefashion", "this one is not there yet", mend),
    ]


def _told(finding: Check) -> Check:
    """A stranger's words, each in one line that does nothing, and as they are said of another machine."""
    mend = None
    if finding.mend and not finding.mend.startswith(_NOT_OVER_SSH):
        mend = visible(f"there: {finding.mend}" if "sudo " in finding.mend else finding.mend)
    return replace(
        finding, topic=visible(finding.topic), text=visible(_HERE.sub("there", finding.text)), mend=mend
    )


def _read(host: Host, report: Path) -> DoctorReport:
    """What its doctor says. Raises HostError for what is no such report."""
    try:
        told: DoctorReport = reading.read_json(
            report, "a report of edgefashion doctor", BadInput, reading.INFO_BYTES, DoctorReport
        )
    except BadInput as error:
        why = str(error).replace(str(report), "its answer")
        raise HostError(host.name, why, "look who answers there, or leave this host out") from None
    return told
