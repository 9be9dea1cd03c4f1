"""What a model was trained and validated with, so that none of it is ever taken for a test image.

`learned.npy` in the run's folder holds uint64 [N], sorted: of each picture the first 8 bytes of its pixels'
SHA-256, and the number that it is shared out by, which is that of its group, or of its file's content.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgefashion import files
from edgefashion.data import Dataset, Subset
from edgefashion.data.dataset import TASK
from edgefashion.data.folds import part
from edgefashion.errors import RunError
from edgefashion.files import arrays, reading
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.training.runs import Run

FILE = "learned.npy"
MOST_BYTES = 1 << 28
_BATCH = 256
Marks = npt.NDArray[np.uint64]


def save(folder: Path, dataset: Dataset) -> None:
    """Write the marks of all pictures that are not test ones; images of IDX files need none, whose test file
    is apart. Raises OutputError.
    """
    if dataset.train.keys is None:
        return
    parts = [dataset.train, *([dataset.validation] if dataset.validation else [])]
    found = np.unique(np.concatenate([mark for part in parts for mark in _marks(part)]))
    files.write_bytes(folder / FILE, arrays.to_bytes(found))


def read(folder: Path) -> Marks | None:
    """Those of a run; None where it has none. Raises RunError for a damaged file."""
    path = folder / FILE
    if not reading.is_file(path, RunError):
        return None
    content = reading.read_bytes(path, "the marks of a run's pictures", RunError, MOST_BYTES)
    count = max(0, len(content) - 128) // 8
    try:
        return arrays.from_bytes(content, np.dtype(np.uint64), (count,))
    except ValueError as error:
        raise RunError(f"{path} is damaged: train again with edgefashion train --force") from error


def part_of(dataset: Dataset, run: Run) -> Dataset:
    """The fold of a data set that a run learned from, where it is of one of these; else the data set."""
    recorded = run.info.data
    if recorded.fold and not dataset.fold and is_made_of(recorded, dataset):
        return part(dataset, recorded.fold)
    return dataset


def is_made_of(recorded: DatasetInfo, dataset: Dataset) -> bool:
    """Whether what was recorded is a part of this data set."""
    return dataset.checksums.items() <= recorded.checksums.items()


def count_of(recorded: DatasetInfo) -> int | None:
    """How many images there were in all; None where a fold does not tell."""
    if recorded.fold and recorded.fold.number:
        return None
    counts = recorded.counts
    return counts.train + (counts.validation or 0) + (0 if recorded.split else counts.test)


def warning(dataset: Dataset, run: Run) -> str | None:
    """What to say where a run was trained with other data than these."""
    recorded = run.info.data
    if dataset.checksums == recorded.checksums:
        return None
    then = count_of(recorded)
    counts = f" ({then:,} images then, {dataset.count:,} now)" if then is not None else ""
    return f"warning: {run.folder} was trained with other data than these{counts}"


def are_same(own: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether these are the checksums of the same pictures, whatever images are made of them."""
    return {**own, TASK: ""} == {**other, TASK: ""}


def others(run: Run, checksums: Mapping[str, str]) -> str:
    """What a run was trained on, where that is other data than those of the `checksums`."""
    if not are_same(run.info.data.checksums, checksums):
        return "other data, which may include the validation images"
    return f"other images of these pictures ({run.task.made})"


def is_among(subset: Subset, marks: Marks) -> npt.NDArray[np.bool_]:
    """Which images were learned from, or belong to a group that was: bool [N]."""
    found = np.zeros(len(subset), bool)
    for mark in _marks(subset):
        found |= np.isin(mark, marks)
    return found


def _marks(subset: Subset) -> Iterable[Marks]:
    """Of each image, one array after the other, uint64 [N] each."""
    digests = bytearray()
    for start in range(0, len(subset), _BATCH):
        images = np.ascontiguousarray(subset.images[start : start + _BATCH])
        digests += b"".join(hashlib.sha256(image.data).digest()[:8] for image in images)
    yield np.frombuffer(digests, "<u8").astype(np.uint64)
    if subset.keys is not None:
        yield np.ascontiguousarray(subset.keys).view(np.uint64)
