"""An exported model file and the manifest beside it: `cnn-int8.tflite` and `cnn-int8.tflite.json`.

A file without its manifest still describes itself from within: see `edgefashion.artifacts.metadata`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion import files
from edgefashion.artifacts import formats, metadata, tasks
from edgefashion.artifacts.inspection import external
from edgefashion.artifacts.targets import ANY
from edgefashion.errors import ArtifactError
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.records.manifest import Manifest, Metadata, Rejection
    from edgefashion.records.values import Pooled
    from edgefashion.task import Task

SCHEMA = 1


@dataclass(frozen=True)
class Artifact:
    """A model file. `manifest` is None where none is beside it; `metadata` is then what the file says
    inside, and None for a file that edgefashion did not export.
    """

    path: Path
    manifest: "Manifest | None"
    metadata: "Metadata | None" = None
    defect: str | None = None
    """Why it cannot be used, where that is known already."""
    sha256: str | None = None
    """Of its content, in hexadecimal, where it was checked by that."""

    def __repr__(self) -> str:
        return f"<Artifact {self.path}: {self.format}, {self.precision or 'precision unknown'}>"

    @property
    def format(self) -> str:
        """Its name, from the file's suffix: see `edgefashion.artifacts.formats`."""
        return self.path.suffix.lower().removeprefix(".")

    @property
    def model(self) -> str:
        """The run it was exported from, or the file's own name."""
        return self._origin.run if self._origin else self.path.stem

    @property
    def precision(self) -> str | None:
        """`float32`, `float16`, `dynamic`, `int8` or `int8-qat`; None where nothing says so."""
        return self._origin.precision if self._origin else None

    @property
    def target(self) -> str:
        """The processor it is made for, see `edgefashion.artifacts.targets`; `any` where nothing says so."""
        return (self._origin.target if self._origin else None) or ANY

    @property
    def kept_float(self) -> list[str]:
        """The layers that it computes in float although its precision is an integer one."""
        return list(self._origin.kept_float or ()) if self._origin else []

    @property
    def run_id(self) -> str | None:
        """The identity of the training run it was exported from; None where nothing says so."""
        return self._origin.run_id if self._origin else None

    @property
    def base_run_id(self) -> str | None:
        """The run that its own was fine-tuned from; None where it was not or nothing says so."""
        return (self._origin.base_run_id if self._origin else None) or None

    @property
    def pooled(self) -> "Pooled | None":
        """What models of the same recipe and precision made of pictures that they did not see; None where
        there were no folds, or it keeps layers in float.
        """
        folds = (self.manifest.folds if self.manifest else None) or {}
        return None if self.kept_float else folds.get(self.precision or "")

    @property
    def rejection(self) -> "Rejection | None":
        """Which pictures no class fits; None where nothing beside it says so."""
        return (self.manifest.rejection if self.manifest else None) or None

    @property
    def small_run(self) -> bool:
        """Whether its model was trained on a part of the data only."""
        return bool(self._origin and self._origin.small_run)

    @cached_property
    def task(self) -> "Task | None":
        """What it is for; of an older file what its classes and images tell; None where nothing says so.

        Raises ArtifactError for anything that is not a task.
        """
        return tasks.of(self._origin, self.path)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """What its classes are called, in the order of its logits; None where nothing says so."""
        if self._names_task and self.task:
            return self.task.classes
        return (self._origin.labels if self._origin else None) or None

    @property
    def image_shape(self) -> tuple[int | str, ...] | None:
        """Height, width and channels of the images it takes; None where nothing says so."""
        if self._names_task and self.task:
            return self.task.image_shape
        told = self._origin.input if self._origin else None
        return told.shape[1:] if told else None

    @property
    def _names_task(self) -> bool:
        """Whether it says itself what it is for: then nothing else that it says of that counts."""
        return self._origin is not None and bool(self._origin.task)

    @property
    def _origin(self) -> "Manifest | Metadata | None":
        return self.manifest or self.metadata


