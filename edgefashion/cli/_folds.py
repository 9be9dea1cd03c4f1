"""What the models of folds say of the pictures that they did not see."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgefashion.artifacts.formats import FORMATS
from edgefashion.cli._output import say
from edgefashion.errors import VerificationError

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.data import Dataset
    from edgefashion.records.values import Pooled
    from edgefashion.training.folds import Answers
    from edgefashion.training.runs import Run

PRECISIONS = ("float32", "int8")


def classes_of(run: "Run", fold: "Dataset") -> "Answers":
    """The class of each test image, [N], by the run's float32 and int8 file of the first format, which are
    made first; of float32 alone where rounding changes too much.
    """
    from edgefashion.evaluation.predictions import predict
    from edgefashion.export.export import export_model

    def exported(precisions: Sequence[str]) -> "list[Artifact]":
        return export_model(run, fold, (next(iter(FORMATS)),), precisions, reuse=True, report=say)

    try:
        made = exported(PRECISIONS)
    except VerificationError as error:
        made = exported(PRECISIONS[:1])
        say(f"warning: {error}")
    answers = (predict(each, fold.test.images, classes=len(fold.task.classes)).logits for each in made)
    return {
        str(each.precision): logits.argmax(axis=1)
        for each, logits in zip(made, answers, strict=True)
        if logits is not None
    }


def sentence(precision: str, pooled: "Pooled | None", count: int) -> str:
    """The pooled accuracy in a line."""
    if pooled is None:
        return f"{precision}: no figure, since not every model of {count} has such a file"
    low, high = pooled.accuracy_ci95
    return (
        f"{precision}: {pooled.right:,} of {pooled.pictures:,} pictures right, each by the model of {count} "
        f"that did not see it: accuracy {pooled.accuracy:.2%} ({low:.2%} to {high:.2%}), "
        f"balanced {pooled.balanced_accuracy:.2%}"
    )
