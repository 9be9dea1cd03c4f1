"""The Debian package fetched with apt: stand-ins for its programs, and the real ones on a local archive."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edgefashion.data import load_dataset
from edgefashion.data.fashion_mnist import FILES
from edgefashion.data.idx import gzip_path
from edgefashion.errors import DataError

APT = """#!/bin/sh
echo "$PWD $*" >> {calls}
for word; do last=$word; done
case "$last" in
update) echo "E: The repository of a third party is gone"; exit 100 ;;
*) {download} ;;
esac
"""
LISTS = "; of the lists: The repository of a third party is gone"
DPKG = """#!/bin/sh
mkdir -p "$3/usr/share/datasets" && cp -r "{data}" "$3/usr/share/datasets/fashion-mnist"
"""


def install(tmp_path: Path, data: Path, download: str) -> Path:
    """Put stand-ins for apt-get and dpkg-deb on the PATH; give the file that lists the calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = tmp_path / "calls"
    texts = {"apt-get": APT.format(calls=calls, download=download), "dpkg-deb": DPKG.format(data=data)}
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for name in ("mkdir", "cp"):
        (folder / name).symlink_to(shutil.which(name, path="/usr/bin:/bin") or name)
    return calls


def test_the_package_is_fetched_into_the_cache(nowhere: Path, sample_folder: Path, tmp_path: Path) -> None:
    calls = install(tmp_path, sample_folder, "echo deb > package.deb")
    dataset = load_dataset(report=lambda line: None)
    assert dataset.source == "user's cache, fetched from the Debian package dataset-fashion-mnist"
    assert sorted(path.name for path in nowhere.iterdir()) == sorted(
        [*(f"{name}.gz" for name in FILES), "lock", "source.txt"]
    )
    update, download = calls.read_text().splitlines()
    assert update.endswith(" update")
    assert download.endswith(" download dataset-fashion-mnist")
    for call in (update, download):
        assert call.startswith(f"{nowhere}/staging/apt ")
        assert f"Dir::State::lists={nowhere}/staging/apt/lists" in call
        assert f"Dir::Cache={nowhere}/staging/apt" in call
        assert ("APT::Sandbox::User=root" in call) == (os.geteuid() == 0)


@pytest.mark.parametrize(
    ("download", "said"),
    [
        ("echo 'E: Unable to locate package'; exit 100", f"apt: Unable to locate package{LISTS}"),
        ("printf 'E: \\033[2JUnable \\377\\n'; exit 100", f"apt: \\x1b[2JUnable \ufffd{LISTS}"),
        ("exit 7", f"apt: exit code 7{LISTS}"),
        ("exit 0", "apt: no dataset-fashion-mnist came"),
    ],
)
def test_apt_that_cannot_serve_says_why(
    nowhere: Path, sample_folder: Path, tmp_path: Path, download: str, said: str
) -> None:
    install(tmp_path, sample_folder, download)
    lines: list[str] = []
    with pytest.raises(DataError, match="nobody served it"):
        load_dataset(report=lines.append)
    assert lines[-1] == said
    assert [path.name for path in nowhere.iterdir()] == ["lock"]


def test_a_package_with_other_bytes_is_refused(nowhere: Path, sample_folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(sample_folder, tmp_path / "other")
    gzip_path(other, FILES[0]).write_bytes(b"other")
    install(tmp_path, other, "echo deb > package.deb")
    lines: list[str] = []
    with pytest.raises(DataError):
        load_dataset(report=lines.append)
    assert "sent a bad file" in lines[-1]
    assert [path.name for path in nowhere.iterdir()] == ["lock"]


def test_a_package_that_lacks_a_file(nowhere: Path, sample_folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(sample_folder, tmp_path / "other")
    gzip_path(other, FILES[0]).unlink()
    install(tmp_path, other, "echo deb > package.deb")
    lines: list[str] = []
    with pytest.raises(DataError):
        load_dataset(report=lines.append)
    assert lines[-1] == f"the package dataset-fashion-mnist holds no {FILES[0]}.gz"


@pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")), reason="no apt on this machine"
)
def test_the_real_apt_serves_from_an_archive_on_this_machine(
    nowhere: Path, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a source that is gone, and with a hook that would show had it run."""
    monkeypatch.setenv("PATH", os.defpath + ":/usr/sbin:/sbin")
    archive = archived(sample_folder, tmp_path / "archive")
    sources = tmp_path / "sources.list"
    sources.write_text(f"deb [trusted=yes] file:{tmp_path}/gone ./\ndeb [trusted=yes] file:{archive} ./\n")
    hook = tmp_path / "hook-ran"
    configuration = tmp_path / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "-";\n'
        f'APT::Update::Pre-Invoke {{ "touch {hook}"; }};\nAPT::Update::Post-Invoke {{ "touch {hook}"; }};\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    lines: list[str] = []
    dataset = load_dataset(report=lines.append)
    assert dataset.complete, lines
    assert dataset.source.endswith("the Debian package dataset-fashion-mnist")
    assert not (nowhere / "staging").exists()
    assert not hook.exists()


def archived(data: Path, archive: Path) -> Path:
    """Make an apt archive that holds a package with `data` inside."""
    tree = archive / "tree"
    shutil.copytree(data, tree / "usr/share/datasets/fashion-mnist")
    (tree / "DEBIAN").mkdir()
    control = (
        "Package: dataset-fashion-mnist\nVersion: 1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: a sample\n"
    )
    (tree / "DEBIAN/control").write_text(control)
    package = archive / "package.deb"
    subprocess.run(
        ["dpkg-deb", "-Zgzip", "--build", str(tree), str(package)], check=True, stdout=subprocess.DEVNULL
    )
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    entry = f"Filename: ./package.deb\nSize: {package.stat().st_size}\nSHA256: {digest}\n"
    (archive / "Packages").write_text(control + entry)
    return archive