def is_model(path: Path) -> bool:
    """Whether the suffix is that of a model file, in upper or lower case."""
    return formats.of(path) is not None


def manifest_path(path: Path) -> Path:
    """Where the manifest of the model file `path` stands."""
    return path.with_name(path.name + ".json")


def save(path: Path, content: bytes, told: dict[str, Any]) -> Artifact:
    """Write a model file and its manifest, each in one step: what is `told`, with size and SHA-256.

    Their folder is made where it is missing. A kill between the two leaves a pair that `read` refuses, never
    one that it believes. Raises OutputError.
    """
    import msgspec

    from edgefashion.records.manifest import Manifest as Record

    files.make_folder(path.parent)
    files.write_bytes(path, content)
    size, digest = len(content), files.sha256(path)
    complete = {"schema": SCHEMA, "file": path.name, "size_bytes": size, "sha256": digest, **told}
    manifest = msgspec.convert(complete, Record)
    files.write_json(manifest_path(path), manifest.to_dict())
    return Artifact(path, manifest, sha256=manifest.sha256)


def tell(found: Artifact, **told: Any) -> Artifact:
    """The same, of whose file the manifest says this too. Raises OutputError."""
    import msgspec

    assert found.manifest
    manifest = msgspec.structs.replace(found.manifest, **told)
    files.write_json(manifest_path(found.path), manifest.to_dict())
    return replace(found, manifest=manifest)


def read(path: str | Path, sha256: str | None = None) -> Artifact:
    """The artifact at `path`, its manifest checked against the file; without one, what the file says itself.
    `sha256` is that of its content, for one who knows it.

    Raises ArtifactError where the file is missing, of an unknown kind, or not what its manifest says, and
    where its weights are in other files which are missing, or anywhere but beside it.
    """
    path = Path(path)
    if not is_model(path):
        raise ArtifactError(f"{path} is not a {formats.suffixes()} file")
    reading.require_file(path, ArtifactError)
    with reading.open_file(path, "a model file", ArtifactError) as file:
        reading.refuse_pointer(path, file.read(64), ArtifactError)
    external.files(path)
    sidecar = manifest_path(path)
    if not reading.is_file(sidecar, ArtifactError):
        inside = metadata.read(path)
        reading.check_schema(inside, SCHEMA, f"what is in {path}", ArtifactError)
        return _checked(Artifact(path, None, inside, sha256=sha256))
    manifest = _manifest(sidecar, path.name)
    if (sha256 or reading.sha256(path, "a model file", ArtifactError)) != manifest.sha256:
        raise ArtifactError(f"{path} is not the file its manifest describes (SHA-256): export it again")
    return _checked(Artifact(path, manifest, sha256=manifest.sha256))


def _checked(found: Artifact) -> Artifact:
    """The same, once it is known that its task is one, and that what it rejects is of its classes."""
    _ = found.task
    if found.rejection and len(found.rejection.medians) != len(found.labels or ()):
        raise ArtifactError(
            f"the manifest of {found.path} rejects by other classes than the file has: export it again"
        )
    return found


def _manifest(sidecar: Path, name: str) -> "Manifest":
    from edgefashion.records.manifest import Manifest as Record

    what, mend = "the manifest of a model file", f"export {name} again"
    found: Manifest = reading.read_json(
        sidecar, what, ArtifactError, reading.INFO_BYTES, Record, newest=SCHEMA, mend=mend
    )
    return found


def inspect(path: Path) -> Artifact:
    """Like `read`, but a file that is not what its manifest says becomes an artifact with a `defect`.

    Raises ArtifactError for a file that is missing or of an unknown kind.
    """
    try:
        return read(path)
    except ArtifactError as error:
        if not is_model(path) or not reading.is_file(path, ArtifactError):
            raise
        return Artifact(path, None, defect=str(error))


def find(folder: Path) -> list[Path]:
    """Model files in a folder, by name. Raises ArtifactError where it may not be read."""
    return [path for path in reading.entries(folder, ArtifactError) if is_model(path)]
