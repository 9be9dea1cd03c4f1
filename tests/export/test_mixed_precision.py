"""Where int8 loses too much, the fewest layers that help stay in float, and what cannot be helped is said."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.data import Dataset, split
from edgefashion.errors import VerificationError
from edgefashion.export import exporter, limited, verify
from edgefashion.export.limited import export_within
from edgefashion.export.mixed_precision import Search, Tried, fewest
from edgefashion.training import runs
from edgefashion.training.runs import Run

TFLITE = [Variant("tflite", "int8")]
pytestmark = pytest.mark.usefixtures("soon_measured")


@pytest.mark.parametrize(("most", "needed"), [(1, 1), (7, 1), (7, 3), (7, 7), (50, 13), (64, 64)])
def test_the_fewest_are_found_in_a_few_tries(most: int, needed: int) -> None:
    tried: list[int] = []

    def attempt(count: int) -> bool:
        tried.append(count)
        return count >= needed

    assert fewest(attempt, most) == needed
    assert len(tried) <= 2 * most.bit_length() + 1
    assert fewest(lambda count: False, most) is None


@pytest.fixture(autouse=True)
def soon_converted(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only tried is not converted, and the rest calibrated as what is there."""
    content = (exported.artifacts / "cnn-int8.tflite").read_bytes()
    monkeypatch.setattr(Search, "convert", lambda *_: content)
    monkeypatch.setattr("edgefashion.export.options.CALIBRATION_IMAGES", 100)


@pytest.fixture
def run(exported: Run, tmp_path: Path) -> Run:
    """A copy, of which float32 and int8 files are there."""
    shutil.copytree(exported.folder, tmp_path / "cnn")
    return runs.read(tmp_path / "cnn")


def losing(drops: Sequence[float]) -> Callable[..., Tried]:
    """What `Search.measure` says in turn, whatever is measured; the last one for ever."""
    left = list(drops)
    return lambda *_: Tried(left.pop(0) if len(left) > 1 else left[0], None)


def test_a_file_that_loses_little_is_enough(run: Run, sample: Dataset) -> None:
    made, unmet = export_within(run, split(sample), TFLITE, 0.05)
    assert ([each.path.name for each in made], unmet) == (["cnn-int8.tflite"], [])


def test_the_costliest_layers_stay_in_float_and_the_pure_file_is_kept_too(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "measure", losing([0.4, 0.2, 0.0]))
    said: list[str] = []
    made, unmet = export_within(run, split(sample), TFLITE, 0.01, said.append)
    assert [each.path.name for each in made] == ["cnn-int8.tflite", "cnn-int8-keep-float.tflite"]
    assert not unmet
    assert len(artifact.read(made[1].path).kept_float) == 2
    told = "\n".join(said)
    assert "int8 tflite: 40.00 points lost on 100 validation images; looking for the fewest layers" in told
    assert "int8 tflite, 1 of 4 layers in float: 20.00 points lost" in told
    assert "kB instead of" in told
    assert "p50" in told


def test_what_cannot_be_met_is_said_and_the_best_is_kept(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def export(*order: Any, **_: Any) -> list[Artifact]:
        asked.append(len(order[3].keep_float) if len(order) > 3 else 0)
        return [artifact.read(run.artifacts / "cnn-int8.tflite")]

    monkeypatch.setattr(Search, "measure", losing([0.4, 0.3, 0.2, 0.3]))
    monkeypatch.setattr(limited, "export_run", export)
    _, (unmet,) = export_within(run, split(sample), TFLITE, 0.01)
    assert asked == [0, 2]
    assert unmet == (
        "int8 tflite does not stay within 1 points of the float model on validation: the best that was "
        "found, with 2 layers in float, has 20.00 points lost"
    )


def test_a_mixed_file_is_kept_where_the_pure_one_is_not_the_model(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.artifacts / "cnn-int8.tflite").unlink()

    def refuse(content: bytes, name: str, *rest: Any) -> dict[str, Any]:
        if "keep-float" not in name:
            raise VerificationError(f"{name} agrees on 9.1% of images")
        return verify.verify(content, name, *rest)

    monkeypatch.setattr(exporter, "verify", refuse)
    monkeypatch.setattr(Search, "measure", losing([0.0]))
    said: list[str] = []
    (made,), unmet = export_within(run, split(sample), TFLITE, 0.01, said.append)
    assert (made.path.name, unmet) == ("cnn-int8-keep-float.tflite", [])
    assert made.manifest
    assert not made.manifest.cost
    assert "cnn-int8.tflite agrees on 9.1% of images" in said
    assert not (run.artifacts / "cnn-int8.tflite").exists()


def test_where_nothing_can_be_kept_that_is_the_error(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(content: bytes, name: str, *rest: Any) -> dict[str, Any]:
        raise VerificationError(f"{name} is not the model")

    monkeypatch.setattr(exporter, "verify", refuse)
    with pytest.raises(VerificationError, match=r"cnn-float32\.tflite is not the model"):
        export_within(run, split(sample), [Variant("tflite", "float32")], 0.01)
