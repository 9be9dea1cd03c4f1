"""Debian packages for an emulated Pi: which sources serve them, and the real apt on a local archive."""

import hashlib
import os
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[2] / "tools/emulation"

LINES = """\
# deb http://commented.example.org/debian bookworm main
deb [arch=amd64,armhf signed-by=/usr/share/debian.gpg] http://one.example.org/debian bookworm main # x
deb-src http://one.example.org/debian bookworm main
deb http://one.example.org/debian bookworm-updates main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb [ trusted=yes ] http://two.example.org/debian stable non-free main
deb https://docker.example.org/linux/debian bookworm stable
deb https://apt.example.org/pgdg bookworm-pgdg main
deb file:/srv/flat ./
deb
"""
PARAGRAPHS = """\
Types: deb deb-src
# where it is
URIs: http://three.example.org/debian
Suites: bookworm bookworm-updates
Components: main non-free-firmware
Architectures: amd64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://three.example.org/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example.org/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://node.example.org/
Suites: nodistro
Components: main
"""


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """tools/emulation/debian_packages.py, on a machine whose /etc/apt is an empty folder."""
    monkeypatch.syspath_prepend(TOOLS)
    module = import_module("debian_packages")
    (tmp_path / "etc/sources.list.d").mkdir(parents=True)
    monkeypatch.setattr(module, "APT_FOLDER", tmp_path / "etc")
    return module


def test_debian_sources_are_kept_and_name_the_wanted_release(packages: ModuleType) -> None:
    folder = packages.APT_FOLDER
    (folder / "sources.list").write_text(LINES)
    (folder / "sources.list.d/debian.sources").write_text(PARAGRAPHS)
    (folder / "sources.list.d/debian.sources.save").write_text(PARAGRAPHS.replace("three", "old"))
    first, second, third = packages.sources(folder, "trixie")
    assert first == {
        "types": "deb",
        "suites": "trixie",
        "components": "main",
        "uris": "http://one.example.org/debian",
        "signed-by": "/usr/share/debian.gpg",
    }
    assert (second["uris"], second["trusted"]) == ("http://two.example.org/debian", "yes")
    assert third["uris"] == "http://three.example.org/debian"
    text = packages.to_text(third)
    assert "signed-by: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n" in text
    assert list(packages.of_paragraphs(text)) == [third]


def test_a_source_named_twice_is_asked_once(packages: ModuleType) -> None:
    line = "deb http://one.example.org/debian bookworm main\n"
    (packages.APT_FOLDER / "sources.list").write_text(line + line.replace("bookworm", "trixie"))
    assert len(packages.sources(packages.APT_FOLDER, "bookworm")) == 1


def control(name: str, depends: str = "") -> str:
    return (
        f"Package: {name}\nVersion: 1\nArchitecture: arm64\n{depends}"
        "Maintainer: Nobody <nobody@example.org>\nDescription: a sample\n"
    )


def add(archive: Path, text: str, file: str) -> None:
    """Build a package that holds `file`, with its name as content, and put it into the archive."""
    name = text.split()[1]
    tree = archive / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(text)
    (tree / file).parent.mkdir(parents=True)
    (tree / file).write_text(name)
    package = archive / f"{name}.deb"
    build = ["dpkg-deb", "-Zgzip", "--build", str(tree), str(package)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    index = archive / "dists/trixie/main/binary-arm64/Packages"
    index.parent.mkdir(parents=True, exist_ok=True)
    with index.open("a") as lines:
        lines.write(f"{text}Filename: {name}.deb\nSize: {package.stat().st_size}\nSHA256: {digest}\n\n")


needs_apt = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")), reason="no apt on this machine"
)


@needs_apt
def test_a_package_of_another_architecture_comes_with_what_it_depends_on(
    packages: ModuleType, tmp_path: Path
) -> None:
    """From the archive of this machine's source, with another release; one that is gone does not matter."""
    archive = tmp_path / "archive"
    add(archive, control("python9", "Depends: libpython9\n"), "usr/bin/python9")
    add(archive, control("libpython9"), "lib/libpython9.so")
    add(archive, control("unneeded"), "usr/bin/unneeded")
    lines = [f"deb [trusted=yes arch=amd64] file:{folder} bookworm main\n" for folder in ("/gone", archive)]
    (packages.APT_FOLDER / "sources.list").write_text("".join(lines))
    folder = tmp_path / "root"
    folder.mkdir()
    said: list[str] = []
    packages.unpack(["python9"], "trixie", "arm64", folder, said.append)
    assert said == ["fetching python9 of Debian trixie for arm64 with apt"]
    assert (folder / "bin/python9").read_text() == "python9"
    assert (folder / "usr/lib/libpython9.so").read_text() == "libpython9"
    assert (folder / "lib").is_symlink()
    assert not (folder / "usr/bin/unneeded").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "etc", "root"]


def test_no_link_leads_out_of_the_folder(packages: ModuleType, tmp_path: Path) -> None:
    """Debian's loader is an absolute link: it would start this machine's, which other libraries crash."""
    root = tmp_path / "root"
    root.mkdir()
    packages.merge_usr(root)
    (root / "usr/lib/arch").mkdir()
    (root / "usr/lib/arch/ld.so").write_text("the folder's own")
    (root / "usr/lib64/ld.so").symlink_to("/lib/arch/ld.so")
    (root / "usr/share").symlink_to("/lib/arch")
    (root / "usr/lib64/beside").symlink_to("ld.so")
    packages.keep_links_inside(root)
    assert not [path for path in root.rglob("*") if path.is_symlink() and path.readlink().is_absolute()]
    for name in ("lib64/ld.so", "usr/share/ld.so", "lib64/beside"):
        assert (root / name).read_text() == "the folder's own"
        assert (root / name).resolve().is_relative_to(root)


@needs_apt
def test_a_package_that_nobody_has(packages: ModuleType, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    add(archive, control("python9"), "usr/bin/python9")
    (packages.APT_FOLDER / "sources.list").write_text(f"deb [trusted=yes] file:{archive} bookworm main\n")
    (tmp_path / "root").mkdir()
    with pytest.raises(packages.Unavailable) as caught:
        packages.unpack(["python8"], "trixie", "arm64", tmp_path / "root", print)
    assert str(caught.value) == "apt cannot fetch python8: Unable to locate package python8"


@needs_apt
def test_an_archive_that_is_not_reached_is_what_the_error_names(packages: ModuleType, tmp_path: Path) -> None:
    (packages.APT_FOLDER / "sources.list").write_text("deb [trusted=yes] file:/gone bookworm main\n")
    (tmp_path / "root").mkdir()
    with pytest.raises(packages.Unavailable, match="python9: Failed to fetch file:/gone/dists") as caught:
        packages.unpack(["python9"], "trixie", "arm64", tmp_path / "root", print)
    assert "\n" not in str(caught.value)


def test_a_machine_without_debian_sources_or_without_apt(
    packages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (packages.APT_FOLDER / "sources.list").write_text("deb http://one.example.org/ubuntu noble main\n")
    monkeypatch.setattr(packages.apt, "available", lambda: True)
    with pytest.raises(packages.Unavailable, match=r"no Debian source in .*/etc"):
        packages.unpack(["python9"], "trixie", "arm64", tmp_path, print)
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not os.access(tmp_path / "apt-get", os.X_OK)
    with pytest.raises(packages.Unavailable, match="no apt on this machine"):
        packages.unpack(["python9"], "trixie", "arm64", tmp_path, print)
