"""Where int8 loses too much, the fewest layers that help stay in float, and what cannot be helped is said."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.data import Dataset, split
from edgefashion.errors import VerificationError
from edgefashion.export import exporter, limited, verify
from edgefashion.export.drop import Drop
from edgefashion.export.limited import export_within
from edgefashion.export.mixed_precision import MOST, Mixed, Search, Tried, fewest
from edgefashion.export.onnx import probe as onnx_probe
from edgefashion.export.options import ExportOptions
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


def losing(drops: Sequence[Drop]) -> Callable[..., Tried]:
    """What `Search.measure` says in turn, whatever is measured; the last one for ever."""
    left = list(drops)
    return lambda *_: Tried(left.pop(0) if len(left) > 1 else left[0])


def of_100(lost: int, won: int = 0) -> Drop:
    return Drop(lost, won, 100)


def test_a_file_that_loses_little_is_enough(run: Run, sample: Dataset) -> None:
    found = export_within(run, split(sample), TFLITE, 0.05)
    assert [each.path.name for each in found.made] == ["cnn-int8.tflite"]
    assert not (found.unmet or found.untold)
    told = artifact.read(found.made[0].path).manifest.drop
    assert (told["verdict"], told["splits"], told["limit"]) == ("within", "validation", 0.05)


def test_a_drop_that_may_be_chance_starts_no_search_but_asks_training_pictures(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.44 points are 3 of 208 pictures."""
    monkeypatch.setattr(Search, "measure", losing([Drop(5, 2, 208), Drop(9, 5, 608)]))
    said: list[str] = []
    found = export_within(run, split(sample), TFLITE, 0.01, said.append)
    assert [each.path.name for each in found.made] == ["cnn-int8.tflite"]
    assert not (found.unmet or found.untold)
    (asked,) = [line for line in said if "asking" in line]
    assert "1.44 points lost on 208 validation pictures, which may be chance: asking " in asked
    assert not [line for line in said if "looking for" in line]
    assert found.made[0].manifest.drop["pictures"] == 608


def test_what_cannot_be_told_passes_and_is_said_with_its_interval(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "measure", losing([Drop(5, 2, 208)]))
    found = export_within(run, split(sample), TFLITE, 0.01)
    assert not found.unmet
    assert list(found.untold.values()) == [
        "int8 tflite, without layers in float: whether it stays within 1 points of the float model cannot be "
        "told: 1.44 points lost on 208 validation pictures (95 % interval -1.20 to 4.06, McNemar p = 0.45), "
        "which may be chance"
    ]
    assert found.made[0].manifest.drop["verdict"] == "not told"


def test_the_pictures_that_are_asked_are_of_both_splits(run: Run, sample: Dataset) -> None:
    splits = split(sample)
    tries = Search(run, splits, "tflite", ExportOptions())
    content = (run.artifacts / "cnn-int8.tflite").read_bytes()
    assert tries.measure(content).drop.pictures == len(splits.validation)
    more = tries.ask_more()
    assert more == min(MOST - len(splits.validation), len(splits.train))
    drop = tries.measure(content).drop
    assert (drop.pictures, drop.splits) == (len(splits.validation) + more, "validation and training")
    assert tries.ask_more() == 0


def test_the_costliest_layers_stay_in_float_and_the_pure_file_is_kept_too(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "measure", losing([of_100(40), of_100(20), of_100(1)]))
    said: list[str] = []
    found = export_within(run, split(sample), TFLITE, 0.01, said.append)
    pure, mixed = found.made
    assert [each.path.name for each in (pure, mixed)] == ["cnn-int8.tflite", "cnn-int8-keep-float.tflite"]
    assert not (found.unmet or found.untold)
    assert len(artifact.read(mixed.path).kept_float) == 2
    assert [each.manifest.drop["verdict"] for each in (pure, mixed)] == ["above", "within"]
    told = "\n".join(said)
    assert "int8 tflite: 40.00 points lost on 100 validation pictures; looking for the fewest layers" in told
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

    monkeypatch.setattr(Search, "measure", losing([of_100(40), of_100(30), of_100(20), of_100(30)]))
    monkeypatch.setattr(limited, "export_run", export)
    found = export_within(run, split(sample), TFLITE, 0.01)
    assert asked == [0, 2]
    assert list(found.unmet.values()) == [
        "int8 tflite does not stay within 1 points of the float model: the best that was found, with 2 "
        "layers in float, has 20.00 points lost on 100 validation pictures (95 % interval 11.67 to 27.55, "
        "McNemar p = 1.9e-06)"
    ]


def test_a_mixed_file_is_kept_where_the_pure_one_is_not_the_model(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.artifacts / "cnn-int8.tflite").unlink()
    tried: list[str] = []

    def refuse(content: bytes, name: str, *rest: Any) -> dict[str, Any]:
        tried.append(name)
        if "keep-float" not in name:
            raise VerificationError(f"{name} agrees on 9.1% of images: no file was kept; train --qat")
        return verify.verify(content, name, *rest)

    monkeypatch.setattr(exporter, "verify", refuse)
    monkeypatch.setattr(Search, "measure", losing([of_100(0)]))
    said: list[str] = []
    found = export_within(run, split(sample), TFLITE, 0.01, said.append)
    (made,) = found.made
    assert (made.path.name, found.unmet) == ("cnn-int8-keep-float.tflite", {})
    assert made.manifest
    assert not made.manifest.cost
    assert tried == ["cnn-int8.tflite", "cnn-int8-keep-float.tflite"]
    assert not [line for line in said if "no file was kept" in line]  # since one is
    assert not (run.artifacts / "cnn-int8.tflite").exists()


def test_layers_that_a_converter_made_one_with_others_are_left_out_of_the_ranking(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As squeeze-and-excite of MobileNetV3 in ONNX."""
    tensors = onnx_probe._integers
    monkeypatch.setattr(
        onnx_probe, "_integers", lambda *order: (each for each in tensors(*order) if each[0] != "conv2")
    )
    tries = Search(run, split(sample), "onnx", ExportOptions())
    said: list[str] = []
    ranked = tries.ranked((run.artifacts / "cnn-int8.onnx").read_bytes(), said.append, None)
    assert (sorted(ranked), tries.unranked) == (["conv1", "dense", "logits"], 1)
    lost = Tried(of_100(40))
    mixed = Mixed((), ExportOptions(), lost, lost, "above", tries.unranked)
    assert limited._cause(mixed) == "; 1 layer that cannot be ranked stayed in int8 and may be why"
    assert not limited._cause(replace(mixed, unranked=0))
    assert said == [
        "int8 onnx: 1 of 4 layers cannot be ranked, since the file computes them in one with others: they "
        "stay in int8"
    ]


def test_where_nothing_can_be_kept_that_is_the_error(
    run: Run, sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(content: bytes, name: str, *rest: Any) -> dict[str, Any]:
        raise VerificationError(f"{name} is not the model")

    monkeypatch.setattr(exporter, "verify", refuse)
    with pytest.raises(VerificationError, match=r"cnn-float32\.tflite is not the model"):
        export_within(run, split(sample), [Variant("tflite", "float32")], 0.01)
