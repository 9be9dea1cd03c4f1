"""progress.json, the state of a training that is not finished: see `edgefashion.checkpoints`."""

from typing import NotRequired, TypedDict

from edgefashion.recipes import Recipe
from edgefashion.records.values import Amount, Count, Name


class Progress(TypedDict):
    """What is trained so far: `history` has an entry for each finished epoch."""

    recipe: Recipe
    data: dict[Name, Name]
    history: list[dict[str, float]]
    best_epoch: Count
    batch: NotRequired[Count]
    seconds: NotRequired[Amount]
