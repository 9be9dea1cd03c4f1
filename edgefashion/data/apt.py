"""Using apt without root: with lists and archives in a folder of ours, and the machine's proxies and keys.

Nothing under /var is written or locked, and it does not matter whether `apt update` ever ran.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from edgefashion.data.progress import megabytes
from edgefashion.escaping import visible

INTERVAL = 5.0  # seconds between two lines of progress
LOG_CHARACTERS = 1 << 20

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


def available() -> bool:
    """Whether this machine has apt."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def command(state: Path, configuration: str = "") -> list[str]:
    """The words to put before an action of apt-get, so that it works in the folder `state`, which is made.

    `configuration` has more settings, in the language of apt.conf. Archives go to `state`/archives.
    """
    (state / "lists/partial").mkdir(parents=True)
    (state / "archives/partial").mkdir(parents=True)
    file = state / "apt.conf"
    file.write_text(CONFIGURATION + configuration)
    options = {"Dir::State::lists": state / "lists", "Dir::Cache": state}
    if os.geteuid() == 0:
        options["APT::Sandbox::User"] = Path("root")  # the usual one may not look into this user's cache
    settings = [text for key, value in options.items() for text in ("-o", f"{key}={value}")]
    return ["apt-get", "-q", "-c", str(file), *settings]


def run(words: list[str], state: Path, report: Callable[[str], None]) -> str:
    """Run a command in the folder `state`; return why it failed, in one line, or nothing."""
    log = state / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
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
    with log.open(errors="replace") as written:
        lines = written.read(LOG_CHARACTERS).split("\n")
    said = [line for line in lines if line.startswith("E: ")] or [line for line in lines if line.strip()]
    return visible(said[0].removeprefix("E: ")) if said else f"exit code {process.returncode}"


def _wait(process: subprocess.Popen[bytes], state: Path, report: Callable[[str], None]) -> None:
    while True:
        try:
            process.wait(INTERVAL)
            return
        except subprocess.TimeoutExpired:
            report(f"still at it, {megabytes(sum(map(_size, state.rglob('*'))))} so far")


def _size(path: Path) -> int:
    """Bytes of a file; 0 for one that apt has renamed meanwhile, and for a folder."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
