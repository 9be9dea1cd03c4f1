"""Fashion-MNIST: found or fetched, checked, split, sampled and drawn."""

from edgefashion.data.dataset import CLASS_NAMES, Dataset, Subset
from edgefashion.data.locate import load
from edgefashion.data.splits import Splits, split, stratified_sample

__all__ = ["CLASS_NAMES", "Dataset", "Splits", "Subset", "load", "split", "stratified_sample"]
