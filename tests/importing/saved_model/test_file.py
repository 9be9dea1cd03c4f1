import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.errors import BadInput
from edgefashion.importing.reading import read_model
from edgefashion.importing.saved_model import file as saved_model
from edgefashion.tensorflow import keras, tf
from tests.importing.tflite.test_file import net

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 18, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return net()


@pytest.fixture(scope="module")
def folder(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The net, saved."""
    found = tmp_path_factory.mktemp("saved") / "model"
    serve = tf.function(model.call, input_signature=[tf.TensorSpec((None, 16, 18, 3), tf.float32)])
    tf.saved_model.save(model, str(found), signatures=serve)
    return found


def test_a_folder_is_read_as_the_model_in_it_answers(model: keras.Model, folder: Path) -> None:
    read = read_model(folder)
    before = read.preprocessing
    assert read.format == "SavedModel"
    assert read.ending == "softmax"
    assert before is not None
    logits = read.model(IMAGES * before.scale[0] + before.offset[0])
    assert tf.nn.softmax(logits).numpy() == pytest.approx(model(IMAGES).numpy(), abs=1e-5)


def saved(path: Path, function: Any) -> Path:
    """A folder whose signature is a function of images."""
    module = tf.Module()
    module.kernel = tf.Variable(np.ones((3, 3, 3, 4), np.float32))
    spec = tf.TensorSpec((None, 16, 16, 3), tf.float32)
    module.serve = tf.function(lambda images: function(module, images), input_signature=[spec])
    tf.saved_model.save(module, str(path), signatures=module.serve)
    return path


def test_dilated_convolutions_and_dense_layers_of_places_are_read(tmp_path: Path) -> None:
    image = keras.Input((13, 16, 3))
    tensor = keras.layers.Conv2D(6, 3, padding="same", dilation_rate=2)(image)
    tensor = keras.layers.Dense(5, activation="relu")(tensor)
    tensor = keras.layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(tensor)
    tensor = keras.layers.Conv2D(4, 3, dilation_rate=(2, 3))(tensor)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(tensor))
    serve = tf.function(model.call, input_signature=[tf.TensorSpec((None, 13, 16, 3), tf.float32)])
    tf.saved_model.save(model, str(tmp_path), signatures=serve)
    read = read_model(tmp_path).model
    images = np.random.default_rng(0).normal(size=(3, 13, 16, 3)).astype(np.float32)
    assert read(images).numpy() == pytest.approx(model(images).numpy(), abs=1e-6)
    assert not [layer for layer in read.layers if isinstance(layer, keras.layers.Cropping2D)]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda cut: tf.nn.max_pool2d(cut, 2, 2, "VALID"), "SpaceToBatchND"),
        (lambda cut: cut, "BatchToSpaceND of other than a convolution"),
    ],
)
def test_an_image_that_was_cut_is_of_use_to_a_convolution_only(
    function: Any, words: str, tmp_path: Path
) -> None:
    def cutting(module: Any, images: Any) -> Any:
        cut = function(tf.space_to_batch(images, [2, 2], [[0, 0], [0, 0]]))
        whole = tf.batch_to_space(cut, [2, 2], [[0, 0], [0, 0]])
        return tf.reduce_mean(tf.nn.conv2d(whole, module.kernel, 1, "SAME"), (1, 2))

    with pytest.raises(BadInput, match=words):
        saved_model.read(saved(tmp_path / "model", cutting))


def test_rows_of_places_are_no_classes(tmp_path: Path) -> None:
    def function(module: Any, images: Any) -> Any:
        return tf.reshape(tf.nn.conv2d(images, module.kernel, 1, "SAME"), (-1, 4))

    with pytest.raises(BadInput, match="gives no row of one number a class"):
        saved_model.read(saved(tmp_path / "model", function))


def test_a_kernel_that_was_squeezed_is_read(tmp_path: Path) -> None:
    def function(module: Any, images: Any) -> Any:
        kernel = tf.squeeze(tf.reshape(module.kernel, (1, 3, 3, 3, 4)), 0)
        return tf.reduce_mean(tf.nn.conv2d(images, kernel, 1, "VALID"), (1, 2))

    read = read_model(saved(tmp_path / "model", function))
    assert read.model(np.ones((1, 16, 16, 3), np.float32)).numpy() == pytest.approx(np.full((1, 4), 27))


def test_operators_that_touch_files_are_named_and_not_run(tmp_path: Path) -> None:
    written = tmp_path / "written"

    def function(module: Any, images: Any) -> Any:
        tf.io.write_file(str(written), "once")
        text = tf.io.decode_raw(tf.io.read_file("/etc/hostname"), tf.uint8)
        found = tf.reduce_mean(tf.nn.conv2d(images, module.kernel, 1, "SAME"), (1, 2))
        return found + tf.cast(text[0], tf.float32)

    path = saved(tmp_path / "model", function)
    with pytest.raises(BadInput, match=r"ReadFile \(1\)"):
        saved_model.read(path)
    assert not written.exists()


def test_a_damaged_or_linked_folder_ends_in_one_line(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "saved_model.pb").read_bytes()
    (tmp_path / "variables").symlink_to(folder / "variables")
    for content, words in ((whole, "links"), (whole[: len(whole) // 2], "damaged"), (b"", "no graph")):
        (tmp_path / "saved_model.pb").write_bytes(content)
        with pytest.raises(BadInput, match=words) as found:
            saved_model.read(tmp_path)
        assert str(found.value).isprintable()


def test_operators_that_read_each_other_are_no_model(folder: Path, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel()
    proto.ParseFromString((folder / "saved_model.pb").read_bytes())
    for function in proto.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "Softmax":
                node.input[0] = f"{node.name}:softmax:0"
    shutil.copytree(folder / "variables", tmp_path / "variables")
    (tmp_path / "saved_model.pb").write_bytes(proto.SerializeToString())
    with pytest.raises(BadInput, match="in a circle"):
        saved_model.read(tmp_path)
