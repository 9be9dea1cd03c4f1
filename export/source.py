"""What files are made from: a trained model, and the images that show a quantizer what occurs in it."""

from dataclasses import dataclass
from functools import cached_property

from edgefashion.export.graph.graph import Graph, for_integers
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.quantization.layer_inputs import LayerInputs
from edgefashion.runtimes.base import Logits


@dataclass(frozen=True, eq=False)
class Source:
    """A graph and its representative dataset, with what is found out on it, once for all files."""

    graph: Graph
    representative: RepresentativeDataset

    @cached_property
    def integers(self) -> Graph:
        """The graph that int8 files are made from."""
        return for_integers(self.graph)

    @cached_property
    def logits(self) -> Logits:
        """What the Keras model gives for the representative dataset, float32 [N, classes]."""
        logits: Logits = self.graph.predict(self.representative.pixels)
        return logits

    @cached_property
    def inputs(self) -> LayerInputs:
        """What the layers of `integers` read."""
        return LayerInputs(self.integers.deployed, self.representative.images, self.integers.resize)
