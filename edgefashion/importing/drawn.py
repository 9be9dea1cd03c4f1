"""The Keras model that a plan becomes."""

from pathlib import Path

from edgefashion.importing.answers import Answers
from edgefashion.importing.network.given import Given, naming
from edgefashion.importing.network.imported import Imported
from edgefashion.importing.network.plan import Tensor
from edgefashion.models.imported import Drawing
from edgefashion.tensorflow import keras


def imported(path: Path, given: Given) -> Imported:
    """What was read of a file, as everybody takes it. Raises BadInput for a model that cannot be built."""
    size = None if given.image.open else given.image.shape[:2]
    answers = None if given.format == "SavedModel" else Answers(path, given)
    notes = tuple(given.notes)
    with naming(path, given.format):
        model = draw(given)
    return Imported(model, given.format, given.ending, given.preprocessing, size, answers, notes)


def draw(given: Given) -> keras.Model:
    """The flat model: float32 [N, height, width, channels] → logits float32 [N, outputs]."""
    drawing = Drawing(given.image.shape)
    tensors = {id(given.network.image): drawing.image}

    def tensor(wanted: Tensor) -> object:
        return tensors[id(wanted)]

    for layer in given.network.layers:
        read = [tensor(each) for each in layer.read]
        tensors[id(layer.made)] = drawing.draw(
            layer.kind, read if len(read) > 1 else read[0], layer.config, layer.weights, layer.name
        )
    return drawing.model(tensor(given.logits))
