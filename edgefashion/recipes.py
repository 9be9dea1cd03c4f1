"""How a model is trained: frozen values with names. No framework is imported here."""

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training computes, apart from the data.

    `weights` are the initial ones: None for an architecture that has no pretrained ones, else "imagenet",
    "none" or the path of a file. `limit` is the number of training images used, None for all.
    `base_run_id` is for quantization-aware training: the run whose model `weights` is the path of.
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
    base_run_id: str | None = None

    @property
    def quantized(self) -> bool:
        """Whether the model is trained quantization-aware."""
        return self.base_run_id is not None

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

# Of quantization-aware training, which starts from a trained run.
QAT_RECIPES = {
    "cnn": replace(RECIPES["cnn"], epochs=2, learning_rate=3e-4, schedule="cosine"),
    "mobilenetv2": replace(RECIPES["mobilenetv2"], epochs=1, learning_rate=1e-4),
}
