"""How this package was installed, and so how an extra is: from a checkout or a wheel, not from an index."""

import json
import shlex
import shutil
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edgefashion.version import __version__

CHECKOUT = Path(__file__).resolve().parent.parent
NAME = "edgefashion"


def is_installed(package: str) -> bool:
    """Whether a package can be imported, without doing so."""
    return find_spec(package) is not None


def pip_install(extra: str) -> str:
    """The command that brings an extra."""
    return f"pip install {shlex.quote(f'{_source()}[{extra}]')}"


def restore(path: Path) -> str:
    """What brings back a damaged file of the package: words, with the command."""
    if _is_checkout(CHECKOUT) and path.resolve().is_relative_to(CHECKOUT):
        return f"bring it back with git checkout -- {shlex.quote(_shown(path.resolve()))}"
    return f"reinstall edgefashion: pip install --force-reinstall --no-deps {shlex.quote(_source())}"


def activation() -> str | None:
    """What makes `edgefashion` a command of this shell; None where it is one or was not called so."""
    script = Path(sys.prefix) / "bin/activate"
    if Path(sys.argv[0]).name != NAME or shutil.which(NAME) or not script.is_file():
        return None
    return f". {shlex.quote(_shown(script))}"


def _source() -> str:
    """What pip can install it from: the checkout, or the wheel that it came in."""
    if _is_checkout(CHECKOUT):
        return _shown(CHECKOUT)
    origin = _origin()
    if origin and (origin.is_file() or _is_checkout(origin)):
        return _shown(origin)
    return f"{NAME}-{__version__}-py3-none-any.whl"


def _origin() -> Path | None:
    """The file or folder that pip noted as installed (PEP 610)."""
    try:
        noted = metadata.distribution(NAME).read_text("direct_url.json")
        url = urlsplit(json.loads(noted or "{}").get("url", ""))
    except (metadata.PackageNotFoundError, ValueError, AttributeError):
        return None
    return Path(unquote(url.path)) if url.scheme == "file" else None


def _is_checkout(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file()


def _shown(path: Path) -> str:
    """As one types it here: relative where it lies below this folder, and never like a package's name."""
    try:
        inside = path.relative_to(Path.cwd())
    except (ValueError, OSError):
        return str(path)
    return f"./{inside}" if inside.parts else "."
