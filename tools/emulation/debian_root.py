"""Another Debian release, as a folder that programs run in: its libraries and Python, our wheel and `[pi]`.

    root = debian_root.prepare("trixie")
    subprocess.run(root.command(["-m", "edgefashion", "--help"]), env=root.environment())

Nothing is installed. Its processes see that folder as /, this checkout as /checkout, the user's cache as
/cache, and a /tmp of their own; nothing of this machine's Debian.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from debian_packages import Unavailable, unpack
from emulation import HOSTS, SYSTEMS, packages
from emulation_parts import CHECKOUT, Report, part, say
from platformdirs import user_cache_path

RECIPE = Path(__file__).resolve()
SHARED = {"/proc": "proc", "/sys": "sys", "/dev": "dev"}
"""What the processes have of this machine, and where in the folder."""
ENTER = """\
set -e
cd "$1"
shift
while [ "$1" != -- ]; do
    mount --rbind "$1" "$2"
    shift 2
done
shift
mount -t tmpfs none tmp
exec chroot . "$@"
"""
"""A shell script for the folder, what is mounted on what there, `--`, and the command."""


@dataclass(frozen=True)
class Root:
    """A folder with a Debian release, ready to run its Python."""

    folder: Path
    python: str
    search: tuple[Path, ...]
    """Folders of Python packages, in the user's cache."""

    def command(self, words: Sequence[str]) -> list[str]:
        """The command line that runs its Python with `words`, in the folder's /tmp."""
        shared = {**SHARED, str(CHECKOUT): "checkout", str(user_cache_path()): "cache"}
        pairs = [word for pair in shared.items() for word in pair]
        return [*_namespace(), ENTER, "sh", str(self.folder), *pairs, "--", self.python, *words]

    def environment(self) -> dict[str, str]:
        """The environment to run it in, without anything of this machine's."""
        found = (Path("/cache") / path.relative_to(user_cache_path()) for path in self.search)
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",  # unshare, sh and mount are still this machine's
            "HOME": "/tmp",
            "LC_ALL": "C.UTF-8",
            "XDG_CACHE_HOME": "/cache",
            "PYTHONPATH": os.pathsep.join(map(str, found)),
            "PYTHONPYCACHEPREFIX": "/tmp/bytecode",
        }


def prepare(release: str, report: Report = say) -> Root:
    """A root of `release`; what is not in the cache yet is made. Raises Unavailable."""
    _check_allowed()
    machine = platform.machine()
    if machine not in HOSTS:
        raise Unavailable(f"no Debian root for {machine}: for {' and '.join(HOSTS)} there is one")
    make = partial(make_root, release, HOSTS[machine][0])
    folder = part(f"{machine}-{release}", [RECIPE], make, report)
    return Root(folder, f"/usr/bin/python{SYSTEMS[release]}", packages(release, report, machine))


def make_root(release: str, architecture: str, folder: Path, report: Report) -> None:
    """The release's Python with what it needs, and the folders that are mounted over."""
    python = f"python{SYSTEMS[release]}"
    needed = [f"{python}-minimal", f"lib{python}-stdlib", "libstdc++6", "base-files"]
    unpack(needed, release, architecture, folder, report)
    for name in (*SHARED.values(), "checkout", "cache", "tmp"):
        (folder / name).mkdir(exist_ok=True)


def _namespace() -> list[str]:
    """The words to put before a shell script that may mount for itself alone, and change its root."""
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c"]


def _check_allowed() -> None:
    """Raise Unavailable where this user cannot have mounts and a root of its own."""
    if not shutil.which("unshare"):
        raise Unavailable("no unshare on this machine: another Debian's root is entered with it")
    words = [*_namespace(), "mount -t tmpfs none /mnt && chroot / true"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no word").splitlines()[-1]
        raise Unavailable(f"another Debian's root cannot be entered here: {reason}")
