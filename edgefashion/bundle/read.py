"""Opening a bundle: nothing in it is used before it is checked."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edgefashion import files
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import FORMATS
from edgefashion.bundle import archive, comparing, layout
from edgefashion.bundle.archive import damaged, refused
from edgefashion.data import FASHION_MNIST, Task
from edgefashion.errors import ArtifactError, BundleError
from edgefashion.errors.arguments import PATH, takes
from edgefashion.files import arrays, reading, temporary
from edgefashion.files.archives import Archive
from edgefashion.records.results import Host
from edgefashion.runtimes.base import Images, Logits
from edgefashion.version import __version__

if TYPE_CHECKING:
    from edgefashion.records.bundle import Bundle as BundleInfo


@dataclass(frozen=True, eq=False)
class Bundle:
    """An opened bundle. The artifacts lie in a temporary folder, which is removed when it is closed."""

    path: Path
    info: "BundleInfo"
    """bundle.json, see the package."""
    artifacts: list[Artifact]
    images: Images
    """uint8 [N, height, width, channels]"""
    labels: NDArray[np.unsignedinteger[Any]]
    """[N], of the label type of the task: positions in its classes"""
    task: Task
    logits: dict[str, Logits]
    """The predictions of each artifact on the host: its file's name → float32 [N, classes]."""

    def name(self, artifact: Artifact) -> str:
        """What to call an artifact: the bundle's path and, behind it, the file's name."""
        return f"{self.path}:{artifact.path.name}"

    def compare(self, artifact: Artifact, own: Logits) -> Host:
        """How logits float32 [N, classes] of this computer differ from the host's: see `compare`."""
        file = artifact.path.name
        (entry,) = [entry for entry in self.info.artifacts if entry.file == file]
        found = comparing.compare(self.logits[file], own, entry.tolerance)
        return replace(found, runtime=entry.runtime, runtime_version=entry.runtime_version)


@takes(path=PATH)
@contextmanager
def open_bundle(path: str | Path) -> Iterator[Bundle]:
    """Open a bundle for the length of a `with` block.

    Raises BundleError where it is missing, truncated, damaged, tampered with, of another version or holds
    what edgefashion never writes, and OutputError where there is no room to unpack its artifacts.
    """
    with temporary.Folder() as folder:
        with archive.opened(Path(path)) as members:
            found = _Reader(members, folder).bundle()
        yield found


