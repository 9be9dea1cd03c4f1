"""Which files of a run stand side by side."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion import zoo
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.errors import ArtifactError
from edgefashion.serving.selection import choose, task_of

MODELS = Path(__file__).parents[1] / "files/models"
Made = Callable[..., Artifact]


@pytest.fixture
def made(fake: Callable[..., Path]) -> Made:
    """made("int8", target="arm64"): a model file that says so of itself."""

    def make(precision: str, **said: object) -> Artifact:
        name = "-".join([precision, *said])
        inside = {
            "schema": 1,
            "run": "cnn",
            "run_id": "1",
            "small_run": False,
            "precision": precision,
            **said,
        }
        return artifact.read(fake(name, edgefashion=inside))

    return make


def test_a_file_alone_is_served_alone(made: Made) -> None:
    for alone in (
        made("int8"),
        made("float16"),
        made("int8", kept_float=["a"]),
        made("int8", target="arm64"),
    ):
        assert choose([alone]) == [alone]


def test_of_a_run_the_float32_and_the_int8_file_are(made: Made) -> None:
    whole, half, small = made("float32"), made("float16"), made("int8")
    others = [made("int8", kept_float=["a"]), made("int8", target="arm64")]
    assert choose([*others, half, small, whole]) == [whole, small]
    assert choose([half, small]) == [small]
    assert choose([half, made("dynamic")]) == [half]


def test_one_format_is_enough() -> None:
    assert [each.format for each in choose(zoo.open_zoo().artifacts("zoo:cnn-64k"))] == ["tflite"]
    assert [each.format for each in choose(zoo.open_zoo().artifacts("zoo:cnn-64k-int8-qat.onnx"))] == ["onnx"]


def test_what_is_damaged_or_has_no_task_is_refused(made: Made) -> None:
    defect = Artifact(
        Path("x.tflite"), None, defect="x.tflite is not what its manifest says: export it again"
    )
    with pytest.raises(ArtifactError, match="export it again"):
        choose([defect])
    with pytest.raises(ArtifactError, match="does not say how a picture becomes its input"):
        task_of(choose([artifact.inspect(MODELS / "tiny-int8.tflite")]))
