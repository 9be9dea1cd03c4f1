"""Making a bundle: a sample of the test split, and each artifact's predictions for it on this machine."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import UNSET, structs

from edgefashion import device, files
from edgefashion.artifacts import targets
from edgefashion.artifacts.artifact import Artifact, is_model, manifest_path
from edgefashion.artifacts.inspection import external
from edgefashion.bundle import archive, comparing, layout
from edgefashion.data import Dataset, Subset, stratified_sample
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.evaluation import predictions
from edgefashion.files import arrays, reading
from edgefashion.records import bundle as records
from edgefashion.runtimes.base import Logits
from edgefashion.version import __version__

if TYPE_CHECKING:
    from edgefashion.benchmarking import Progress

SEED = 0
_LASTING = ("machine", "board", "cpu", "isa", "os", "python", "emulated", "virtual")
"""What `device.describe` says that is the same tomorrow."""


@dataclass(frozen=True)
class Entry:
    """One artifact of a bundle, and its predictions."""

    artifact: Artifact
    logits: Logits
    """float32 [N, classes], of the sample"""
    accuracy: float
    """On the sample, in 0..1."""
    info: records.Entry
    """Its object in bundle.json."""


@dataclass(frozen=True)
class Made:
    """What was written."""

    path: Path
    size_bytes: int
    sha256: str
    entries: list[Entry]
    images: int
    members: dict[str, records.Member]
    measured: str
    """What the images are, in words."""


def make(
    path: Path,
    artifacts: Sequence[Artifact],
    dataset: Dataset,
    images: int,
    progress: "Progress | None" = None,
) -> Made:
    """Write a bundle of artifacts and of `images` test images, in one step.

    Every artifact predicts on all cores; how many those are changes no bit of the logits (measured for
    every precision and format: 1 and 2 threads, batches of 1, 7 and 8).

    Raises ArtifactError where an artifact is damaged or cannot be run, BadInput for more images than there
    are, for two files of one name and for ones too large, RuntimeCrash and OutputError.
    """
    check(artifacts)
    for artifact in artifacts:
        predictions.check_kind(artifact, dataset.task)
    sample = stratified_sample(dataset.test, images, SEED)
    contents = {artifact.path.name: _content(artifact) for artifact in artifacts}
    with files.replacing(path) as temporary:
        entries = [_entry(artifact, sample, progress) for artifact in artifacts]
        members = dict(_members(sample, entries, contents))
        info = _info(dataset, sample, entries, members)
        archive.write(
            temporary, {layout.INFO: json.dumps(info.to_dict(), indent=1).encode() + b"\n", **members}
        )
    written = path.stat().st_size, files.sha256(path)
    return Made(path, *written, entries, len(sample), info.members, info.dataset.measured)


def check(artifacts: Iterable[Artifact]) -> None:
    """Raise ArtifactError for artifacts with a defect, BadInput for files that cannot lie side by side."""
    defects = [each.defect for each in artifacts if each.defect]
    if defects:
        raise ArtifactError("; ".join(defects))
    by_name: dict[str, Path] = {}
    for path in (each.path for each in artifacts):
        if not is_model(path) or not layout.is_file_name(path.name):
            raise BadInput(f"a bundle cannot hold {str(path)!r}: give it a plain name")
        if outside := external.files(path):
            raise BadInput(
                f"{path} has its weights in {', '.join(map(str, outside))}, and a bundle holds single files: "
                "save it as one, with onnx.save(onnx.load(PATH), OTHER)"
            )
        other = by_name.setdefault(path.name.casefold(), path)
        if other != path:
            raise BadInput(f"{other} and {path} have the same name: rename one, or make two bundles")


def _content(artifact: Artifact) -> dict[str, bytes]:
    """The model file and its manifest, by the names of their members."""
    file = artifact.path.name
    paths = {layout.artifact(file): artifact.path}
    if artifact.manifest is not None:
        paths[layout.manifest(file)] = manifest_path(artifact.path)
    for name, path in paths.items():
        _check_size(name, path.stat().st_size)
    return {
        name: reading.read_bytes(path, "a model file", ArtifactError, layout.MEMBER_BYTES)
        for name, path in paths.items()
    }


def _check_size(name: str, size: int) -> None:
    """Raise BadInput for a file that is too large for a bundle."""
    if size > layout.MEMBER_BYTES:
        raise BadInput(f"{name} has {size:,} bytes, and a bundle takes {layout.MEMBER_BYTES:,} of one file")


def _entry(artifact: Artifact, sample: Subset, progress: "Progress | None") -> Entry:
    said = predictions.predict(artifact, sample.images, progress)
    assert said.logits is not None and said.runtime is not None and said.version is not None
    tolerance, why = comparing.tolerance(artifact, said.logits, targets.of_this_machine())
    info = records.Entry(
        file=artifact.path.name,
        runtime=said.runtime,
        runtime_version=said.version,
        tolerance=tolerance,
        why=why,
    )
    return Entry(artifact, said.logits, float(np.mean(said.classes == sample.labels)), info)


def _members(
    sample: Subset, entries: Iterable[Entry], contents: Mapping[str, Mapping[str, bytes]]
) -> Iterable[tuple[str, bytes]]:
    """Every member but bundle.json, in order."""
    yield layout.IMAGES, arrays.to_bytes(np.asarray(sample.images))
    yield layout.LABELS, arrays.to_bytes(sample.labels)
    for entry in entries:
        file = entry.artifact.path.name
        yield from contents[file].items()
        yield layout.predictions(file), arrays.to_bytes(entry.logits)


def _info(
    dataset: Dataset, sample: Subset, entries: Iterable[Entry], members: Mapping[str, bytes]
) -> records.Bundle:
    """The content of bundle.json. Raises BadInput where a bundle of these members would not be opened."""
    for name, content in members.items():
        _check_size(name, len(content))
    total = sum(map(len, members.values()))
    if total > layout.TOTAL_BYTES or len(members) >= layout.MOST_MEMBERS:
        raise BadInput(f"{len(members)} files of {total:,} bytes are too much for a bundle: make several")
    machine, split = device.describe().to_dict(), "validation" if dataset.untested else "test"
    return records.Bundle(
        schema=layout.SCHEMA,
        edgefashion=__version__,
        host={name: machine[name] for name in _LASTING},
        dataset=structs.replace(dataset.describe(), source=UNSET, folder=UNSET),
        sample=records.Sample(split=split, images=len(sample), seed=SEED),
        task=dataset.task.to_record(),
        classes=dataset.task.classes,
        artifacts=tuple(entry.info for entry in entries),
        members={name: archive.digest(content) for name, content in members.items()},
    )
