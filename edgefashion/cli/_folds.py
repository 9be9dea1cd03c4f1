"""What the models of folds say of the pictures that they did not see."""

from typing import TYPE_CHECKING

from edgefashion.artifacts.formats import FORMATS
from edgefashion.cli._output import say

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.records.values import Pooled
    from edgefashion.training.folds import Answers
    from edgefashion.training.runs import Run

PRECISIONS = ("float32", "int8")


def classes_of(run: "Run", fold: "Dataset") -> "Answers":
    """The class of each test image, [N], by the run's float32 and int8 file of the first format, which are
    made first.
    """
    from edgefashion.evaluation.predictions import predict
    from edgefashion.export.export import export_model

    made = export_model(run, fold, (next(iter(FORMATS)),), PRECISIONS, reuse=True, report=say)
    answers = (predict(each, fold.test.images, classes=len(fold.task.classes)).logits for each in made)
    return {
        precision: logits.argmax(axis=1)
        for precision, logits in zip(PRECISIONS, answers, strict=True)
        if logits is not None
    }


def sentence(precision: str, pooled: "Pooled", count: int) -> str:
    """The pooled accuracy in a line."""
    low, high = pooled.accuracy_ci95
    return (
        f"{precision}: {pooled.right:,} of {pooled.pictures:,} pictures right, each by the model of {count} "
        f"that did not see it: accuracy {pooled.accuracy:.2%} ({low:.2%} to {high:.2%}), "
        f"balanced {pooled.balanced_accuracy:.2%}"
    )
