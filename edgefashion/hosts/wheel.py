"""Wheels of what is installed here, so that both ends run the very same code, whatever an index has."""

import hashlib
import os
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import edgefashion
from edgefashion import files
from edgefashion.errors import BadInput
from edgefashion.installation import NAME
from edgefashion.version import __version__

_LEFT_OUT = ("__pycache__", "README.md")
_METADATA = ("METADATA", "WHEEL", "entry_points.txt", "top_level.txt")
_ANY_PYTHON = "Wheel-Version: 1.0\nGenerator: edgefashion\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_TIME = (2020, 1, 1, 0, 0, 0)
"""Of all that is packed: the same content is the same wheel."""


def pack_edgefashion(folder: Path) -> Path:
    """A wheel of this very package in `folder`. Raises BadInput where it is not installed."""
    root = Path(edgefashion.__file__).parent
    about = f"{NAME}-{__version__}.dist-info"
    found = {f"{NAME}/{name}": content for name, content in _below(root)}
    project = root.parent / "pyproject.toml"
    metadata, entry_points = _declared(project) if project.is_file() else _noted()
    found |= {f"{about}/METADATA": metadata.encode(), f"{about}/WHEEL": _ANY_PYTHON.encode()}
    found[f"{about}/entry_points.txt"] = entry_points.encode()
    return _write(folder / f"{NAME}-{__version__}-py3-none-any.whl", found, about)


def requirements(wheel: Path) -> list[str]:
    """What our own wheel depends on, as it says so."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{NAME}-{__version__}.dist-info/METADATA").decode()
    return [line for line in text.splitlines() if line.startswith("Requires-Dist: ")]


def pack(name: str, folder: Path) -> Path:
    """A wheel in `folder` of an installed package that came as one. Raises BadInput where it did not."""
    metadata = _installed(name)
    about = f"{name.replace('-', '_')}-{metadata.version}.dist-info"
    found, own = {}, ""
    for file in metadata.files or []:
        own = file.parts[0] if file.parts[0].endswith(".dist-info") else own
        if not file.is_absolute() and ".." not in file.parts and file.suffix != ".pyc":
            found[str(file)] = Path(str(file.locate())).read_bytes()
    tags = [
        line.split()[1].split("-")
        for line in (metadata.read_text("WHEEL") or "").splitlines()
        if line[:4] == "Tag:"
    ]
    if not tags or not own:
        raise BadInput(
            f"{name} did not come as a wheel, and cannot be sent: pip install --force-reinstall {name}"
        )
    kept = {path: content for path, content in found.items() if not path.startswith(f"{own}/")}
    kept |= {f"{about}/{each}": found[f"{own}/{each}"] for each in _METADATA if f"{own}/{each}" in found}
    tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    return _write(folder / f"{about.removesuffix('.dist-info')}-{tag}.whl", kept, about)


def digest(wheel: Path) -> str:
    """What names the code in it: twelve digits of its SHA-256."""
    return files.sha256(wheel)[:12]


def _declared(project: Path) -> tuple[str, str]:
    """Metadata and entry points of a checkout: what was noted when it was installed may be of older code."""
    told = tomllib.loads(project.read_text())["project"]
    needed = list(told["dependencies"])
    for extra, names in told["optional-dependencies"].items():
        parts = [
            (name, f"({marker.strip()}) and " if marker else "") for name, _, marker in map(_split, names)
        ]
        needed += [f"{name}; {marker}extra == '{extra}'" for name, marker in parts]
    lines = ["Metadata-Version: 2.1", f"Name: {NAME}", f"Version: {__version__}"]
    lines += [f"Requires-Python: {told['requires-python']}", *(f"Requires-Dist: {each}" for each in needed)]
    lines += [f"Provides-Extra: {extra}" for extra in told["optional-dependencies"]]
    scripts = [f"{name} = {function}" for name, function in told["scripts"].items()]
    return "\n".join([*lines, ""]), "\n".join(["[console_scripts]", *scripts, ""])


def _split(requirement: str) -> tuple[str, str, str]:
    return requirement.partition(";")


def _noted() -> tuple[str, str]:
    """Metadata and entry points of the installed package."""
    noted = _installed(NAME)
    return noted.read_text("METADATA") or "", noted.read_text("entry_points.txt") or ""


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise BadInput(f"{name} is not installed here, and cannot be sent: pip install {name}") from error


def _below(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder, folders, names in os.walk(root, followlinks=True):  # export stands beside it in a checkout
        folders[:] = sorted(set(folders).difference(_LEFT_OUT))
        for path in (Path(folder) / name for name in sorted(set(names).difference(_LEFT_OUT))):
            if path.suffix not in (".pyc", ".png"):
                yield str(path.relative_to(root)), path.read_bytes()


def _write(path: Path, found: dict[str, bytes], about: str) -> Path:
    record = "".join(f"{name},sha256={_hash(content)},{len(content)}\n" for name, content in found.items())
    found[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n".encode()
    with files.replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in found.items():
            member = zipfile.ZipInfo(name, _TIME)
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return path


def _hash(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
