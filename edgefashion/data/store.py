"""Decoded pictures in the user's cache: made once, and read row by row.

A set of pictures, decoded for a task, is one file: see `pixel_file`. What is in another such file is copied
from there: of a set with one picture more, only that one is decoded.
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from edgefashion import device, files
from edgefashion.data import pixel_file
from edgefashion.data.pixel_file import Layout
from edgefashion.errors import BadInput, MissingExtra, OutputError
from edgefashion.files.stored import StoredArray
from edgefashion.pictures import image_of
from edgefashion.reporting import Progress
from edgefashion.system import workers
from edgefashion.task import Task

DECODE_VERSION = 1
"""Of how pictures are decoded: what another one has decoded is not read."""
VARIABLE = "EDGEFASHION_CACHE_GB"
USUAL_GB = 20.0
TOGETHER = 16
"""Pictures that a process decodes before it is asked again."""


class Source(Protocol):
    """A picture somewhere, a file or a member of a .zip file; it can be pickled."""

    @property
    def path(self) -> Path:
        """What to call it in a message."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of its content, in hexadecimal."""
        ...

    def read(self) -> bytes:
        """Its content. Raises BadInput."""
        ...


def decoded(sources: Sequence[Source], task: Task, progress: Progress | None = None) -> StoredArray:
    """The pictures as images of `task`, uint8 [N, height, width, channels], in the order of `sources`.

    Raises PictureError for a picture that is damaged, what `Source.read` raises, MissingExtra without Pillow,
    OutputError where the cache cannot be written, BadInput for a limit of it that is none.
    """
    if not sources:
        return StoredArray(os.open(os.devnull, os.O_RDONLY), 0, np.dtype(np.uint8), (0, *task.image_shape))
    by_digest = {bytes.fromhex(source.digest): source for source in sources}
    digests = sorted(by_digest)
    path = folder() / pixel_file.name(_settings(task), digests)
    found = pixel_file.open_pixels(path, task.image_shape)
    if found is None:
        with _alone(progress):
            found = pixel_file.open_pixels(path, task.image_shape)  # another process may have made it
            if found is None:
                found = _made(path, [by_digest[digest] for digest in digests], task, progress)
    with contextlib.suppress(OSError):
        os.utime(path)  # it is used now
    places = {digest: place for place, digest in enumerate(digests)}
    return found.take(np.array([places[bytes.fromhex(source.digest)] for source in sources], np.intp))


