"""Models of others: plain layers only, and back from a run folder as they were written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Task
from edgefashion.errors import BadInput, RunError
from edgefashion.models.architecture import Normalization
from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.models.imported import Drawing, architecture, build
from edgefashion.models.layer_kinds import KINDS
from edgefashion.tensorflow import keras

EDGE = 8
NORM = {"epsilon": 0.01}
CONFIGS: dict[str, dict[str, Any]] = {
    "Conv2D": {"filters": 6, "kernel_size": [3, 3], "groups": 2, "strides": [2, 2], "padding": "same"},
    "DepthwiseConv2D": {"kernel_size": [3, 3], "dilation_rate": [2, 2], "activation": "relu"},
    "Dense": {"units": 5, "use_bias": False},
    "BatchNormalization": NORM,
    "Activation": {"activation": "gelu"},
    "ReLU": {"max_value": 6.0, "negative_slope": 0.25},
    "LeakyReLU": {"alpha": 0.2},
    "PReLU": {"shared_axes": [1, 2]},
    "Concatenate": {"axis": 3},
    "ZeroPadding2D": {"padding": [[0, 1], [2, 3]]},
    "Cropping2D": {"cropping": [[0, 1], [2, 3]]},
    "MaxPooling2D": {"pool_size": [3, 3], "strides": [2, 2], "padding": "same"},
    "AveragePooling2D": {"pool_size": [2, 2], "strides": [1, 1]},
    "GlobalAveragePooling2D": {"keepdims": True},
    "GlobalMaxPooling2D": {},
    "Reshape": {"target_shape": [4, -1, 2]},
    "Permute": {"dims": [3, 1, 2]},
    "UpSampling2D": {"size": [2, 2], "interpolation": "bilinear"},
}
MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")


def randomize(model: keras.Model) -> keras.Model:
    chance = np.random.default_rng(0)
    model.set_weights([chance.uniform(0.3, 1, weight.shape) for weight in model.get_weights()])
    return model


def task_of(model: keras.Model) -> Task:
    classes = tuple(map(str, range(model.output_shape[-1])))
    return replace(FASHION_MNIST, image_shape=tuple(model.input_shape[1:]), classes=classes)


def images(model: keras.Model) -> Any:
    return np.random.default_rng(1).normal(size=(2, *model.input_shape[1:])).astype(np.float32)


@pytest.fixture(scope="module")
def every_kind() -> keras.Model:
    drawing = Drawing((EDGE, EDGE, 4))
    ends = []
    for kind in KINDS:
        read = [drawing.image, drawing.draw("ReLU", drawing.image)] if kind in MERGING else drawing.image
        ends.append(drawing.draw("Flatten", drawing.draw(kind, read, CONFIGS.get(kind))))
    return randomize(drawing.model(drawing.draw("Concatenate", ends)))


def test_every_kind_comes_back_from_a_run_folder(every_kind: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "architecture.json"
    path.write_text(json.dumps(every_kind.get_config()))
    every_kind.save(tmp_path / "model.keras")
    again = architecture(Normalization(1, 0), path).build(task_of(every_kind), str(tmp_path / "model.keras"))
    assert again.get_config() == every_kind.get_config()
    np.testing.assert_array_equal(again(images(again)), every_kind(images(again)))


def test_names_are_plain_and_different() -> None:
    drawing = Drawing((EDGE, EDGE, 4), "/model/input:0")
    for name in ("a/b", "a_b", "A.b", "\x1b[2J", "", "__"):
        drawing.draw("ReLU", drawing.image, name=name)
    assert sorted(drawing._names) == ["2j", "a_b", "a_b_2", "a_b_3", "layer", "model_input_0", "relu"]


@pytest.mark.parametrize(
    ("kind", "config", "reason"),
    [
        ("Lambda", {}, "a layer of the kind Lambda, which cannot be read here"),
        ("\x1b[2J", {}, r"kind \\x1b\[2J, which"),
        ("Conv2D", {"filters": 1 << 40, "kernel_size": [3, 3]}, "Conv2D cannot be made: filters: expected"),
        ("Conv2D", {"filters": 1 << 20, "kernel_size": [99, 99]}, "more layers or weights than its file"),
        ("Activation", {"activation": {"class_name": "softmax"}}, "Activation cannot be made: activation"),
        ("Dense", {"units": 3, "activation": "softmax"}, "Dense cannot be made: activation"),
        ("ZeroPadding2D", {"padding": [[0, 0], [1, 1]], "data_format": "channels_first"}, "data_format"),
        ("Reshape", {"target_shape": [3, 5]}, "reshape .Reshape. does not fit what it reads"),
    ],
)
def test_other_layers_are_refused(kind: str, config: dict[str, Any], reason: str) -> None:
    drawing = Drawing((EDGE, EDGE, 4))
    with pytest.raises(BadInput, match=f"(?i){reason}"):
        drawing.draw(kind, drawing.image, config)


def test_weights_of_another_shape_are_refused() -> None:
    drawing = Drawing((EDGE, EDGE, 4))
    with pytest.raises(BadInput, match=r"the shapes \[\(4, 6\)\] instead of \[\(4, 5\)\]"):
        drawing.draw("Dense", drawing.image, CONFIGS["Dense"], [np.zeros((4, 6))])


def layers_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = config["layers"]
    return found


CHANGES = {
    "a circle": lambda config: layers_of(config)[1].update(inbound_nodes=[[["relu_2", 0, 0, {}]]]),
    "a layer used twice": lambda config: layers_of(config)[1].update(inbound_nodes=[[], []]),
    "no layers": lambda config: config.update(layers=[]),
    "two outputs": lambda config: config.update(output_layers=[["relu", 0, 0], ["relu_2", 0, 0]]),
    "no image": lambda config: layers_of(config)[0]["config"].update(batch_input_shape=[None, 0, 8, 4]),
    "an input without a shape": lambda config: layers_of(config)[0].update(config={}),
    "another kind": lambda config: layers_of(config)[1].update(class_name="Lambda"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_configuration_that_is_not_of_ours_is_refused(change: str) -> None:
    drawing = Drawing((EDGE, EDGE, 4))
    made = drawing.draw("ReLU", drawing.draw("ReLU", drawing.image))
    config = json.loads(json.dumps(drawing.model(made).get_config()))
    assert build(config).get_config() == drawing.model(made).get_config()
    CHANGES[change](config)
    with pytest.raises(BadInput):
        build(config)


def test_no_more_weights_are_made_than_a_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "architecture.json"
    drawing = Drawing((EDGE, EDGE, 4))
    made = drawing.draw("Dense", drawing.image, {"units": 1 << 20})
    path.write_text(json.dumps(drawing.model(made).get_config()))
    with pytest.raises(RunError, match="more layers or weights than its file can hold"):
        architecture(Normalization(1, 0), path, 1000).build(FASHION_MNIST, None)


def test_every_batch_normalization_is_folded() -> None:
    drawing = Drawing((EDGE, EDGE, 4))
    tensor = drawing.draw("BatchNormalization", drawing.image)
    tensor = drawing.draw("Conv2D", tensor, {**CONFIGS["Conv2D"], "use_bias": False})
    both = drawing.draw("BatchNormalization", tensor, {"scale": False, "center": False})
    tensor = drawing.draw("Add", [tensor, both])
    tensor = drawing.draw("Conv2D", tensor, {"filters": 3, "kernel_size": [1, 1]})
    tensor = drawing.draw("BatchNormalization", tensor, {"scale": False})
    row = drawing.draw("BatchNormalization", drawing.draw("GlobalAveragePooling2D", tensor))
    row = drawing.draw("Dense", row, CONFIGS["Dense"])
    row = drawing.draw("ReLU", drawing.draw("BatchNormalization", row, NORM))
    row = drawing.draw("ReLU", drawing.draw("BatchNormalization", row, NORM))
    row = drawing.draw("Dense", drawing.draw("BatchNormalization", row), {"units": 4, "activation": "relu"})
    model = randomize(drawing.model(row))
    folded = fold_batch_norms(model)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    np.testing.assert_allclose(folded(images(model)), model(images(model)), rtol=1e-4)
    assert build(json.loads(json.dumps(folded.get_config()))).count_params() == folded.count_params()
