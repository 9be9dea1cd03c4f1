"""The verb `doctor`."""

from pathlib import Path

import click

from edgefashion.cli._data import folder_option
from edgefashion.cli._hosts import Elsewhere, follow, raise_all, takes_hosts
from edgefashion.cli._output import following, show, show_json

UNFIT = 1


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with the machine and its state.")
@takes_hosts
@folder_option
def doctor(as_json: bool, elsewhere: Elsewhere, data_folder: Path | None) -> None:
    """Check whether this machine is fit to measure and to export.

    Checks Python, system, runtimes (each tried in a process of its own), processor, governor, temperature,
    throttling, other load, memory, disk, data set and packages, and says how to fix what is wrong. With
    --host it looks at other machines, sends and changes nothing there, and says what they lack. Exit code 1
    if something would falsify a benchmark.

    Example: edgefashion doctor
    """
    elsewhere.need_hosts()
    if not (_there(elsewhere, as_json) if elsewhere.hosts else _here(data_folder, as_json)):
        raise SystemExit(UNFIT)
    following(elsewhere.with_hosts("edgefashion bench"))


def _here(data_folder: Path | None, as_json: bool) -> bool:
    from edgefashion.diagnosis import examine

    found = examine(data_folder)
    if as_json:
        show_json(found.to_json().rstrip())
    else:
        show(found.table())
    return found.fit


def _there(elsewhere: Elsewhere, as_json: bool) -> bool:
    """Look at all hosts at once. Raises HostError in the end where some could not be looked at."""
    from edgefashion.files import json_text, temporary
    from edgefashion.hosts.host import Host
    from edgefashion.hosts.ssh import Remote
    from edgefashion.reporting import Progress, Report
    from edgefashion.shelf.diagnosis import Diagnosis, diagnose, to_dict
    from edgefashion.shelf.machines import Machines

    machines = Machines()
    places = {host: f"{number}.json" for number, host in enumerate(elsewhere.hosts)}
    found: dict[Host, Diagnosis] = {}
    with temporary.Folder() as folder:

        def work(remote: Remote, tell: Progress, _: Report) -> Diagnosis:
            return diagnose(remote, elsewhere.python, folder / places[remote.host], tell, machines)

        failed = follow(elsewhere.hosts, work, found.__setitem__)
    diagnoses = [found[host] for host in elsewhere.hosts if host in found]
    if as_json:
        show_json(json_text(to_dict(diagnoses, failed), indent=2))
    elif diagnoses:
        show("\n\n".join(each.table() for each in diagnoses))
    raise_all(failed, len(elsewhere.hosts))
    return all(each.fit for each in diagnoses)
