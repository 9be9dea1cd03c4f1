"""The data set in memory, and reading it from one folder."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgefashion.data import idx, undeclared
from edgefashion.data.fashion_mnist import (
    CHECKSUMS,
    FASHION_MNIST,
    FILES,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    most_bytes,
)
from edgefashion.errors import DataError
from edgefashion.files import reading
from edgefashion.files.stored import ImageSet, take
from edgefashion.task import Labels, Task

if TYPE_CHECKING:
    from edgefashion.records.values import Changed, Fold, LeftOut
    from edgefashion.records.values import Dataset as DatasetInfo

SUMS, TASK = "SHA256SUMS", "task.json"
PICTURES = "pictures"
"""What the checksum of a set of pictures is called, beside that of its task."""


@dataclass(frozen=True, eq=False)
class Subset:
    """Some images with their labels, in the order of the IDX file they came from, or of pictures by name."""

    images: ImageSet
    """uint8 [N, height, width, channels], raw pixels"""
    labels: Labels
    """[N] of the task's `label_dtype`: positions in its classes"""
    indices: npt.NDArray[np.int64]
    """int64 [N], position of each image in its IDX file, or among the pictures of its split"""
    keys: npt.NDArray[np.float64] | None = None
    """float64 [N] in 0..1, by which pictures are shared out: the same for those that belong together; None of
    IDX files
    """
    files: npt.NDArray[np.object_] | None = None
    """str [N], the file of each picture, by its path in the set; None of IDX files"""

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<Subset: {len(self):,} images of {'x'.join(map(str, self.images.shape[1:]))}>"

    @property
    def unit(self) -> str:
        """What is shared out of it: images, or groups of them that belong together."""
        grouped = self.keys is not None and len(np.unique(self.keys)) < len(self)
        return "groups of pictures" if grouped else "images"

    def group_counts(self, classes: int) -> npt.NDArray[np.int64]:
        """How many images, or groups of such, it has of each class: int64 [classes]."""
        keys = np.arange(len(self)) if self.keys is None else np.unique(self.keys, return_inverse=True)[1]
        pairs = np.unique(np.stack([self.labels.astype(np.int64), keys]), axis=1)
        return np.bincount(pairs[0], minlength=classes)

    def take(self, positions: npt.NDArray[np.intp]) -> "Subset":
        """The images at `positions`, integers [M], counted within this subset; those in a file are not
        copied.
        """
        keys = None if self.keys is None else self.keys[positions]
        files = None if self.files is None else self.files[positions]
        images = take(self.images, positions)
        return Subset(images, self.labels[positions], self.indices[positions], keys, files)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels of a task: Fashion-MNIST, a declared part of it, or another data set."""

    source: str
    """who served it, in words"""
    folder: Path
    checksums: dict[str, str]
    """IDX file name → SHA-256 of its decompressed bytes; beside a task.json, its name → that of the task.
    Of a set of pictures `pictures` → that of which there are, of what classes and splits
    """
    train: Subset
    """the training file: 60,000 images of Fashion-MNIST; of a set of pictures its training split"""
    test: Subset
    """the t10k file: 10,000 images of Fashion-MNIST"""
    task: Task
    """what its images are, and their classes"""
    validation: Subset | None = field(default=None, kw_only=True)
    """what chooses between models, where there is such; else `split` sets a part of train aside"""
    left_out: "LeftOut | None" = field(default=None, kw_only=True)
    """how many files of a set of pictures are not in it"""
    own_test: bool = field(default=True, kw_only=True)
    """whether the user said what test is; else it was drawn here"""
    fold: "Fold | None" = field(default=None, kw_only=True)
    """which part of a larger data set this is, see `data.folds`"""
    follow_links: bool = field(default=False, kw_only=True)
    """whether links among its pictures were followed"""
    changed: "Changed | None" = field(default=None, kw_only=True)
    """how it differs from what models were trained with that are measured on it"""

    notes: tuple[str, ...] = field(default=(), kw_only=True)
    """what to know of splits that were made here; none of folds, which are others"""

    def __repr__(self) -> str:
        parts = ", ".join(f"{len(part):,} {name}" for name, part in self.parts.items())
        return f"<Dataset {self.task.name}: {parts}; {len(self.task.classes)} classes>"

    @property
    def complete(self) -> bool:
        """Whether this is the whole data set, and not a part of Fashion-MNIST for teaching and tests."""
        return self.task != FASHION_MNIST or self.checksums == CHECKSUMS

    @property
    def parts(self) -> dict[str, Subset]:
        """Its splits by name, as far as it has them: train, validation, test."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in named.items() if part is not None}

    @property
    def count(self) -> int:
        """How many images there are, each counted once."""
        return sum(len(part) for name, part in self.parts.items() if name != "test" or not self.untested)

    @property
    def untested(self) -> bool:
        """Whether `test` is validation: of the last model of folds, which learns from all that is else."""
        return bool(self.fold and not self.fold.number and not self.own_test)

    def describe(self) -> "DatasetInfo":
        """What to note beside a result made from this data set."""
        from msgspec import UNSET

        from edgefashion.records import values as records

        validation = UNSET if self.validation is None else len(self.validation)
        return records.Dataset(
            name=self.task.name,
            source=self.source,
            complete=self.complete,
            checksums=dict(self.checksums),
            counts=records.Counts(train=len(self.train), test=len(self.test), validation=validation),
            folder=UNSET if self.task == FASHION_MNIST else str(self.folder.absolute()),
            left_out=self.left_out or UNSET,
            follow_links=self.follow_links or UNSET,
            fold=self.fold or UNSET,
            split="validation" if self.untested else UNSET,
            changed=self.changed or UNSET,
        )


