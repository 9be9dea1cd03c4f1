"""The data set in memory, and reading it from one folder."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.data import fashion_mnist, idx
from edgefashion.data.fashion_mnist import CHECKSUMS, FASHION_MNIST, FILES
from edgefashion.data.task import Task
from edgefashion.errors import DataError
from edgefashion.files import reading

SUMS = "SHA256SUMS"


@dataclass(frozen=True, eq=False)
class Subset:
    """Some images with their labels, in the order of the IDX file they came from."""

    images: npt.NDArray[np.uint8]
    """uint8 [N, height, width, channels], raw pixels"""
    labels: npt.NDArray[np.uint8]
    """uint8 [N]: positions in the classes of the task"""
    indices: npt.NDArray[np.int64]
    """int64 [N], position of each image in its IDX file"""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, positions: npt.NDArray[np.intp]) -> "Subset":
        """The images at `positions` (integers [M], counted within this subset), copied."""
        return Subset(self.images[positions], self.labels[positions], self.indices[positions])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Fashion-MNIST, or a declared part of it, checked against its checksums."""

    source: str
    """who served it, in words"""
    folder: Path
    checksums: dict[str, str]
    """IDX file name → SHA-256 of its decompressed bytes"""
    train: Subset
    """the training file: 60,000 images when complete"""
    test: Subset
    """the t10k file: 10,000 images when complete"""
    task: Task
    """what its images are, and their classes"""

    @property
    def complete(self) -> bool:
        """Whether this is all of Fashion-MNIST, and not a part of it for teaching and tests."""
        return self.checksums == CHECKSUMS

    def describe(self) -> dict[str, Any]:
        """What to note beside a result made from this data set, as JSON."""
        return {
            "name": self.task.name,
            "source": self.source,
            "complete": self.complete,
            "checksums": self.checksums,
            "counts": {"train": len(self.train), "test": len(self.test)},
        }


def read_named(folder: Path, source: str) -> Dataset:
    """Read the folder a user named; its own SHA256SUMS, where there, declares a part of Fashion-MNIST.

    Raises DataError when a file is missing or is not what its checksum and header promise.
    """
    if not reading.is_folder(folder, DataError):
        raise DataError(f"{folder}: no such folder; name one that holds {idx.listed()}")
    sums = folder / SUMS
    declared = os.path.lexists(sums)
    try:
        return read_folder(folder, source, _declared(sums) if declared else CHECKSUMS)
    except DataError as error:
        other = f"correct {SUMS} there" if declared else "name no folder and have it fetched"
        raise DataError(f"{error}; put the right file there, or {other}") from error


def read_folder(folder: Path, source: str, checksums: Mapping[str, str] = CHECKSUMS) -> Dataset:
    """Read and check the four files in `folder`. Raises DataError."""
    if names := idx.lacking(folder):
        raise DataError(f"{folder} lacks {', '.join(names)}")
    train = _read_pair(folder, fashion_mnist.TRAIN_IMAGES, fashion_mnist.TRAIN_LABELS, checksums)
    test = _read_pair(folder, fashion_mnist.TEST_IMAGES, fashion_mnist.TEST_LABELS, checksums)
    if unseen := [name for label, name in enumerate(FASHION_MNIST.classes) if label not in test.labels]:
        raise DataError(f"{folder} has no test image of {', '.join(unseen)}, and every class needs one")
    return Dataset(source, folder, dict(checksums), train, test, FASHION_MNIST)


def _read_pair(folder: Path, images: str, labels: str, checksums: Mapping[str, str]) -> Subset:
    path, content = _read(folder, images, checksums)
    pixels = idx.parsed_images(path, content, FASHION_MNIST.height, FASHION_MNIST.width)
    path, content = _read(folder, labels, checksums)
    classes = idx.parsed_labels(path, content, len(pixels), len(FASHION_MNIST.classes))
    return Subset(pixels, classes, np.arange(len(pixels), dtype=np.int64))


def _read(folder: Path, name: str, checksums: Mapping[str, str]) -> tuple[Path, bytes]:
    path = idx.located(folder, name) or idx.compressed(folder, name)
    return path, idx.verified(path, name, checksums[name])


def _declared(path: Path) -> dict[str, str]:
    """Checksums out of a file in the format of sha256sum; lines about other files do not matter."""
    text = reading.read_text(path, f"checksums as {SUMS} has them", DataError)
    lines = re.findall(r"(?m)^([0-9a-fA-F]{64})[ \t]+\*?(?:\./)?(\S+)[ \t]*\r?$", text)
    found = {idx.plain(name): digest.lower() for digest, name in lines}
    if unnamed := [name for name in FILES if name not in found]:
        raise DataError(
            f"{path}: no SHA-256 of {', '.join(unnamed)};"
            " it must list the four decompressed files as sha256sum prints them"
        )
    return {name: found[name] for name in FILES}
