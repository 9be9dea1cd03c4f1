"""The fields of a recipe, and which of their values exclude each other."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from edgefashion.errors import BadInput

FineTuning = Literal["float", "qat", "prune", "cluster"]
"""What is done to a trained model while it is trained further: nothing else, rounding as int8 does
(quantization-aware training), making weights zero, making weights equal.
"""
Schedule = Literal["constant", "cosine", "one-cycle"]
Optimizer = Literal["adam", "sgd"]
Loss = Literal["sparse_categorical_crossentropy", "categorical_crossentropy"]
AUTO = "auto"
"""The name of a recipe that was made for the pictures there are, see `recipes.automatic`."""
WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""Those of MobileNetV2 that there are weights of ImageNet for."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a training computes, apart from the data.

    name: that of the recipe it was made from; it decides nothing.
    reason: why it was chosen, where that was not the user; it decides nothing either.
    model: the architecture.
    width: what the channels of its layers are multiplied by, of MobileNetV2; 1 of any other.
    learning_rate: the highest one. `schedule` holds it, lets it fall to zero by a cosine, or raises it from
        zero over the share `warm_up` of the steps before that (one-cycle; Smith and Topin 2018).
    optimizer: Adam, or gradient descent with Nesterov momentum of 0.9.
    weight_decay: what a step takes off the kernels, as a share of the learning rate (decoupled: Loshchilov
        and Hutter 2019). Biases and batch normalization keep theirs.
    ema: the decay a step of a moving average over the weights and the statistics of batch normalization,
        which then is what is validated and kept; 0 for none.
    flip, flip_vertical, shift, crop, rotate, brightness, contrast, color, erase, mixup: see
        `training.augmentation`. Whether half of the images are mirrored, and half upside down; by how many
        pixels they move at most; the least share of the area that a crop keeps, 0 for no crops; the most
        degrees they are turned by; how far brightness, contrast and colors change, 0 for not at all; the
        probability that a rectangle is erased; the alpha of mixup.
    balance: whether an image counts for the more in the loss the fewer there are of its class, see
        `training.balance`.
    tolerance: how many standard errors of its validation accuracy an epoch may be worse than the best one
        and still be kept for being later: 1 is the rule of Breiman et al. 1984, 0 keeps the best.
    use_validation: whether the validation images are learned from too. Nothing is left to choose by, so that
        the last epoch is kept: everything else was chosen before, in trainings that did not see them.
    label_smoothing: the share of each label that is spread over all classes (Szegedy et al. 2016).
    teacher: what it learns from too, the path of a run or of a model file, or zoo:NAME; `distillation` is the
        weight of that in the loss, `temperature` what both logits are divided by, see
        `training.distillation`. `teacher_id` is the id of the run, see `training.teacher`. Where there are
        `other_teachers`, with the ids `other_teacher_ids`, it learns from the mean of the logits of all.
    frozen: the name of a layer; it and all before it keep their initial weights, and where images are not
        augmented what it gives is computed once for each, see `edgefashion.training.frozen_layers`. None
        where all layers learn.
    weights: the initial ones: None for an architecture that has no pretrained ones, else "imagenet", "none"
        or the path of a file.
    limit: the number of training images used, and of validation images, None for all.
    fine_tuning: None where the model is trained from such weights, else what is done to a trained one.
        `base_run_id` then is the run whose model `weights` is the path of; `sparsity` is the share of
        weights that become zero in a pruned layer, `clusters` the number of different ones in a clustered.
    """

    name: str | None = field(default=None, compare=False)
    reason: str | None = field(default=None, compare=False)
    model: str
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: Schedule
    loss: Loss
    warm_up: float = 0.0
    optimizer: Optimizer = "adam"
    weight_decay: float = 0.0
    ema: float = 0.0
    flip: bool = False
    flip_vertical: bool = False
    shift: int = 0
    crop: float = 0.0
    rotate: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    color: float = 0.0
    erase: float = 0.0
    mixup: float = 0.0
    balance: bool = False
    tolerance: float = 0.0
    use_validation: bool = False
    label_smoothing: float = 0.0
    teacher: str | None = None
    teacher_id: str | None = None
    other_teachers: tuple[str, ...] = ()
    other_teacher_ids: tuple[str, ...] = ()
    distillation: float = 0.0
    temperature: float = 1.0
    frozen: str | None = None
    width: float = 1.0
    weights: str | None = None
    seed: int = 0
    limit: int | None = None
    mixed_precision: bool = False
    fine_tuning: FineTuning | None = None
    base_run_id: str | None = None
    sparsity: float | None = None
    clusters: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The recipe as JSON."""
        values = asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The recipe that JSON says; what an older version did not write has its default. Raises TypeError
        where what every version wrote is missing.
        """
        known = {one.name for one in fields(cls)}
        values: dict[str, Any] = {key: value for key, value in saved.items() if key in known}
        lists: dict[str, Any] = {key: tuple(value) for key, value in values.items() if type(value) is list}
        return cls(**(values | lists))

    def differences(self, other: "Recipe") -> list[str]:
        """Each field that decides something and is not the same in `other`: `epochs 3 → 4`. Where a run is
        that both began with or learn from is no such thing: its id says which.
        """
        ids = {
            "weights": "base_run_id",
            "teacher": "teacher_id",
            "other_teachers": "other_teacher_ids",
        }
        paths = [name for name, id in ids.items() if getattr(self, id) and getattr(other, id)]
        names = [one.name for one in fields(self) if one.compare and one.name not in paths]
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        return [f"{name} {mine} → {wanted}" for name, (mine, wanted) in pairs.items() if mine != wanted]

    @property
    def teachers(self) -> tuple[str, ...]:
        """The paths of all runs that it learns from."""
        return (*((self.teacher,) if self.teacher is not None else ()), *self.other_teachers)

    @property
    def teacher_ids(self) -> tuple[str, ...]:
        """Their ids, as far as they are known."""
        return (*((self.teacher_id,) if self.teacher_id is not None else ()), *self.other_teacher_ids)

    @property
    def parent_ids(self) -> tuple[str, ...]:
        """The ids of the runs that it comes from: what it was fine-tuned from, and its teachers."""
        return (*((self.base_run_id,) if self.base_run_id is not None else ()), *self.teacher_ids)

    @property
    def soft_labels(self) -> bool:
        """Whether something makes a label a distribution over the classes."""
        return bool(self.label_smoothing or self.mixup)

    @property
    def augments(self) -> bool:
        """Whether an image is another each time it is seen."""
        moved = self.flip or self.flip_vertical or self.shift or self.crop or self.rotate
        return bool(moved or self.recolors or self.erase or self.mixup)

    @property
    def recolors(self) -> bool:
        """Whether its pixels get other values where they are."""
        return bool(self.brightness or self.contrast or self.color)

    def check(self) -> None:
        """Raise BadInput for a value out of its range, or for values that exclude each other; how far images
        of a task may be shifted is for `check_shift` to say.
        """
        for name, (low, high, words) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value < high:
                raise BadInput(f"{name} must be {words}, got {value:g}")
        if self.width not in (widths := WIDTHS if self.model == "mobilenetv2" else (1.0,)):
            words = " or ".join(f"{width:g}" for width in widths)
            raise BadInput(f"width of {self.model} must be {words}, got {self.width:g}")
        for wrong, why in self._contradictions():
            if wrong:
                raise BadInput(why)

    def check_shift(self, height: int, width: int) -> None:
        """Raise BadInput where images of this size would be shifted out of sight."""
        if self.shift >= (least := min(height, width)):
            raise BadInput(
                f"shift must be less than {least}, the shorter edge of the images, got {self.shift}"
            )

    def _contradictions(self) -> list[tuple[Any, str]]:
        compressed = self.sparsity is not None or self.clusters is not None
        return [
            (
                self.warm_up and self.schedule != "one-cycle",
                f"a {self.schedule} schedule has no warm_up: set schedule = one-cycle or leave warm_up out",
            ),
            (
                self.soft_labels and self.loss != "categorical_crossentropy",
                "label_smoothing and mixup turn labels into distributions, and the loss "
                f"{self.loss} accepts class indices only: set loss = categorical_crossentropy",
            ),
            (
                bool(self.distillation) != (self.teacher is not None),
                "distillation is the weight of a teacher: set both teacher and distillation",
            ),
            (
                self.other_teachers and self.teacher is None,
                "other_teachers are beside one: set teacher",
            ),
            (
                self.mixup and self.teacher is not None,
                "a teacher has no logits for mixed images: leave out mixup or teacher",
            ),
            (
                self.frozen and self.weights in (None, "none"),
                "frozen layers keep their initial weights, and random ones are useless: "
                "name pretrained weights, or leave out frozen",
            ),
            (
                self.frozen and self.fine_tuning,
                "fine-tuning trains every layer: leave out frozen",
            ),
            (
                self.ema and compressed,
                "an average of pruned or clustered weights is not pruned or clustered: set ema = 0",
            ),
        ]


_UNTIL_ONE = (0.0, 1.0, "0 or more and less than 1")
_SHARE = (0.0, 1.0000001, "from 0 to 1")
_RANGES: dict[str, tuple[float, float, str]] = {
    "epochs": (1, 2**31, "at least 1"),
    "batch_size": (1, 2**31, "at least 1"),
    "learning_rate": (1e-30, float("inf"), "above 0"),
    "warm_up": _UNTIL_ONE,
    "weight_decay": (0.0, float("inf"), "0 or more"),
    "ema": _UNTIL_ONE,
    "shift": (0, 2**31, "0 or more"),
    "crop": _UNTIL_ONE,
    "rotate": (0.0, 180.0000001, "from 0 to 180"),
    "brightness": _SHARE,
    "contrast": (0.0, 1e3, "0 or more and less than 1,000"),
    "color": _SHARE,
    "erase": _SHARE,
    "tolerance": (0.0, 1e3, "0 or more and less than 1,000"),
    "mixup": (0.0, 1e6, "0 or more and less than 1,000,000"),
    "label_smoothing": _UNTIL_ONE,
    "distillation": _SHARE,
    "temperature": (1e-30, float("inf"), "above 0"),
    "seed": (0, 2**32, "from 0 to 4,294,967,295"),
}