def folder() -> Path:
    """Where decoded pictures are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("edgefashion") / "decoded"


def size() -> int:
    """Bytes of all that is kept."""
    return sum(path.stat().st_size for path in _kept())


def most_bytes() -> int:
    """How much is kept: what was not used for longest goes first. Raises BadInput for no such number."""
    named = os.environ.get(VARIABLE)
    with contextlib.suppress(ValueError):
        found = float(named) if named else USUAL_GB
        if 0 <= found < math.inf:
            return int(found * 1e9)
    raise BadInput(f"{VARIABLE} is {named!r}: set it to the gigabytes that decoded pictures may take")


def forget(digests: Collection[str]) -> int:
    """Remove what holds none but these pictures, however decoded; gives the bytes of what was removed.

    Raises OutputError.
    """
    asked, freed = {bytes.fromhex(digest) for digest in digests}, 0
    with _alone(None):
        for path in _kept():
            held = pixel_file.digests_in(path)
            if held and asked.issuperset(held):
                freed += path.stat().st_size
                path.unlink()
    return freed


def _settings(task: Task) -> str:
    """A digest of all that what is decoded depends on, besides the pictures."""
    try:
        pillow = version("pillow")
    except PackageNotFoundError as error:
        raise MissingExtra("Opening a picture needs Pillow", "image") from error
    how = [DECODE_VERSION, pillow, task.image_shape, task.to_dict()["picture"]]
    return hashlib.sha256(json.dumps(how, sort_keys=True).encode()).hexdigest()[:16]


def _kept() -> list[Path]:
    """The files that are kept; the one not used for longest comes first."""
    found = folder().glob(f"*{pixel_file.SUFFIX}") if folder().is_dir() else ()
    return sorted((path for path in found if path.is_file()), key=lambda path: path.stat().st_mtime)


@contextlib.contextmanager
def _alone(progress: Progress | None) -> Iterator[None]:
    """Hold the folder for this process, and clear what others have left there when they were killed."""

    def report(line: str) -> None:
        if progress:
            progress(line, 0, 1)

    try:
        with files.alone(folder(), report, "another process decodes; waiting for it"):
            for half in folder().glob(f".*.part{pixel_file.SUFFIX}"):
                half.unlink(missing_ok=True)
            yield
    except OSError as error:
        raise OutputError(
            f"cannot keep decoded pictures in {folder()}: {error.strerror or error}; choose another folder "
            "with XDG_CACHE_HOME"
        ) from error


def _made(path: Path, sources: Sequence[Source], task: Task, progress: Progress | None) -> StoredArray:
    """Decode pictures, in the order of their digests, into a new file."""
    digests = [bytes.fromhex(source.digest) for source in sources]
    layout, known = Layout(len(sources), task.pixels), _known(digests, task)
    _make_room(layout.size)
    with files.replacing(path) as temporary:
        with temporary.open("r+b") as file:
            layout.begin(file, digests)
            _copy(known, file, layout)
        new = {layout.position(place): sources[place] for place in range(len(sources)) if place not in known}
        _decode(temporary, new, task, progress)
    found = pixel_file.open_pixels(path, task.image_shape)
    if found is None:
        raise OutputError(f"{path} was removed or damaged as soon as it was written: try again")
    return found


def _known(digests: Sequence[bytes], task: Task) -> dict[int, tuple[StoredArray, int]]:
    """Place of a picture in the new file → a file that has it, and its place there."""
    places = {digest: place for place, digest in enumerate(digests)}
    found: dict[int, tuple[StoredArray, int]] = {}
    for path in _kept():
        if path.name.startswith(f"{_settings(task)}-"):
            both = [
                (places[each], row) for row, each in enumerate(pixel_file.digests_in(path)) if each in places
            ]
            pixels = pixel_file.open_pixels(path, task.image_shape) if both else None
            if pixels is not None:
                found.update({place: (pixels, row) for place, row in both})
    return found


def _copy(known: Mapping[int, tuple[StoredArray, int]], file: BinaryIO, layout: Layout) -> None:
    for place, (pixels, row) in known.items():
        file.seek(layout.position(place))
        file.write(pixels[row].tobytes())


def _make_room(needed: int) -> None:
    """Remove what was not used for longest, as far as the limit demands, however large the new file is.

    Raises OutputError for a full disk.
    """
    kept, most = _kept(), most_bytes()
    held = sum(path.stat().st_size for path in kept)
    for path in kept:
        if held + needed <= most:
            break
        held -= path.stat().st_size
        path.unlink()
    free = shutil.disk_usage(folder()).free
    if free < needed:
        raise OutputError(
            f"the decoded pictures take {_shown(needed)}, and {folder()} has {_shown(free)} left:"
            " free some space, or choose another folder with XDG_CACHE_HOME"
        )


def _shown(size: int) -> str:
    """Bytes for people."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} bytes"


@dataclass(frozen=True)
class _Job:
    """Some pictures, by the position of their pixels in a file."""

    path: Path
    sources: Mapping[int, Source]
    task: Task


def _decode(path: Path, sources: Mapping[int, Source], task: Task, progress: Progress | None) -> None:
    """Decode pictures, given by the position of their pixels, into a file."""
    order = sorted(sources, key=lambda position: sources[position].path)
    parts = [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]
    jobs = [_Job(path, {position: sources[position] for position in part}, task) for part in parts]
    done = 0
    for number in workers.spread(_do, jobs, device.cores()):
        done += number
        if progress:
            progress("decoding pictures", done, len(sources))


def _do(job: _Job) -> int:
    """Decode some pictures, in a process of its own; gives how many."""
    with job.path.open("r+b") as file:
        for position, source in job.sources.items():
            file.seek(position)
            file.write(image_of(source.read(), source.path, job.task).tobytes())
    return len(job.sources)
