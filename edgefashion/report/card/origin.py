"""Where a model comes from, as its card tells: how long it was trained here, or whose file it was."""

from msgspec import UNSET

from edgefashion.artifacts.artifact import Artifact
from edgefashion.errors.wording import few
from edgefashion.records.imported import Imported
from edgefashion.records.run import Story

LISTED = 5
"""Layers that are named, of many."""
_ORDERS = {
    "sorted": "its outputs are in the order of the classes' names",
    "given": "what its outputs are for was said by who imported it",
    "found": "what its outputs are for was found on pictures of validation and training",
}
_CHOSEN = {
    "measured": "found on pictures of validation and training",
    "in the file": "inside the file",
    "given": "said by who imported it",
}


def line(story: Story) -> str:
    """How a run came to be, and how right its model is on validation."""
    accuracy = f"{100 * story.validation_accuracy:.2f} %"
    if story.seconds is not UNSET and story.trained_on:
        learned = "the last: it learned from the validation images too, and none was left to choose by"
        return (
            f"{story.name}: {_duration(story.seconds)} on {story.trained_on}; epoch {story.best_epoch} of "
            f"{story.recipe.epochs} is kept, "
            + (learned if story.recipe.use_validation else f"the best on validation: {accuracy}")
        )
    return f"{story.name}: {_imported(story.imported)}; on validation: {accuracy}" if story.imported else ""


def is_foreign(story: Story) -> bool:
    """Whether its model was trained elsewhere, and not further here."""
    return bool(story.imported) and not story.recipe.epochs


def in_float(file: Artifact) -> str:
    """Which layers of an int8 file are in float, and why, as far as its manifest tells."""
    layers = file.kept_float
    named = few(layers, LISTED)
    drop = file.manifest.drop if file.manifest else None
    why = (
        f": with all of them in int8 it loses more than {100 * drop['limit']:g} points, or is not the model"
        if drop
        else ", as asked for"
    )
    return f"{file.path.name} has {named} in float{why}"


def _imported(told: Imported) -> str:
    way = told.preprocessing
    return (
        f"read from {told.file} ({told.format}, SHA-256 {told.sha256[:12]}), trained elsewhere, on which "
        f"pictures is not known here; preprocessing: {way.name}, {_CHOSEN[way.chosen]}; {_ORDERS[told.order]}"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:,.0f} minutes"
