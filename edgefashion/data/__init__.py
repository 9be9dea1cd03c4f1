"""Fashion-MNIST: found or fetched, checked, split, sampled and drawn."""

from edgefashion.data.dataset import Dataset, Subset
from edgefashion.data.fashion_mnist import CLASS_NAMES, FASHION_MNIST
from edgefashion.data.locate import load
from edgefashion.data.splits import Splits, split, stratified_sample
from edgefashion.data.task import Picture, Task

__all__ = [
    "CLASS_NAMES",
    "FASHION_MNIST",
    "Dataset",
    "Picture",
    "Splits",
    "Subset",
    "Task",
    "load",
    "split",
    "stratified_sample",
]
