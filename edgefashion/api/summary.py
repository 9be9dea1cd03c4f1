"""What the model of a recipe is made of, before it is trained."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgefashion.errors import BadInput
from edgefashion.errors.arguments import takes
from edgefashion.recipes import Recipe
from edgefashion.tables import Page
from edgefashion.tables.presentable import Presentable
from edgefashion.task import Task

if TYPE_CHECKING:
    from edgefashion.models import Normalization
    from edgefashion.models.summary import LayerSummary


@dataclass(frozen=True, eq=False, repr=False)
class Summary(Presentable):
    """A model, layer by layer."""

    name: str
    """The architecture's."""
    normalization: "Normalization"
    """What makes numbers of pixels: (pixel - zero_point) * scale. It is inside every exported file."""
    layers: tuple["LayerSummary", ...]

    def __repr__(self) -> str:
        return (
            f"<Summary of {self.name}: {len(self.layers)} layers, {self.parameters:,} parameters, "
            f"{self.macs:,} multiply-accumulates an image; .table() shows them>"
        )

    @property
    def parameters(self) -> int:
        """The numbers that it learns."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return sum(layer.macs for layer in self.layers)

    def page(self) -> Page:
        """A row for each layer, or block of many, and their sums."""
        from edgefashion.models.summary import page

        return page(list(self.layers), self.name)

    def to_dict(self) -> dict[str, Any]:
        """All of it."""
        sums = {"parameters": self.parameters, "macs": self.macs}
        return {
            "model": self.name,
            "normalization": asdict(self.normalization),
            **sums,
            "layers": [asdict(layer) for layer in self.layers],
        }


@takes(recipe=Recipe, task=Task)
def summarize(recipe: Recipe, task: Task) -> Summary:
    """The layers of the model that `recipe` trains for the images and classes of `task`.

    It is built, and thrown away. Raises BadInput for images that it is not made for.
    """
    from edgefashion.models import ARCHITECTURES, architecture, check_size
    from edgefashion.models.summary import summarize as layers_of

    if recipe.model not in ARCHITECTURES:
        raise BadInput(f"{recipe.model} is no model of a recipe: choose from {', '.join(ARCHITECTURES)}")
    known = architecture(recipe.model, recipe.width)
    check_size(known, task)
    return Summary(known.name, known.normalization, tuple(layers_of(known.build(task, None))))
