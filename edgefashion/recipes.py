"""How a model is trained: frozen values with names. No framework is imported here."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training computes, apart from the data.

    `weights` are the initial ones: None for an architecture that has no pretrained ones, else "imagenet",
    "none" or the path of a file. `limit` is the number of training images used, None for all.
    """

    model: str
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str
    loss: str
    weights: str | None = None
    seed: int = 0
    limit: int | None = None
    mixed_precision: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The recipe as JSON."""
        return asdict(self)


RECIPES = {
    "cnn": Recipe(
        model="cnn",
        epochs=5,
        batch_size=64,
        learning_rate=1e-3,
        schedule="constant",
        loss="sparse_categorical_crossentropy",
    ),
    "mobilenetv2": Recipe(
        model="mobilenetv2",
        epochs=2,
        batch_size=64,
        learning_rate=1e-3,
        schedule="cosine",
        loss="categorical_crossentropy",
        weights="imagenet",
    ),
}
