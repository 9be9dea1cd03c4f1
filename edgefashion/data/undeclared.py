"""IDX files that nothing is said of, as MNIST, KMNIST and EMNIST come: a task of what is in them."""

from pathlib import Path

from edgefashion.data import idx
from edgefashion.data.fashion_mnist import CHECKSUMS, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from edgefashion.errors import DataError
from edgefashion.escaping import visible
from edgefashion.files import reading
from edgefashion.task import Task

CLASSES = "classes.txt"
"""The names of the classes in the order of the labels, a line each; without it they are 0, 1, …"""


def task_of(folder: Path) -> Task | None:
    """The task of the four files in a folder: its name, bright on black. None where one of the two files of
    labels is Fashion-MNIST's, or is missing. Raises DataError for a damaged file.
    """
    labels = []
    for name in (TRAIN_LABELS, TEST_LABELS):
        path = idx.find(folder, name)
        if path is None:
            return None
        content, digest = idx.read(path, idx.MOST_BYTES)
        if digest == CHECKSUMS[name]:
            return None
        labels.append(idx.most_label(path, content))
    images = idx.find(folder, TRAIN_IMAGES)
    if images is None:
        return None
    shape = idx.shape_of(images, idx.read(images, idx.MOST_BYTES)[0])
    said = {
        "name": visible(folder.resolve().name) or "images",
        "image_shape": list(shape),
        "classes": _classes(folder, max(labels) + 1),
        "picture": {"fit": "crop", "background": [255] * shape[2], "fill": [0] * shape[2]},
    }
    return Task.from_dict(said, f"what is in {folder}", DataError)


def _classes(folder: Path, count: int) -> list[str]:
    path = folder / CLASSES
    if not reading.exists(path, DataError):
        return list(map(str, range(count)))
    names = reading.read_text(path, "the names of classes", DataError).split("\n")
    found = [name.strip() for name in names if name.strip()]
    if len(found) < count:
        raise DataError(f"{path} names {len(found)} classes, and there are labels up to {count - 1}")
    return found