def read_named(folder: Path, source: str, wanted: Task | None = None) -> Dataset:
    """Read the folder with IDX files that a user named; with a task.json it is a data set of its own.

    Its own SHA256SUMS, where there, declares what is in the files, of Fashion-MNIST a part. Without both, and
    with other labels than Fashion-MNIST's, it is `wanted` or a data set as the files are: see `undeclared`.
    Raises DataError when a file is missing or is not what its checksum and header promise.
    """
    sums, own = folder / SUMS, os.path.lexists(folder / TASK)
    task = read_task(folder / TASK) if own else FASHION_MNIST
    declared = os.path.lexists(sums)
    try:
        if not declared and not own and (other := undeclared.task_of(folder)):
            return read_folder(folder, source, {}, wanted or other)
        checksums = _declared(sums) if declared else {} if own else CHECKSUMS
        return read_folder(folder, source, checksums, task)
    except DataError as error:
        described = SUMS if declared else TASK
        mend = f"correct {described} there" if declared or own else "name no folder and have it fetched"
        raise DataError(f"{error}; put the right file there, or {mend}") from error


def read_task(path: Path) -> Task:
    """What a data set is for, out of a task.json: what `Task.to_dict` writes. Raises DataError."""
    try:
        found = reading.read_json(path, "the task of a data set", DataError, reading.SETTINGS_BYTES)
        return Task.from_dict(found, str(path), DataError)
    except DataError as error:
        raise DataError(
            f"{error}: give it a name, image_shape as [height, width, channels], and classes as a list"
        ) from error


def read_folder(
    folder: Path, source: str, checksums: Mapping[str, str] = CHECKSUMS, task: Task = FASHION_MNIST
) -> Dataset:
    """Read and check the four files in `folder`; each is to have its checksum, where there is one.

    Raises DataError.
    """
    if names := idx.missing(folder):
        raise DataError(f"{folder} lacks {', '.join(names)}")
    found: dict[str, str] = {}

    def read(name: str) -> tuple[Path, bytes]:
        path = idx.find(folder, name) or idx.gzip_path(folder, name)
        most = most_bytes(name) if task == FASHION_MNIST else idx.most_bytes_of(name, task)
        content, found[name] = idx.read(path, most, checksums.get(name))
        return path, content

    def pair(images: str, labels: str) -> Subset:
        pixels = idx.parse_images(*read(images), task)
        classes = idx.parse_labels(*read(labels), len(pixels), task)
        return Subset(pixels, classes, np.arange(len(pixels), dtype=np.int64))

    train, test = pair(TRAIN_IMAGES, TRAIN_LABELS), pair(TEST_IMAGES, TEST_LABELS)
    if unseen := [name for label, name in enumerate(task.classes) if label not in test.labels]:
        raise DataError(f"{folder} has no test image of {', '.join(unseen)}, and every class needs one")
    ordered = {name: found[name] for name in FILES}
    if task != FASHION_MNIST:
        ordered[TASK] = digest_of(task)
    return Dataset(source, folder, ordered, train, test, task)


def digest_of(task: Task) -> str:
    """SHA-256 of a task, in hexadecimal: with other classes or framing, the same files are other data."""
    return hashlib.sha256(json.dumps(task.to_dict(), sort_keys=True).encode()).hexdigest()


def _declared(path: Path) -> dict[str, str]:
    """Checksums out of a file in the format of sha256sum; lines about other files do not matter."""
    text = reading.read_text(path, f"checksums as {SUMS} has them", DataError)
    lines = re.findall(r"(?m)^([0-9a-fA-F]{64})[ \t]+\*?(?:\./)?(\S+)[ \t]*\r?$", text)
    found = {idx.usual_name(name): digest.lower() for digest, name in lines}
    if unnamed := [name for name in FILES if name not in found]:
        raise DataError(
            f"{path}: no SHA-256 of {', '.join(unnamed)};"
            " it must list the four decompressed files as sha256sum prints them"
        )
    return {name: found[name] for name in FILES}
