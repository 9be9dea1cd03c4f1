"""What another machine is and has: looked at by its shell and its Python, which change nothing there."""

import re
from dataclasses import dataclass, field
from time import time

import msgspec

from edgefashion.errors import HostError
from edgefashion.escaping import visible
from edgefashion.hosts import failures
from edgefashion.hosts.ssh import Remote

OLDEST = (3, 11)
"""Of Python, as in pyproject.toml."""
SYSTEMS = ("Linux", "Darwin")
LIMIT_S, INTERPRETER_S = 60.0, 10
"""How long all may take, and one interpreter: one that does not answer is passed over."""
CLOCK_S, DAY_S = 60.0, 86400.0
"""How far a clock may be off: dates of results, and certificates of a package index, depend on it."""
KILLED = 137
_PYTHON, _HANGING = "python=", "hanging="
_LONGEST = 1000
_INTERPRETERS = (
    *("python3", "python3.13", "python3.12", "python3.11", "python3.14"),
    *(f"$HOME/.local/bin/python3.{minor}" for minor in (13, 12, 11)),
    *("/usr/local/bin/python3", "/opt/homebrew/bin/python3"),
)
"""Where one is looked for, the one to take first: a shell over ssh has few folders in its PATH."""
_LOOK = """
import json, os, platform, struct, sys
folder = there = sys.argv[1]
while not os.path.isdir(there): there = os.path.dirname(there) or "/"
disk = os.statvfs(there)
names = os.listdir(folder) if os.path.isdir(folder) and os.access(folder, os.R_OK) else []
environments = [each for each in names if os.path.isfile(os.path.join(folder, each, "ready"))
    and os.path.exists(os.path.join(folder, each, "bin", "python"))]
print("python=" + json.dumps({"path": sys.executable, "version": list(sys.version_info[:3]),
    "bits": 8 * struct.calcsize("P"), "libc": list(platform.libc_ver()), "macos": platform.mac_ver()[0],
    "free_mib": disk.f_bavail * disk.f_frsize // 2**20, "environments": sorted(environments)[:100],
    "is_writable": os.access(there, os.W_OK | os.X_OK)}))
"""
"""For any Python, also one that is too old; without a single quote."""
LIMITED = f"""
limited() {{
    if command -v timeout >/dev/null 2>&1; then timeout -s KILL {INTERPRETER_S} "$@"; return; fi
    command -v sleep >/dev/null 2>&1 || {{ "$@"; return; }}
    set -m
    "$@" &
    set +m
    tenths=0
    while [ $tenths -lt {10 * INTERPRETER_S} ] && kill -0 $! 2>/dev/null; do
        sleep 0.1
        tenths=$((tenths + 1))
    done
    kill -9 -- -$! 2>/dev/null || kill -9 $! 2>/dev/null
    wait $!
}}
"""
"""For a shell: `limited` runs a command; the exit code is `KILLED` where it takes too long."""
_SCRIPT = f"""{LIMITED}
folder="${{XDG_CACHE_HOME:-$HOME/.cache}}/edgefashion/hosts"
echo "system=$(uname -s)"
echo "machine=$(uname -m)"
echo "bits=$(getconf LONG_BIT 2>/dev/null)"
echo "seconds=$(date +%s)"
echo "boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.bootsessionuuid 2>/dev/null)"
echo "folder=$folder"
for name in {" ".join(f'"{name}"' for name in _INTERPRETERS)}; do
    path=$(command -v "$name" 2>/dev/null) || continue
    limited "$path" -E -s -c '{_LOOK}' "$folder" </dev/null 2>/dev/null
    if [ $? = {KILLED} ]; then echo; echo "{_HANGING}$path"; fi
done
echo "end=1"
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python there, and what it says of the folder that is to be ours."""

    path: str
    version: tuple[int, int, int]
    bits: int
    libc: tuple[str, str]
    """Its name and version; empty where it is not the GNU C library."""
    macos: str = ""
    free_mib: int = 0
    """Of the file system with our folder."""
    is_writable: bool = False
    environments: tuple[str, ...] = ()
    """The folders of ours there that are whole."""

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))}"


