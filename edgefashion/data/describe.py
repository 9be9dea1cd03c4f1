"""A description of the data set, as text."""

import numpy as np

from edgefashion.data.dataset import Dataset
from edgefashion.data.splits import split


def description(dataset: Dataset) -> str:
    """Source, checksums, shapes, splits and class counts, as lines of text."""
    splits = split(dataset)
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    whole = "complete" if dataset.complete else "a part of the data set"
    lines = [f"{dataset.task.name} ({whole}) from {dataset.source}", "", "SHA-256 of the decompressed files:"]
    lines += [f"  {checksum}  {name}" for name, checksum in sorted(dataset.checksums.items())]
    lines += ["", f"{'split':12}{'images':>24}{'pixels':>10}"]
    for name, part in parts.items():
        shape = " x ".join(map(str, part.images.shape))
        lines.append(f"{name:12}{shape:>24}{part.images.dtype!s:>10}")
    lines += ["", f"{'label':>5}  {'class':14}" + "".join(f"{name:>12}" for name in parts)]
    counts = [np.bincount(part.labels, minlength=len(dataset.task.classes)) for part in parts.values()]
    for label, name in enumerate(dataset.task.classes):
        lines.append(f"{label:5}  {name:14}" + "".join(f"{count[label]:12,}" for count in counts))
    return "\n".join(lines)
