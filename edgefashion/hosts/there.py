"""What brings edgefashion to another machine: sent there as text, for its Python and what comes with that.

A request is one line of JSON, then the bytes of the files that it lists; answers are lines of JSON. All that
it makes lies in one folder of the user's cache. When its input ends, so does it, and what is half made goes.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "edgefashion is there"
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgefashion/hosts"
ROOM = 16 << 20
"""Bytes that stay free beside what is sent."""
UNUSED_S, UNUSED_FILE_S = 24 * 3600, 30 * 24 * 3600
PIECE = 1 << 20
STEPS = ("Collecting", "Downloading", "Processing", "Installing", "Using")
"""What lines of pip begin with that say how far it is."""


class Failed(Exception):
    """What cannot be done, in words."""


class Lifeline:
    """The input, of which nothing more is expected: when it ends, the running command is killed."""

    def __init__(self) -> None:
        self.ended = False
        self._command: subprocess.Popen[str] | None = None
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while os.read(0, PIECE):
            pass
        self.ended = True
        while True:
            if command := self._command:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(command.pid, signal.SIGKILL)
            time.sleep(0.1)

    def run(self, words: list[str], variables: dict[str, str]) -> str:
        """What a command says last, at the most 64 lines. Raises Failed unless it ends with 0."""
        with subprocess.Popen(
            words,
            text=True,
            errors="replace",
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as self._command:
            assert self._command.stdout
            said: list[str] = []
            for line in self._command.stdout:
                said = [*said[-63:], line.strip()]
                if line.startswith(STEPS):
                    say(step=shortened(line))
        code, self._command = self._command.returncode, None
        if self.ended:
            raise Failed("it was interrupted")
        if code:
            errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
            errors = errors or [line for line in said if line]
            full = [line for line in said if "No space left" in line or "Disk quota" in line]
            if full:
                raise OSError(errno.ENOSPC, full[-1])
            raise Failed(errors[-1] if errors else f"it ended with {code}")
        return "\n".join(said)


def shortened(line: str) -> str:
    """With which package or file a line of pip says that something is done."""
    rest = line.strip().partition(" ")[2]
    what = rest.split(" (")[0].split(":")[0].split(";")[0]
    return f"installing: {what.rpartition('/')[2]}"[:200]


def say(**fields: Any) -> None:
    """One answer."""
    print(json.dumps(fields), flush=True)


def receive(request: dict[str, Any]) -> Path:
    """Keep one file under its checksum; where it is there already, none is asked for."""
    (file,) = request["files"]
    folder = FOLDER / "files"
    path: Path = folder / file["sha256"] / file["name"]
    if not path.is_file() or checksum(path) != file["sha256"]:
        folder.mkdir(parents=True, exist_ok=True)
        drop_unused(folder, UNUSED_FILE_S)
        half = folder / f"half-{os.getpid()}"
        half.mkdir()
        try:
            ask_for([file], half)
            path.parent.mkdir(exist_ok=True)
            (half / file["name"]).replace(path)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    os.utime(path.parent)
    return path


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install(request: dict[str, Any]) -> Path:
    """Make an environment with edgefashion in it, or find it whole."""
    target: Path = FOLDER / request["name"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with alone():
        if not is_whole(target):
            drop_unused(FOLDER, UNUSED_S)
            shutil.rmtree(target, ignore_errors=True)
            (target / "packages").mkdir(parents=True)
            try:
                ask_for(request["files"], target / "packages")
                fill(target, request, Lifeline())
                shutil.rmtree(target / "packages")
                (target / "ready").write_text(content(target))
            except BaseException:
                shutil.rmtree(target, ignore_errors=True)
                raise
    return target / "bin/python"


def check(request: dict[str, Any]) -> Path:
    """Find an environment whole."""
    target: Path = FOLDER / request["name"]
    if not is_whole(target):
        raise Failed(f"files of {target} are missing")
    return target / "bin/python"


def is_whole(target: Path) -> bool:
    """Whether an environment is as it was made."""
    ready = target / "ready"
    try:
        return (target / "bin/python").exists() and ready.read_text() == content(target)
    except OSError:
        return False


def content(target: Path) -> str:
    """How many files, and bytes, its packages are, without what Python itself writes there."""
    found = [
        path.stat().st_size
        for folder, _, names in os.walk(target / "lib")
        for path in (Path(folder, name) for name in names if not name.endswith(".pyc"))
        if path.is_file()
    ]
    return f"{len(found)} files of {sum(found)} bytes"


def fill(target: Path, request: dict[str, Any], lifeline: Lifeline) -> None:
    """Let pip put edgefashion and what it needs into an environment, and see that it starts."""
    packages = target / "packages"
    say(step="making a virtual environment")
    venv.EnvBuilder(symlinks=True).create(target)
    python, temporary = str(target / "bin/python"), packages / "temporary"
    temporary.mkdir()
    variables = {**os.environ, "TMPDIR": str(temporary)}
    words = [python, "-I", str(packages / request["pip"] / "pip"), "install", "--no-input", "--no-cache-dir"]
    words += [
        "--no-compile",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "--only-binary",
        ":all:",
    ]
    if request["offline"]:
        variables = {name: value for name, value in variables.items() if not name.startswith("PIP_")}
        variables["PIP_CONFIG_FILE"] = os.devnull
        words += ["--no-index", "--find-links", str(packages)]
    else:
        words += ["--retries", "1", "--timeout", "10"]
    lifeline.run([*words, f"{packages / request['wheel']}{request['extras']}"], variables)
    said = lifeline.run([python, "-P", "-m", "edgefashion", "--version"], dict(os.environ))
    if request["version"] not in said.split():
        raise Failed(f"edgefashion {request['version']} does not start there: {said[-200:]}")


def ask_for(files: list[dict[str, Any]], folder: Path) -> None:
    """Have files sent, and check each."""
    free, total = shutil.disk_usage(folder).free, sum(file["size"] for file in files)
    if free < total + ROOM:
        raise OSError(errno.ENOSPC, f"{total >> 20} MiB are to be sent")
    say(wants=True)
    for file in files:
        digest, left = hashlib.sha256(), file["size"]
        with (folder / file["name"]).open("wb") as written:
            while left and (piece := sys.stdin.buffer.read(min(left, PIECE))):
                written.write(piece)
                digest.update(piece)
                left -= len(piece)
        if left or digest.hexdigest() != file["sha256"]:
            raise Failed(f"{file['name']} did not arrive whole")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold our folder; whoever waits goes when nobody waits for them."""
    with (FOLDER / "lock").open("w") as lock:
        waiting = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    say(step="waiting: another edgefashion is being brought there")
                waiting = True
                if select.select([0], [], [], 0.5)[0]:
                    raise Failed("it was interrupted") from None
        yield


def drop_unused(folder: Path, unused_s: float) -> None:
    """Remove what nobody has used for so long: what older releases, and what was cut off, left behind."""
    for each in folder.iterdir():
        if each.name != "files" and each.is_dir() and time.time() - last_use(each) > unused_s:
            shutil.rmtree(each, ignore_errors=True)


def last_use(folder: Path) -> float:
    """When, as a file of it, or the folder itself, tells."""
    ready = folder / "ready"
    return (ready if ready.is_file() else folder).stat().st_mtime


def main() -> None:
    """Do what one request asks for."""
    print(f"\n{MARK}", flush=True)  # a login script may have left a line open
    request = json.loads(sys.stdin.buffer.readline())
    try:
        path = {"receive": receive, "install": install, "check": check}[request["do"]](request)
    except Failed as error:
        say(failed=str(error)[:500])
    except OSError as error:
        free = next(each for each in (FOLDER, *FOLDER.parents) if each.is_dir())
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        free_mib = shutil.disk_usage(free).free >> 20 if full else None
        what = f"{error.filename or FOLDER}: {error.strerror or error}"
        say(failed=what[:500], free_mib=free_mib, folder=str(FOLDER))
    else:
        say(path=str(path))


if __name__ == "__main__":
    main()
