"""Looking into every picture of a set once: what it is, whether it can be used, and what it looks like.

What was found is kept in the user's cache, by the file's name, size and stamp: nothing is opened twice.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgefashion import files
from edgefashion.data.picture_sets.trees import Found, Tree
from edgefashion.device import cores
from edgefashion.errors import BadInput, DataError, OutputError, PictureError
from edgefashion.files import reading
from edgefashion.pictures import decoding
from edgefashion.reporting import Progress
from edgefashion.system import workers

VERSION = 3
"""Of what is kept: another one is not read."""
THUMBNAIL = 16
"""Edge of a small gray version, in pixels."""
_SUFFIX, ALIKE = ".scan", ".alike"
TOGETHER = 32
"""Files that a process looks into before it is asked again."""


@dataclass(frozen=True)
class Scanned:
    """What is in a file."""

    digest: str
    """SHA-256 of its bytes, in hexadecimal."""
    format: str = ""
    mode: str = ""
    """Format and kind of color, as Pillow calls them."""
    size: tuple[int, int] = (0, 0)
    """Width and height, upright."""
    gray: bool = False
    """Whether each pixel is as red as it is green and blue."""
    thumbnail: bytes = b""
    """THUMBNAIL² gray values."""
    color: tuple[int, int, int] = (0, 0, 0)
    """Mean red, green and blue."""
    defect: str = ""
    """Why it cannot be used, in words."""


Job = tuple[Tree, Sequence[Found]]
Index = dict[bytes, tuple[int, str, Scanned]]
"""Name of a file → its size, its stamp and what was found."""

Kept = TypeVar("Kept")


def scan(tree: Tree, found: Sequence[Found], progress: Progress | None = None) -> list[Scanned]:
    """What each file is, in the same order; damage is found too, since each is decoded once."""
    kept = _read_index(tree)
    known = [_known(kept, each) for each in found]
    new = [each for each, scanned in zip(found, known, strict=True) if scanned is None]
    index = {_key(each): (each.size, each.stamp, one) for each, one in zip(found, known, strict=True) if one}
    jobs = [(tree, new[start : start + TOGETHER]) for start in range(0, len(new), TOGETHER)]
    try:
        for number, (job, answers) in enumerate(
            zip(jobs, workers.spread(_scan_all, jobs, cores()), strict=True)
        ):
            for each, one in zip(job[1], answers, strict=True):
                index[_key(each)] = (each.size, each.stamp, one)
            if progress:
                progress("looking into pictures", min(len(new), (number + 1) * TOGETHER), len(new))
    finally:
        if new:
            keep(index_path(tree), index)
    return [index[_key(each)][2] for each in found]


def _scan_all(job: Job) -> list[Scanned]:
    tree, found = job
    return [_scan(tree, each) for each in found]


def folder() -> Path:
    """Where what is known of pictures is kept."""
    from platformdirs import user_cache_path

    return user_cache_path("edgefashion") / "pictures"


def index_path(tree: Tree, suffix: str = _SUFFIX) -> Path:
    """Where what was found in a tree is kept."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(tree.path))).hexdigest()
    return folder() / f"{name[:32]}{suffix}"


def forget(tree: Tree) -> int:
    """Remove what is kept of a tree, its decoded pictures too; gives the bytes. Raises OutputError."""
    from edgefashion.data import store

    freed = store.forget({each.digest for *_, each in _read_index(tree).values() if each.digest})
    for path in (index_path(tree), index_path(tree, ALIKE)):
        with files.naming_output(path):
            if path.exists():
                freed += path.stat().st_size
                path.unlink()
    return freed


def _key(found: Found) -> bytes:
    return os.fsencode(found.name)


def _known(kept: Index, found: Found) -> Scanned | None:
    size, stamp, scanned = kept.get(_key(found), (-1, "", None))
    return scanned if (size, stamp) == (found.size, found.stamp) and not found.defect else None


def _scan(tree: Tree, found: Found) -> Scanned:
    if found.defect:
        return Scanned("", defect=found.defect)
    name, digest = Path(found.name), ""
    try:
        content = tree.read(found.name)
        digest = hashlib.sha256(content).hexdigest()
        picture = decoding.read_bytes(name, content, decoding.WHITE, 4 * THUMBNAIL)
    except (DataError, PictureError) as error:
        return Scanned(
            digest, defect=str(error).removeprefix(f"{tree.path / name} ").removeprefix(f"{name} ")
        )
    from PIL import Image, ImageChops

    bands = picture.image.split()
    gray = not any(ImageChops.difference(bands[0], other).getbbox() for other in bands[1:])
    small = picture.image.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    red, green, blue = picture.image.resize((1, 1), Image.Resampling.BOX).tobytes()
    what = (digest, picture.format or "", picture.mode, picture.size)
    return Scanned(*what, gray, small.tobytes(), (red, green, blue))


def _version() -> list[object]:
    import PIL

    return [VERSION, PIL.__version__]


def _read_index(tree: Tree) -> Index:
    """What is kept of the files of a tree; nothing where there is nothing."""
    return read_kept(index_path(tree), Index) or {}


def read_kept(path: Path, kind: type[Kept]) -> Kept | None:
    """What is kept in a file of the cache; None where there is nothing, or of another version."""
    import msgspec

    try:
        content = reading.read_bytes(path, "an index of pictures", DataError, reading.MODEL_BYTES)
        version, kept = msgspec.msgpack.decode(content, type=tuple[list[int | str], msgspec.Raw])
        return msgspec.msgpack.decode(kept, type=kind) if version == _version() else None
    except (msgspec.MsgspecError, BadInput):
        return None


def keep(path: Path, what: object) -> None:
    """Keep it where that can be done: else the next start takes as long as this one."""
    import contextlib

    import msgspec

    with contextlib.suppress(OutputError):
        files.make_folder(folder())
        files.write_bytes(path, msgspec.msgpack.encode((_version(), what)))