@dataclass(frozen=True)
class Probe:
    """What was found on a machine: a stranger's words, made safe to be shown."""

    host: str
    system: str
    machine: str
    bits: int | None
    """Of its programs: a 64-bit kernel may run those of 32."""
    folder: str
    """Where what is ours lies there: all of it."""
    clock_offset_s: float
    """How far its clock is ahead of ours, to a second or what the answer took."""
    interpreters: tuple[Interpreter, ...] = field(default=())
    hanging: tuple[str, ...] = ()
    """Paths of interpreters that did not answer."""
    boot: str = ""
    """What the system was called at random when it started; empty where it does not say."""

    @property
    def python(self) -> Interpreter | None:
        """The interpreter to use: the first that is new enough."""
        return next((each for each in self.interpreters if each.version >= OLDEST), None)

    @property
    def processor(self) -> str:
        """Its kind, as names of wheels and folders have it."""
        return self.machine if re.fullmatch(r"\w{1,20}", self.machine, re.ASCII) else "unknown"

    @property
    def clock(self) -> str | None:
        """What is wrong with its clock."""
        off = abs(self.clock_offset_s)
        if off <= CLOCK_S:
            return None
        how_far = f"{off:,.0f} s" if off < 2 * DAY_S else f"{off / DAY_S:,.0f} days"
        return f"its clock is {how_far} {'ahead' if self.clock_offset_s > 0 else 'behind'}"

    @property
    def passed_over(self) -> str:
        """What is said of those that did not answer."""
        return f"{', '.join(map(visible, self.hanging))} gave no answer in {INTERPRETER_S} s"

    def require(self, room_mib: int = 0) -> Interpreter:
        """The interpreter to use. Raises HostError where there is none, or no room for so much of ours."""
        if self.system not in SYSTEMS:
            raise self._error(
                f"it runs {self.system or 'nothing that is known'}", "use one with Linux or macOS"
            )
        if self.bits == 32 or (self.python and self.python.bits == 32):
            why = f"its system is of 32 bits ({self.machine})"
            raise self._error(why, "LiteRT and ONNX Runtime need one of 64: install a 64-bit system")
        wanted = ".".join(map(str, OLDEST))
        if not (python := self.python):
            newest = max(self.interpreters, key=lambda each: each.version, default=None)
            found = f": its newest is {newest}" if newest else ""
            found += f": {self.passed_over}" if self.hanging else ""
            why = f"Python {wanted} or newer is not found there{found}"
            mend = f"install it there: sudo apt install python{wanted}, or python3 of a newer system"
            raise self._error(why, mend)
        if self.system == "Linux" and python.libc[0] != "glibc":
            mend = "no packages are built for it: use a system with the GNU C library, such as Debian"
            raise self._error("its C library is not the GNU C library", mend)
        if not python.is_writable:
            mend = "give it a home that may be written to, or another XDG_CACHE_HOME"
            raise self._error(f"{visible(self.folder)} cannot be made there", mend)
        if python.free_mib < room_mib:
            raise full(self.host, self.folder, python.free_mib, room_mib)
        return python

    def _error(self, why: str, mend: str) -> HostError:
        return HostError(self.host, why, mend)


def full(host: str, folder: str, free_mib: int, room_mib: int) -> HostError:
    """Its disk has no room for what is to come."""
    why = f"its disk is full: {visible(folder)} has {free_mib} MiB free, and {room_mib} are needed"
    return HostError(host, why, "free some space there, or give it another XDG_CACHE_HOME")


def look(remote: Remote) -> Probe:
    """Look at a machine. Raises HostError where it cannot be reached or runs no commands."""
    asked = time()
    done = remote.shell(_SCRIPT, limit_s=LIMIT_S)
    answered = time()
    lines = [line.partition("=") for line in done.stdout.splitlines()]
    if ("end", "=", "1") not in lines:
        raise failures.nothing_ran(remote.host, done.stderr or done.stdout)
    fields = {name: value[:_LONGEST] for name, _, value in lines}
    now = _number(fields.get("seconds"))
    return Probe(
        remote.host.name,
        visible(fields.get("system", "")[:40]),
        visible(fields.get("machine", "")[:40]),
        _number(fields.get("bits")),
        fields.get("folder", ""),
        0.0 if now is None else now - (asked + answered) / 2,
        tuple(
            interpreter
            for name, _, value in lines
            if f"{name}=" == _PYTHON and (interpreter := _interpreter(value))
        ),
        tuple(value[:_LONGEST] for name, _, value in lines if f"{name}=" == _HANGING),
        fields.get("boot", ""),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 12 else None


def _interpreter(text: str) -> Interpreter | None:
    try:
        return msgspec.json.decode(text, type=Interpreter)
    except msgspec.MsgspecError:
        return None
