"""What a card says of pictures: how they became images, how they were shared out, and how few they are."""

from edgefashion.data import Dataset, sufficiency
from edgefashion.stats import wilson_interval
from edgefashion.task import Fit, Task

LITTLE = 100
"""Test images, below which it says little that all are right."""
_FITS: dict[Fit, str] = {
    "crop": "the middle is kept",
    "pad": "margins are added",
    "stretch": "neither margin nor aspect is kept",
    "garment": "as Fashion-MNIST was made",
}


def cautions(dataset: Dataset) -> list[str]:
    """How pictures were shared out, and what their number means; nothing of IDX files and of folds."""
    if dataset.train.keys is None or dataset.fold:
        return []
    split = (
        "The test pictures are those that the data set declares"
        if dataset.own_test
        else "The data set declares no test pictures: the content of each picture decided whether it trains "
        "(about 70 %), validates or tests (15 % each)"
    )
    few = sufficiency.warning(sufficiency.counts_of(dataset))
    return [split, few[0].upper() + few[1:]] if few else [split]


def framing(task: Task) -> str:
    """How a picture becomes an image."""
    color = "gray" if task.channels == 1 else "RGB"
    background = task.picture.background
    seen = (
        "colors kept under it" if background == "none" else f"background ({', '.join(map(str, background))})"
    )
    size = f"{task.height} high and {task.width} wide"
    return (
        f"A picture becomes an image {size}, in {color}: {task.picture.fit}, "
        f"{_FITS[task.picture.fit]}; what is transparent shows the {seen}"
    )


def no_confusion(name: str, images: int) -> str:
    """How much it says that none of so many images was taken for another class."""
    little = ", which says little" if images < LITTLE else ""
    wrong = 100 * (1 - wilson_interval(images, images)[0])
    return (
        f"{name}: no confusion among {images:,} images{little}: of others, up to {wrong:.2g} % may be wrong"
    )
