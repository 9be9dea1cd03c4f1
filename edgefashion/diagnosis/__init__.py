"""Whether this machine is fit to measure and to export.

check.py       one thing that was looked at
machine.py     Python, system, processor, memory and disk
conditions.py  governor, temperature, throttling, other load
runtimes.py    each started in a child process, with one inference of a tiny model
exporting.py   the data set, the ImageNet weights and the packages
report.py      all checks, for people and for programs
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgefashion.device import SYSTEM, LoadMeter, Machine, describe, state
from edgefashion.diagnosis import conditions, exporting, machine, runtimes
from edgefashion.diagnosis.check import Check
from edgefashion.diagnosis.report import DoctorReport

__all__ = ["Check", "DoctorReport", "examine"]

WATCH_SECONDS = 0.5
"""How long other processes are watched at least; the runtimes are probed meanwhile."""


def examine(data_folder: str | Path | None = None, *, sources: Machine = SYSTEM) -> DoctorReport:
    """Look at everything, in about a second: nothing is downloaded, installed or changed.

    `data_folder` is where the data set is looked for first. Other processes' load is that during the
    examination, whose own processes do not count.
    """
    meter, begin = LoadMeter(sources=sources), time.monotonic()
    about = describe(sources)
    before = state(sources)
    with ThreadPoolExecutor(1) as pool:
        probing = pool.submit(runtimes.findings, about)
        fixed = [*machine.findings(about), *machine.room()]
        export = exporting.findings(None if data_folder is None else Path(data_folder))
        probed = probing.result()
    time.sleep(max(0.0, WATCH_SECONDS - (time.monotonic() - begin)))
    after = state(sources, meter)
    momentary = conditions.findings([before, after], about, sources)
    return DoctorReport(about, after, [*fixed, *probed, *momentary, *export])
