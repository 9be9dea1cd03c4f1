"""The verb `doctor`."""

from pathlib import Path

import click

from edgefashion.cli._data import folder_option
from edgefashion.cli._output import following, show, show_json

UNFIT = 1


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with the machine and its state.")
@folder_option
def doctor(as_json: bool, data_folder: Path | None) -> None:
    """Check whether this machine is fit to measure and to export.

    Checks Python, system, runtimes (each tried in a process of its own), processor, governor, temperature,
    throttling, other load, memory, disk, data set and packages, and says how to fix what is wrong. Exit code
    1 if something would falsify a benchmark.

    Example: edgefashion doctor
    """
    from edgefashion.diagnosis import examine

    found = examine(data_folder)
    if as_json:
        show_json(found.to_json().rstrip())
    else:
        show(found.table())
    if not found.fit:
        raise SystemExit(UNFIT)
    following("edgefashion bench")
