"""Data sets: found or fetched, checked, split, sampled and drawn.

Fashion-MNIST comes from wherever it is served. A folder that the user names may hold another data set:
pictures sorted by class, see `picture_sets.layouts`, or the same four IDX files, with images uint8
[N, height, width] or [N, height, width, 3], and beside them, where there is such,

    task.json    what `Task.to_dict` gives: name, image_shape, classes, and how a picture becomes an image
    SHA256SUMS   the checksums of the decompressed files, as sha256sum prints them
    classes.txt  without a task.json: the names of the classes, a line each; else they are 0, 1, …
"""

from edgefashion.data.dataset import Dataset, Subset
from edgefashion.data.fashion_mnist import CLASS_NAMES, FASHION_MNIST
from edgefashion.data.locate import load_dataset
from edgefashion.data.splits import Splits, split, stratified_order, stratified_sample
from edgefashion.task import Picture, Task

__all__ = [
    "CLASS_NAMES",
    "FASHION_MNIST",
    "Dataset",
    "Picture",
    "Splits",
    "Subset",
    "Task",
    "load_dataset",
    "split",
    "stratified_order",
    "stratified_sample",
]