class _Reader:
    """Reads one bundle."""

    def __init__(self, members: Archive, folder: Path) -> None:
        self._members, self._path, self._folder = members, members.path, folder
        self._info = _info(members)
        self._task = _task(self._info, members.path)
        self._listed = self._info.members
        self._check_lists()

    def bundle(self) -> Bundle:
        """All of it, checked."""
        count, classes = self._info.sample.images, len(self._task.classes)
        names = [entry.file for entry in self._info.artifacts]
        labels = self._array(layout.LABELS, self._task.label_dtype, (count,))
        if labels.max() >= classes:
            raise damaged(self._path, f"{layout.LABELS} has a label above {classes - 1}")
        logits = {name: self._logits(name, count) for name in names}
        return Bundle(
            self._path,
            self._info,
            [self._artifact(name) for name in names],
            self._array(layout.IMAGES, np.dtype(np.uint8), (count, *self._task.image_shape)),
            labels,
            self._task,
            logits,
        )

    def _check_lists(self) -> None:
        """Raise BundleError unless the members are those of the artifacts, and those that are listed."""
        names = [entry.file for entry in self._info.artifacts]
        needed = {layout.IMAGES, layout.LABELS, *map(layout.artifact, names), *map(layout.predictions, names)}
        found = self._members.names - {layout.INFO}
        listed = set(self._listed)
        if missing := (needed | listed) - found:
            raise damaged(self._path, f"{min(missing)!r} is missing")
        if unknown := (found - listed) | (found - needed - set(map(layout.manifest, names))):
            raise refused(self._path, f"has {min(unknown)!r}, which it does not list")

    def _checked(self, name: str) -> Iterator[bytes]:
        """The content of a member; at its end BundleError where it is not what bundle.json says."""
        digest, listed = hashlib.sha256(), self._listed[name]
        if self._members.size(name) != listed.size_bytes:
            raise self._tampered(name)
        for chunk in self._members.chunks(name):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != listed.sha256:
            raise self._tampered(name)

    def _tampered(self, name: str) -> BundleError:
        return damaged(self._path, f"{name!r} has not the size or SHA-256 that the bundle lists")

    def _array(self, name: str, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> NDArray[Any]:
        content = b"".join(self._checked(name))
        try:
            return arrays.from_bytes(content, dtype, shape)
        except ValueError as error:
            raise damaged(self._path, f"{name!r}: {error}") from error

    def _logits(self, file: str, count: int) -> Logits:
        name = layout.predictions(file)
        logits = self._array(name, np.dtype(np.float32), (count, len(self._task.classes)))
        if not np.isfinite(logits).all():
            raise damaged(self._path, f"{name!r} has NaN or infinite logits")
        return logits

    def _artifact(self, file: str) -> Artifact:
        self._unpack(layout.artifact(file))
        if layout.manifest(file) in self._listed:
            self._unpack(layout.manifest(file))
        try:
            return artifact.read(self._folder / file, self._listed[layout.artifact(file)].sha256)
        except ArtifactError as error:
            reason = str(error).replace(f"{self._folder}/", "")
            raise damaged(self._path, f"{file!r} and its manifest do not fit: {reason}") from error

    def _unpack(self, name: str) -> None:
        target = self._folder / Path(name).name
        with files.naming_output(target), target.open("xb") as file:
            for chunk in self._checked(name):
                file.write(chunk)


def _info(members: Archive) -> "BundleInfo":
    """bundle.json. Raises BundleError where it is missing, of another version or lacks something."""
    from edgefashion.records.bundle import Bundle as Record

    path = members.path
    if layout.INFO not in members.names or members.size(layout.INFO) > layout.INFO_BYTES:
        raise damaged(path, f"no {layout.INFO}")
    content = b"".join(members.chunks(layout.INFO))
    name, what, mend = f"{path}: {layout.INFO}", "that of a bundle", "copy or make it again"
    found: dict[str, Any] = reading.load_json(content, name, what, BundleError, dict[str, Any], mend=mend)
    schema = found.get("schema")
    if type(schema) is int and schema != layout.SCHEMA:
        raise BundleError(_other_version(path, schema, str(found.get("edgefashion"))))
    info: BundleInfo = reading.converted(found, Record, name, what, BundleError, mend=mend)
    if not _is_consistent(info):
        raise damaged(path, f"{layout.INFO} makes no sense")
    return info


def _task(info: "BundleInfo", path: Path) -> Task:
    """What its images and artifacts are for; an older bundle has images of Fashion-MNIST's shape."""
    found = info.task or {**FASHION_MNIST.to_dict(), "classes": info.classes}
    task = Task.from_dict(found, f"{path}: the task in {layout.INFO}", BundleError)
    if task.classes != info.classes:
        raise damaged(path, f"{layout.INFO} has other classes than its task")
    return task


def _other_version(path: Path, schema: int, version: str) -> str:
    maker = version if re.fullmatch(r"[0-9A-Za-z.+!-]{1,40}", version) else "of a later version"
    what = f"{path} is a bundle of schema {schema}, and edgefashion {__version__} reads {layout.SCHEMA}"
    if schema > layout.SCHEMA:
        return f"{what}: install edgefashion {maker} or later here"
    return f"{what}: make it again with edgefashion bundle"


def _is_consistent(info: "BundleInfo") -> bool:
    """Whether what is in bundle.json goes together, and can be in a bundle."""
    names = [entry.file for entry in info.artifacts]
    suffixes = {each.suffix for each in FORMATS.values()}
    return (
        info.sample.images <= layout.MOST_IMAGES
        and len(set(names)) == len(names)
        and all(layout.is_file_name(name) and Path(name).suffix in suffixes for name in names)
    )
