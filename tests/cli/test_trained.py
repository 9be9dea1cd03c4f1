"""What is said of a run that is trained."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgefashion.cli import _trained, main
from edgefashion.records.values import Fold


def run(validation: int, folder: str | None = "photos", fold: Fold | None = None) -> Any:
    info = SimpleNamespace(
        best_epoch=3,
        recipe=SimpleNamespace(epochs=5, use_validation=False),
        validation_accuracy=5 / 7,
        splits=SimpleNamespace(validation=validation),
        data=SimpleNamespace(folder=folder, fold=fold),
    )
    return SimpleNamespace(info=info)


def test_the_kept_epoch_and_how_little_few_pictures_say() -> None:
    assert _trained.sentence(run(7)) == (
        "epoch 3 of 5 is kept: validation accuracy 0.7143, 5 of 7 (95 % interval 0.3589 to 0.9178)"
    )
    assert str(_trained.hint(run(7))).startswith("7 pictures say little: --folds 4 has every picture judged")
    assert _trained.hint(run(700)) is _trained.hint(run(7, None)) is None
    assert _trained.hint(run(7, fold=Fold(number=0, of=4))) is None


def test_what_several_runs_share_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    report = _trained.said_once()
    for line in ("Layers", "", "epoch 1", "", "Layers", "", "epoch 2"):
        report(line)
    assert capsys.readouterr().err.splitlines() == ["Layers", "", "epoch 1", "", "epoch 2"]


def test_a_name_that_is_taken_is_said_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/mine").mkdir(parents=True)
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--name", "mine", "--data", "nowhere"])
    said = "edgefashion: runs/mine exists: choose another --name, or replace it with --force\n"
    assert (stopped.value.code, capsys.readouterr().err) == (2, said)
