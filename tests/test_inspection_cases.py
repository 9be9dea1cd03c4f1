"""Files of others whose figures were once wrong, or that hung: what is right of each."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.helper import make_node as op

from edgefashion import artifact, rows
from edgefashion.bundle import making
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.inspection import Inspection, inspect
from edgefashion.inspection.multiplied import multiplied
from edgefashion.inspection.text import to_text

SHARED = Path(__file__).parent.parent.parent / "shared/data/cases"
OWN = Path(__file__).parent / "data/cases"


def case(name: str) -> Inspection:
    """A file where all of them are, else a copy; skipped where there is none."""
    found = [folder / name for folder in (SHARED, OWN) if (folder / name).exists()]
    if not found:
        pytest.skip(f"{name} is not here")
    return inspect(found[0])


def test_a_size_of_minus_one_is_open() -> None:
    found = case("tract_qrelu_1.onnx")
    assert [port.shape for port in found.inputs + found.outputs] == [("?", 10), ("?", 10)]
    assert found.operators[1].output_shape == (1, 10, 1)


def test_one_signature_is_shown_and_the_others_are_named() -> None:
    found = case("weight_sharing_fcs.tflite")
    assert (found.parameters, found.macs, found.weight_bytes) == (512, 4_096, 2_048)
    assert found.other_signatures == ["sig2"]
    assert "not shown   what else it can run: sig2" in to_text([found])


def test_weights_are_those_and_not_a_larger_bias_and_each_buffer_counts_once() -> None:
    found = case("str_ww_ref_model.tflite")
    assert {operator.weights for operator in found.computing} == {"int8"}
    assert (found.weight_bytes, found.integer, found.macs) == (48_396, 9, 826_368)


def test_what_onnx_runtime_writes_is_known() -> None:
    found = case("ort_opt_int8.onnx")
    assert (found.integer, len(found.computing), found.parameters) == (4, 4, 226_890)
    assert (found.macs, found.precision) == (2_215_168, "int8")
    assert found.inputs[0].scales == pytest.approx([1 / 255])


def test_quantizing_meanwhile_keeps_shapes_and_its_scales_are_no_parameters() -> None:
    found = case("dyn.onnx")
    assert (found.macs, found.parameters, found.integer) == (2_215_168, 225_034, 4)
    assert found.precision == "dynamic"
    assert "it is called float32, and its operators that multiply are dynamic" in to_text([found])


def test_a_fixed_batch_is_a_call_of_as_many_images() -> None:
    found = case("conv_batch20.onnx")
    assert (found.batch, found.macs) == (20, 20 * 48 * 38 * 13 * 16 * 9)
    assert "for a call of 20 images" in to_text([found])


# Weights in other files


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A model whose weights are in w.bin."""
    weights = np.ones((300, 200), np.float32)
    graph = helper.make_graph(
        [op("MatMul", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 300])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 200])],
        [numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    return path


def test_weights_in_other_files_count_and_are_hashed(outside: Path) -> None:
    found, file = inspect(outside), rows.file(artifact.read(outside))
    assert (found.parameters, found.weight_bytes, found.macs) == (60_000, 240_000, 60_000)
    size = outside.stat().st_size + 240_000
    assert found.size_bytes == file.size_bytes == size
    assert found.external == [str(outside.with_name("w.bin"))]
    assert "with " + found.external[0] in to_text([found])
    outside.with_name("w.bin").write_bytes(bytes(240_000))
    assert rows.file(artifact.read(outside)).sha256 != file.sha256


def test_a_bundle_takes_single_files_only(outside: Path) -> None:
    with pytest.raises(BadInput, match=r"has its weights in .*w\.bin, and a bundle holds single files"):
        making.check([artifact.read(outside)])


@pytest.mark.parametrize(
    "name", ["../w.bin", "/etc/passwd", "", ".", "..", "a/../w.bin", "link.bin", "f/w.bin"]
)
def test_weights_anywhere_else_are_refused(name: str, outside: Path) -> None:
    model = onnx.load(outside, load_external_data=False)
    (location,) = [e for e in model.graph.initializer[0].external_data if e.key == "location"]
    location.value = name
    outside.with_name("link.bin").symlink_to(outside.with_name("w.bin"))
    outside.with_name("f").symlink_to(outside.parent)
    outside.write_bytes(model.SerializeToString())
    for read in (inspect, artifact.read):
        with pytest.raises(ArtifactError, match=r"outside of its folder|behind a link"):
            read(outside)
    assert artifact.inspect(outside).defect


@pytest.mark.parametrize(("size", "reason"), [(None, "missing"), (100, "truncated")])
def test_weights_that_are_missing_are_named(size: int | None, reason: str, outside: Path) -> None:
    weights = outside.with_name("w.bin")
    weights.unlink()
    if size:
        weights.write_bytes(bytes(size))
    with pytest.raises(ArtifactError, match=rf"w\.bin.*{reason}"):
        artifact.read(outside)


# Zeros that fill kernels up


def test_copies_of_kernels_at_places_of_their_own_are_multiplied_where_they_are() -> None:
    random = np.random.default_rng(1)
    kernels = random.integers(1, 100, (8, 1, 3, 3)).astype(np.int8)
    shifted = [np.pad(kernels, ((0, 0), (0, 0), (r, 1 - r), (c, 1 - c))) for r in (0, 1) for c in (0, 1)]
    blocks = np.concatenate(shifted)
    assert multiplied(memoryview(blocks.tobytes()), "int8", blocks.shape, 0) == 4 * 8 * 9
    assert multiplied(memoryview((blocks + 7).tobytes()), "int8", blocks.shape, 7) == 4 * 8 * 9


def test_weights_that_happen_to_be_zero_are_multiplied() -> None:
    random = np.random.default_rng(1)
    for share in (0, 0.5, 0.9, 1):
        pruned = (random.random((32, 3, 3, 3)) > share) * random.integers(-100, 100, (32, 3, 3, 3))
        assert multiplied(memoryview(pruned.astype(np.int8).tobytes()), "int8", pruned.shape, 0) is None


def test_cells_have_places_that_no_kernel_uses() -> None:
    kernels = np.ones((8, 2, 2, 4), np.int8)
    kernels[:, 1, :, 2:] = kernels[:, :, 1, 1::2] = 0
    content = memoryview(kernels.tobytes())
    assert multiplied(content, "int8", kernels.shape, 0) is None
    assert multiplied(content, "int8", kernels.shape, 0, cells=True) == 8 * 9


# What is called something else


def test_what_a_file_says_of_itself_is_not_believed_against_its_operators(tmp_path: Path) -> None:
    path = shutil.copy(Path(__file__).parent / "data/models/tiny-float32.onnx", tmp_path)
    manifest = {"run": "cnn", "run_id": "abc", "precision": "int8", "small_run": False}
    one = artifact.save(Path(path), Path(path).read_bytes(), manifest)
    common = rows.Common(one, "x", rows.file(one), rows.computation(one.path), {}, None, None)
    fields = rows._of_file(common)
    assert fields["precision"] == "float32"
    assert rows._contradiction(common) == "it is called int8, and its operators that multiply are float32"
