"""What runs here is packed as it is, and installs elsewhere as the same."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import edgefashion as ef
from edgefashion.errors import BadInput
from edgefashion.hosts import packages, wheel

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.pack_edgefashion(tmp_path_factory.mktemp("wheel"))


def test_it_holds_the_code_and_the_zoo_and_nothing_that_is_read_in_a_checkout(ours: Path) -> None:
    names = zipfile.ZipFile(ours).namelist()
    assert {"edgefashion/hosts/there.py", "edgefashion/export/verify.py", "edgefashion/py.typed"} <= set(
        names
    )
    assert any(name.startswith("edgefashion/zoo/") and name.endswith(".tflite") for name in names)
    assert not [name for name in names if name.endswith((".pyc", ".png", "README.md"))]
    assert ours.stat().st_size < 4 << 20


def test_the_same_code_is_the_same_wheel(ours: Path, tmp_path: Path) -> None:
    again = wheel.pack_edgefashion(tmp_path)
    assert again.name == ours.name
    assert wheel.digest(again) == wheel.digest(ours)
    assert re.fullmatch("[0-9a-f]{12}", wheel.digest(ours))


def test_it_needs_what_the_project_needs_now(ours: Path) -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [line.removeprefix("Requires-Dist: ") for line in wheel.requirements(ours)]
    assert needed[: len(told["dependencies"])] == told["dependencies"]
    assert "edgefashion[litert,onnx,image,serve]; extra == 'pi'" in needed
    assert len(needed) > len(told["dependencies"]) + len(told["optional-dependencies"])


def test_where_it_is_installed_it_packs_itself_again(ours: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(ours).extractall(tmp_path / "there")
    (found,) = importlib.metadata.distributions(path=[str(tmp_path / "there")])
    assert (found.name, found.version) == ("edgefashion", ef.__version__)
    assert [each.value for each in found.entry_points] == ["edgefashion.cli:main"]
    code = "import sys; sys.path.insert(0, 'there'); from pathlib import Path; "
    code += "from edgefashion.hosts import wheel as w; print(w.__file__)\n"
    code += "print(w.digest(w.pack_edgefashion(Path())))"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == [str(tmp_path / "there/edgefashion/hosts/wheel.py"), wheel.digest(ours)]


def test_pip_runs_from_its_wheel(tmp_path: Path) -> None:
    pip = packages.pip_wheel(tmp_path)
    done = subprocess.run([sys.executable, "-I", f"{pip}/pip", "--version"], capture_output=True, text=True)
    assert str(pip) in done.stdout, done


def test_without_pip_that_of_python_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "is_installed", lambda name: False)
    if bundled := packages._bundled():
        assert packages.pip_wheel(tmp_path).read_bytes() == bundled.read_bytes()
    monkeypatch.setattr(packages, "_bundled", lambda: None)
    with pytest.raises(BadInput, match=r"pip is not installed here.*python -m ensurepip"):
        packages.pip_wheel(tmp_path)


def test_what_is_not_installed_cannot_be_packed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no-such-package is not installed here.*pip install no-such-package"):
        wheel.pack("no-such-package", tmp_path)
