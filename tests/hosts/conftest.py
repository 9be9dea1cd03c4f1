"""A machine that is reached by ssh, and a package index without a network."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgefashion.hosts import environment, packages, wheel
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote

if TYPE_CHECKING:
    from sshd import LoopbackHost, Shelf


@pytest.fixture
def host(shelf: "Shelf") -> "LoopbackHost":
    """A host whose Python is that of the tests."""
    (made,) = shelf("a")
    (made.home / "bin").mkdir()
    (made.home / "bin/python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (made.home / "bin/python3").chmod(0o755)
    made.login('PATH="$HOME/bin:$PATH"')
    return made


@pytest.fixture
def remote(host: "LoopbackHost") -> Remote:
    return Remote(Host.parse("a"))


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels of what edgefashion depends on: click as it is, the others by name only."""
    folder = tmp_path_factory.mktemp("index")
    wheel.pack("click", folder)
    for line in wheel.requirements(wheel.pack_edgefashion(tmp_path_factory.mktemp("ours"))):
        name, marker = line.split()[1].split(";")[0], line.partition(";")[2]
        name = name.split(">")[0].split("[")[0]
        if "extra" not in marker and name != "click":
            about = f"{name}-99.0.dist-info"
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n"
            found = {f"{about}/METADATA": metadata.encode(), f"{about}/WHEEL": wheel._ANY_PYTHON.encode()}
            wheel._write(folder / f"{name}-99.0-py3-none-any.whl", found, about)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Environments have what edgefashion itself needs, and what is fetched for them is not kept."""
    monkeypatch.setattr(environment, "EXTRAS", "")
    monkeypatch.setattr(packages, "cache_folder", lambda: tmp_path / "for-hosts")
