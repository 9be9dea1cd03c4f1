"""What can be typed to install more, or again: every hint names what is there, and no index is asked."""

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from edgefashion import __version__, installation
from edgefashion.installation import activation, pip_install, restore

ROOT = Path(__file__).parents[1]


class Noted:
    """A distribution of which pip noted where it came from."""

    def __init__(self, url: str | None) -> None:
        self.text = None if url is None else json.dumps({"url": url, "archive_info": {}})

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self.text


def installed_from(url: str | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package lay in `folder` and came from `url`."""
    monkeypatch.setattr(installation, "CHECKOUT", folder / "site-packages")
    monkeypatch.setattr(metadata, "distribution", lambda name: Noted(url))


def test_in_a_checkout_it_is_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert pip_install("train") == "pip install '.[train]'"
    monkeypatch.chdir(tmp_path)
    assert pip_install("train") == f"pip install '{ROOT}[train]'"
    monkeypatch.chdir(ROOT.parent)
    assert pip_install("plot") == f"pip install './{ROOT.name}[plot]'", "no bare word"


def test_elsewhere_it_is_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "my wheels" / f"edgefashion-{__version__}-py3-none-any.whl"
    wheel.parent.mkdir()
    installed_from(wheel.as_uri(), tmp_path, monkeypatch)
    assert pip_install("onnx") == f"pip install '{wheel.name}[onnx]'", "it is gone by now"
    wheel.touch()
    assert pip_install("onnx") == f"pip install '{wheel}[onnx]'"
    monkeypatch.chdir(tmp_path)
    assert pip_install("onnx") == f"pip install './my wheels/{wheel.name}[onnx]'"


def test_a_folder_that_was_installed_is_named_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_from(ROOT.as_uri(), tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert pip_install("pi") == f"pip install '{ROOT}[pi]'"


@pytest.mark.parametrize("url", [None, "https://example.org/edgefashion.whl", "nonsense"])
def test_where_nothing_is_known_it_is_the_wheel_by_its_name(
    url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed_from(url, tmp_path, monkeypatch)
    assert pip_install("pi") == f"pip install 'edgefashion-{__version__}-py3-none-any.whl[pi]'"


def test_a_damaged_file_is_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said = restore(ROOT / "edgefashion/zoo/zoo.json")
    assert said == "bring it back with git checkout -- ./edgefashion/zoo/zoo.json"
    installed_from(None, tmp_path, monkeypatch)
    wheel = f"edgefashion-{__version__}-py3-none-any.whl"
    said = restore(tmp_path / "site-packages/edgefashion/zoo/zoo.json")
    assert said == f"reinstall edgefashion: pip install --force-reinstall --no-deps {wheel}"


def test_a_command_that_is_called_by_its_path_is_told_how_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "argv", [".venv/bin/edgefashion", "run"])
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert activation() == ". ./.venv/bin/activate"
    monkeypatch.setattr(sys, "argv", ["edgefashion", "run"])
    command = tmp_path / "bin/edgefashion"
    command.parent.mkdir()
    command.touch(0o755)
    assert activation() is None
