"""Debian packages of any release and architecture, unpacked into a folder: no root, nothing is installed.

Where they come from is what this machine's own apt sources say: of those, the ones for Debian, with the
release that is wanted in place of the one they name.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from edgefashion.data import apt
from edgefashion.errors import EdgefashionError

APT_FOLDER = Path("/etc/apt")
RELEASES = {
    "bookworm", "trixie", "forky", "duke", "sid",
    "oldoldstable", "oldstable", "stable", "testing", "unstable",
}  # fmt: skip
DROPPED = {
    "types", "suites", "components", "enabled",
    "architectures", "arch", "languages", "lang", "targets", "target",
}  # fmt: skip
"""Fields of a source that are about what this machine installs; the others say where it is and who signs."""
MERGED = ("bin", "lib", "sbin", "lib64")

CONFIGURATION = """
#clear APT::Architectures;
APT::Architecture "{architecture}";
APT::Architectures {{"{architecture}";}};
APT::Update::Error-Mode "any";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
APT::Install-Recommends "0";
Dir::State::status "{state}/status";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{state}/sources";
Dir::Etc::preferences "{state}/preferences";
Dir::Etc::preferencesparts "/dev/null";
"""
PREFERENCES = "Package: *\nPin: release o=Debian\nPin-Priority: 990\n"  # before a third party's

Source = dict[str, str]
"""A paragraph of a .sources file: its fields' names in small letters, and their values as they are there."""


class Unavailable(EdgefashionError):
    """What an emulated Pi is made of cannot be had on this machine."""


def unpack(
    packages: list[str], release: str, architecture: str, folder: Path, report: Callable[[str], None]
) -> None:
    """Unpack Debian packages and all they depend on into `folder`. Raises Unavailable."""
    if not (apt.available() and shutil.which("tar")):
        raise Unavailable("no apt on this machine: an emulated Pi is made of Debian packages")
    found = sources(APT_FOLDER, release)
    if not found:
        raise Unavailable(f"no Debian source in {APT_FOLDER}: an emulated Pi is made of packages of one")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="apt-") as name:
        state = Path(name)
        (state / "sources").mkdir()
        (state / "sources/debian.sources").write_text("\n".join(map(to_text, found)))
        (state / "status").touch()  # nothing is installed: whatever is needed is fetched
        (state / "preferences").write_text(PREFERENCES)
        command = apt.command(state, CONFIGURATION.format(architecture=architecture, state=state))
        report(f"fetching {' '.join(packages)} of Debian {release} for {architecture} with apt")
        _download(packages, command, state, report)
        merge_usr(folder)
        for package in sorted(state.glob("*.deb")):
            _extract(package, folder)
    keep_links_inside(folder)


def _download(packages: list[str], command: list[str], state: Path, report: Callable[[str], None]) -> None:
    """Download packages and what they depend on into `state`."""
    lists = apt.run([*command, "update"], state, report)  # one bad source is no matter where others serve
    problem = apt.run([*command, "--simulate", "install", *packages], state, report)
    if not problem:
        needed = re.findall(r"^Inst (\S+)", (state / "log").read_text(), re.MULTILINE)
        problem = apt.run([*command, "download", *needed], state, report)
    if problem:
        raise Unavailable(f"apt cannot fetch {' '.join(packages)}: {lists or problem}")


def merge_usr(folder: Path) -> None:
    """Make /bin, /lib and the like links into /usr, as on every Debian; packages hold both spellings."""
    for name in MERGED:
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")


def _extract(package: Path, folder: Path) -> None:
    """As dpkg-deb --extract, which would put folders in place of links."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as reader:
        tar = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", str(folder)]
        done = subprocess.run(tar, stdin=reader.stdout, capture_output=True, text=True, check=False)
    if done.returncode or reader.returncode:
        raise Unavailable(f"{package.name} cannot be unpacked: {done.stderr.strip() or 'dpkg-deb failed'}")


def keep_links_inside(folder: Path) -> None:
    """Make absolute links relative ones inside `folder`; else they would lead to this machine's files."""
    for name, folders, files in os.walk(folder):
        for link in (Path(name, each) for each in (*folders, *files)):
            if link.is_symlink() and link.readlink().is_absolute():
                target = folder / link.readlink().relative_to("/")
                link.unlink()
                link.symlink_to(os.path.relpath(target, link.parent))


def sources(folder: Path, release: str) -> list[Source]:
    """The Debian sources that /etc/apt (`folder`) names, each for `release`."""
    found: list[Source] = []
    for source in _all_sources(folder):
        if _is_debian(source):
            kept = {name: value for name, value in source.items() if name not in DROPPED}
            wanted = {"types": "deb", "suites": release, "components": "main", **kept}
            if wanted not in found:
                found.append(wanted)
    return found


def _is_debian(source: Source) -> bool:
    return (
        source.get("enabled", "yes") not in ("no", "false", "0")
        and "deb" in source["types"].split()
        and "main" in source.get("components", "").split()
        and not RELEASES.isdisjoint(source["suites"].split())
        and not source["uris"].startswith("cdrom:")
    )


def _all_sources(folder: Path) -> Iterator[Source]:
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]:
        if path.is_file() and path.suffix == ".list":
            yield from of_lines(path.read_text(errors="replace"))
        elif path.is_file() and path.suffix == ".sources":
            yield from of_paragraphs(path.read_text(errors="replace"))


def of_lines(text: str) -> Iterator[Source]:
    """The sources of a .list file: `deb [name=value ...] URI SUITE COMPONENT...`."""
    for line in text.splitlines():
        found = re.match(
            r"(deb|deb-src)\s+(?:\[(.*?)\]\s*)?(\S+)\s+(\S+)(.*)", line.partition("#")[0].strip()
        )
        if found:
            kind, options, uri, suite, components = found.groups(default="")
            pairs = [option.partition("=") for option in options.split()]
            source = {name.lower(): value.replace(",", " ") for name, _, value in pairs}
            yield source | {"types": kind, "uris": uri, "suites": suite, "components": components.strip()}


def of_paragraphs(text: str) -> Iterator[Source]:
    """The sources of a .sources file: paragraphs of `Field: value`, where indented lines go on."""
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("#")]
    for paragraph in "\n".join(lines).split("\n\n"):
        source: Source = {}
        name = ""
        for line in paragraph.splitlines():
            if line[:1].isspace():
                source[name] = f"{source.get(name, '')}\n{line}"
            else:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                source[name] = value.strip()
        if {"types", "uris", "suites"} <= source.keys():
            yield source


def to_text(source: Source) -> str:
    """A paragraph of a .sources file."""
    return "".join(f"{name}: {value}\n" for name, value in source.items())
