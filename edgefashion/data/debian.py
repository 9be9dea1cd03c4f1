"""Fetching the Debian package of the data set with apt, without root and without installing it.

apt works on lists and archives of its own inside a folder we name, with the machine's own sources and keys:
nothing under /var is written or locked, and it does not matter whether `apt update` ever ran.
"""

import os
import shutil
import subprocess
from pathlib import Path

from edgefashion.data.idx import FILES, compressed
from edgefashion.data.progress import Report, megabytes
from edgefashion.errors import DataError

PACKAGE = "dataset-fashion-mnist"
INTERVAL = 5.0  # seconds between two lines of progress

# An option cannot take a setting away, a file can: the machine's hooks are for its own lists, not for ours.
CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "5";
Acquire::https::Timeout "5";
Dir::State::status "/var/lib/dpkg/status";
"""


def fetch(staging: Path, report: Report) -> None:
    """Put the four .gz files of the package into `staging`. Raises DataError where apt cannot serve."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise DataError("no apt on this machine")
    state = staging / "apt"
    apt = _apt(state)
    report("reading the package lists with apt")
    _run([*apt, "update"], state, report)  # another source's failure is no matter; the download's is
    report(f"downloading the Debian package {PACKAGE} with apt")
    if problem := _run([*apt, "download", PACKAGE], state, report):
        raise DataError(f"apt: {problem}")
    packages = list(state.glob("*.deb"))
    if not packages:
        raise DataError(f"apt: no {PACKAGE} came")
    if problem := _run(["dpkg-deb", "--extract", str(packages[0]), str(state / "unpacked")], state, report):
        raise DataError(f"dpkg-deb: {problem}")
    _collect(state / "unpacked", staging)


def _apt(state: Path) -> list[str]:
    (state / "lists/partial").mkdir(parents=True)
    (state / "archives/partial").mkdir(parents=True)
    configuration = state / "apt.conf"
    configuration.write_text(CONFIGURATION)
    options = {"Dir::State::lists": state / "lists", "Dir::Cache": state}
    if os.geteuid() == 0:
        options["APT::Sandbox::User"] = Path("root")  # the usual one may not look into this user's cache
    settings = [text for key, value in options.items() for text in ("-o", f"{key}={value}")]
    return ["apt-get", "-q", "-c", str(configuration), *settings]


def _run(command: list[str], state: Path, report: Report) -> str:
    """Run `command` in `state`; return why it failed, in one line, or nothing."""
    log = state / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"LC_ALL": "C"},
        )
        try:
            _wait(process, state, report)
        finally:
            process.kill()
            process.wait()
    if process.returncode == 0:
        return ""
    lines = log.read_text(errors="replace").split("\n")
    said = [line for line in lines if line.startswith("E: ")] or [line for line in lines if line.strip()]
    return said[0].removeprefix("E: ") if said else f"exit code {process.returncode}"


def _wait(process: subprocess.Popen[bytes], state: Path, report: Report) -> None:
    while True:
        try:
            process.wait(INTERVAL)
            return
        except subprocess.TimeoutExpired:
            size = sum(path.stat().st_size for path in state.rglob("*") if path.is_file())
            report(f"still at it, {megabytes(size)} so far")


def _collect(unpacked: Path, staging: Path) -> None:
    for name in FILES:
        found = next(unpacked.rglob(f"{name}.gz"), None)
        if found is None:
            raise DataError(f"the package {PACKAGE} holds no {name}.gz")
        found.replace(compressed(staging, name))
