"""The labelled pictures that a model is tried on: those of validation, and then those of training."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgefashion.data import Dataset, Picture, Splits, Subset, stratified_order
from edgefashion.importing.preprocessing.labels import Classes

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Part:
    """The pictures of a split in the order in which they are drawn: as equal per class as can be.

    images: at positions in the subset, integers [M] → uint8 [M, height, width, channels].
    """

    subset: Subset
    order: npt.NDArray[np.intp]
    images: Callable[[npt.NDArray[np.intp]], Images]


@dataclass(frozen=True, eq=False)
class Pool:
    """All of them, one split after the other."""

    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return sum(len(part.order) for part in self.parts)

    def drawn(self, start: int, stop: int) -> tuple[Images, Classes]:
        """The images from `start` to `stop`, uint8 [N, height, width, channels], and their classes, [N]."""
        images, labels = [], []
        for part in self.parts:
            own = part.order[max(start, 0) : max(stop, 0)]
            if len(own):
                images.append(part.images(own))
                labels.append(part.subset.labels[own].astype(np.intp))
            start, stop = start - len(part.order), stop - len(part.order)
        return np.concatenate(images), np.concatenate(labels)


def pool_of(splits: Splits) -> Pool:
    """The pictures as the data set has them."""
    return Pool(tuple(_part(subset) for subset in (splits.validation, splits.train)))


def _part(subset: Subset) -> Part:
    return Part(subset, stratified_order(subset, 0), lambda positions: np.asarray(subset.images[positions]))


def framed(pool: Pool, dataset: Dataset, picture: Picture) -> Pool:
    """The same pictures, made images another way: each is decoded when it is drawn, and kept nowhere."""
    from edgefashion.data.picture_sets.loading import sources_of
    from edgefashion.pictures import image_of

    task, known = replace(dataset.task, picture=picture), sources_of(dataset)

    def part(part: Part, split: str) -> Part:
        def images(positions: npt.NDArray[np.intp]) -> Images:
            chosen = [known[split][place] for place in part.subset.indices[positions]]
            return np.stack([image_of(each.read(), each.path, task) for each in chosen])

        return replace(part, images=images)

    validation, train = pool.parts
    return Pool((part(validation, "validation"), part(train, "train")))
