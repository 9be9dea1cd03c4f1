"""Your own pictures, as the verbs take them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgefashion.cli import _data, _resuming, main
from edgefashion.cli._data import Chosen
from edgefashion.data import Dataset, load_dataset
from edgefashion.data.folds import folds, whole
from edgefashion.recipes import RECIPES
from edgefashion.training import checkpoints, runs

ODD = ("it's", "c d\u202e", '"=1+1"', "<b>&\x7f")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EDGEFASHION_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def draw(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (10, 12, 3), np.uint8)).save(path, "PNG")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """40 pictures of two classes."""
    for number in range(40):
        draw(tmp_path / f"photos/{'cat' if number % 2 else 'dog'}/{number}.png", number)
    return tmp_path / "photos"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, stdout and stderr of a verb."""

    def called(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        said = capsys.readouterr()
        assert isinstance(stopped.value.code, int | None)
        return stopped.value.code or 0, said.out, said.err

    return called


def test_data_tells_what_is_in_a_folder_and_what_to_do_next(photos: Path, run: Run) -> None:
    code, out, err = run("data", photos, "--size", "8x16", "--gray", "--plot", "grid.png")
    assert code == 0
    assert "photos: 40 pictures of 2 classes" in out
    assert "images to be made: 8 high, 16 wide, gray, crop" in out
    assert "warning: the class cat has 20 pictures (1 other class has few as well)" in out
    assert err.splitlines()[-1] == f"next: edgefashion train --data {photos} --size 8x16 --gray"
    assert Path("grid.png").stat().st_size > 1000


def test_data_as_json(photos: Path, run: Run) -> None:
    found = json.loads(run("data", "--data", photos, "--json")[1])
    assert sum(found["classes"]["cat"].values()) == 20
    assert found["formats"] == {"PNG": 40}
    assert found["task"]["image_shape"] == [10, 12, 3]
    assert (found["bad"], found["duplicates"]) == ([], [])


def test_data_tells_all_and_then_refuses_what_train_would(photos: Path, run: Run) -> None:
    (photos / "cat/notes.txt").write_text("no picture")
    (photos / "dog/empty.png").write_bytes(b"")
    shutil.copy(photos / "cat/1.png", photos / "dog/1.png")
    code, out, err = run("data", photos)
    assert code == 2
    assert "Files that cannot be used: 2" in out
    assert "The same picture in two classes or splits: 1." in out
    assert err.count("bad: ") == 2
    assert err.splitlines()[-1].startswith(f"edgefashion: {photos}: 2 of 43 files cannot be used")
    code, _, err = run("data", photos, "--skip-bad")
    assert code == 2
    assert "are the same picture: remove one, or leave such out with --drop-duplicates" in err
    code, out, err = run("data", photos, "--skip-bad", "--drop-duplicates")
    assert code == 0
    assert "Files that cannot be used, left out: 2, named above." in out
    assert "The same picture in two classes or splits, left out: 1." in out
    assert err.count("bad: ") == 2
    found = json.loads(run("data", photos, "--json")[1])
    assert [each["file"] for each in found["bad"]] == ["cat/notes.txt", "dog/empty.png"]
    assert {each["file"] for each in found["duplicates"][0]} == {"cat/1.png", "dog/1.png"}


def test_other_verbs_count_the_files_left_out_and_say_what_names_them(photos: Path, run: Run) -> None:
    (photos / "cat/notes.txt").write_text("no picture")
    lines: list[str] = []
    load_dataset(photos, lines.append, size=8, skip_bad=True)
    told = f"left out: 1 file that cannot be used, named by edgefashion data {photos}"
    assert [line for line in lines if "bad" in line or "left out" in line] == [told]


def test_data_refuses_a_class_of_too_few_as_train_does(tmp_path: Path, run: Run) -> None:
    for number in range(20):
        draw(tmp_path / f"few/{'cat' if number < 5 else 'dog'}/{number}.png", number)
    code, out, err = run("data", "few")
    assert code == 2
    assert "few: 20 pictures of 2 classes" in out
    assert "the class cat has 5 pictures: add some, 10 at least, or train all the same with --force" in err
    assert "next:" not in err


def test_a_folder_of_test_pictures_is_good_for_measuring_and_says_so(tmp_path: Path, run: Run) -> None:
    for number in range(40):
        draw(tmp_path / f"flat/{'cat' if number % 2 else 'dog'}/{number}.png", number)
        draw(tmp_path / f"alone/test/{'cat' if number % 2 else 'dog'}/{number}.png", 100 + number)
    code, _, err = run("data", "alone")
    assert code == 2
    assert "with edgefashion evaluate --data alone" in err
    lines: list[str] = []
    task = load_dataset("flat", size=8).task
    found = load_dataset("alone", lines.append, task=task)
    assert len(found.test) == 40
    assert (found.describe().name, found.describe().place) == ("flat", " in alone")
    assert load_dataset("flat", size=8).describe().place == ""
    assert not [line for line in lines if "train" in line or "validation" in line]


def interrupt(dataset: Dataset, folder: Path) -> None:
    """Leave what a training has written before its first checkpoint."""
    told = (dataset.describe(), dataset.task.to_record())
    checkpoints.begin(runs.staging(folder), RECIPES["cnn"], dataset.checksums, *told)


@pytest.mark.parametrize("name", ["long", "long-fold-1"])
def test_a_resumed_training_finds_the_pictures_that_it_began_with(
    name: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "cat/bad.png").write_bytes(b"")
    dataset = load_dataset(photos, size=8, gray=True, fit="pad", background=(9, 9, 9), skip_bad=True)
    interrupt(dataset, Path("runs") / name)
    chosen = _resuming.chosen_before(Chosen(None, {"size": None, "skip_bad": False}), Path("runs/long"))
    assert _data.load(chosen).checksums == dataset.checksums
    assert f"going on with --data {photos}, which the training of runs/long began" in capsys.readouterr().err
    named = Chosen(Path("elsewhere"), {})
    assert _resuming.chosen_before(named, Path("runs/long")) == named
    assert _resuming.chosen_before(Chosen(None, {}), Path("runs/other")) == Chosen(None, {})


def test_pictures_that_an_older_training_did_not_note_are_asked_for(photos: Path, run: Run) -> None:
    checkpoints.begin(runs.staging(Path("runs/long")), RECIPES["cnn"], load_dataset(photos, size=8).checksums)
    code, _, err = run("train", "--name", "long", "--resume")
    assert code == 2
    assert "runs/long did not note which data it began with: name it with --data" in err


def test_a_training_that_is_not_finished_is_no_missing_run(photos: Path, run: Run) -> None:
    interrupt(load_dataset(photos, size=8), Path("runs/long"))
    for verb in ("export", "evaluate"):
        code, _, err = run(verb, "long")
        assert code == 2
        assert "runs/long is not finished: where it was interrupted, go on with the command that began" in err


def test_of_folds_no_splits_are_told_but_how_many_pictures_they_have(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = _data.load(Chosen(photos, {"size": 8}, folds=True))
    assert "splits by content" not in capsys.readouterr().err
    assert dataset.notes[0].startswith("splits by content: ")
    one, together = folds(dataset, 4)[0], whole(dataset, 4)
    for part in (one, together):
        _data.say_fold(part)
        _data.load(Chosen(photos, {}), dataset.task, part.describe())
    said = capsys.readouterr().err
    assert f"fold 1 of 4: {len(one.train)} pictures to learn from, {len(one.test)} to test with\n" in said
    assert f"all 4 folds: {len(together.train)} pictures to learn from\n" in said
    assert "splits by content" not in said
    _data.load(Chosen(photos, {"size": 8}))
    assert "splits by content" in capsys.readouterr().err


def test_pictures_that_are_all_in_two_classes(tmp_path: Path, run: Run) -> None:
    for number in range(12):
        for name in ("cat", "dog"):
            draw(tmp_path / f"both/{name}/{number}.png", number)
    code, _, err = run("data", "both")
    assert code == 2
    assert "both: cat/0.png (cat, " in err
    assert "are the same picture, and 11 more such pairs: remove one, or leave" in err
    code, _, err = run("data", "both", "--drop-duplicates")
    assert "both: each picture is in two classes, as cat/0.png (cat, " in err
    for number in range(50, 80):
        draw(tmp_path / f"both/dog/{number}.png", number)
    assert "are the same picture" in run("data", "both")[2]
    code, _, err = run("data", "both", "--drop-duplicates")
    assert "one class, dog, and nothing to tell it from, all pictures of cat being in two classes" in err
    shutil.rmtree(tmp_path / "both/cat")
    (tmp_path / "both/cat").mkdir()
    (tmp_path / "both/cat/loop").symlink_to(tmp_path / "both/dog")
    code, _, err = run("data", "both", "--follow-links")
    assert "both: cat/loop/0.png (cat, " in err


def test_what_is_kept_is_forgotten(photos: Path, run: Run) -> None:
    run("data", photos)
    assert "removed from the cache: 0.0 MB" in run("data", photos, "--forget")[2]
    assert list(Path("cache/edgefashion/pictures").iterdir()) == []


def test_options_that_have_no_meaning_are_refused(photos: Path, sample_folder: Path, run: Run) -> None:
    assert "both name a data set" in run("data", photos, "--data", photos)[2]
    assert "--json is of pictures" in run("data", sample_folder, "--json")[2]
    assert "--forget is of pictures" in run("data", sample_folder, "--forget")[2]
    assert "are made: leave out --fit" in run("data", sample_folder, "--fit", "pad")[2]
    assert "'8x' is no size of images" in run("data", photos, "--size", "8x")[2]
    assert "'reddish' is no color" in run("data", photos, "--background", "reddish")[2]
    assert run("data", photos, "--index", "1", "--plot", "a.png")[0] == 2


@pytest.mark.parametrize("verb", ["train", "run"])
def test_too_few_pictures_of_a_class_are_refused_before_training(verb: str, tmp_path: Path, run: Run) -> None:
    for number in range(20):
        draw(tmp_path / f"few/{'cat' if number < 5 else 'dog'}/{number}.png", number)
    code, _, err = run(verb, "--data", tmp_path / "few")
    assert code == 2
    assert (
        "few: the class cat has 5 pictures: add some, 10 at least, or train all the same with --force" in err
    )


def test_a_model_of_other_classes_is_refused_in_words(photos: Path, run: Run) -> None:
    said = "photos has pictures of cat, dog, and the model knows T-shirt/top, Trouser, Pullover and 7 more"
    for words in (
        ("evaluate", "zoo:cnn-64k", "--seconds", "0.01"),
        ("bundle", "zoo:cnn-64k", "-o", "a.zip"),
        ("card", "zoo:cnn-64k", "-o", "CARD.md"),
        ("predict", "zoo:cnn-64k", "--index", "0"),
    ):
        code, _, err = run(*words, "--data", photos)
        assert code == 2
        assert said in err


def test_names_act_on_nothing_that_shows_them(tmp_path: Path, run: Run) -> None:
    for number, name in enumerate(ODD * 12):
        draw(tmp_path / f"odd/{name}/a\nb\x1b[31m{number}.png", number)
    (tmp_path / f"odd/{ODD[0]}/\x1b[2Jbad\u202e.png").write_bytes(b"x")
    code, out, err = run("data", "odd", "--skip-bad", "--plot", "grid.svg")
    assert code == 2  # a class that has a control character
    assert r"has a class '<b>&\x7f': name it" in err
    shutil.rmtree(f"odd/{ODD[3]}")
    code, out, err = run("data", "odd", "--skip-bad", "--plot", "grid.svg")
    assert code == 0
    assert r"\x1b[2Jbad\u202e.png" in err
    assert r"c d\u202e" in out
    assert not {"\x1b", "\u202e"} & set(out + err)
    assert "\u202e" not in Path("grid.svg").read_text()


def test_a_model_finds_the_pictures_that_it_was_trained_with(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "cat/bad.png").write_bytes(b"")
    trained: Dataset = load_dataset(photos, size=8, skip_bad=True)
    recorded: Any = trained.describe()
    found = _data.load(Chosen(None, {}), trained.task, recorded)
    assert found.checksums == trained.checksums
    assert capsys.readouterr().err.splitlines()[-1] == (f"data: folder {photos}, which the run was made with")
    photos.rename("moved")
    with pytest.raises(SystemExit):
        main(["data", str(photos)])
    assert "no such folder" in capsys.readouterr().err
    from edgefashion.errors import DataError

    with pytest.raises(DataError, match="which the run was made with, is not there: name it with --data"):
        _data.load(Chosen(None, {}), trained.task, recorded)
    again = _data.load(Chosen(Path("moved"), {"skip_bad": True}), trained.task, recorded)
    assert again.checksums == trained.checksums


def test_the_next_command_goes_on_with_the_same_data() -> None:
    params = {"data_folder": Path("my photos"), "skip_bad": True, "drop_duplicates": False}
    assert _data.with_data("edgefashion export runs/cnn", params) == (
        "edgefashion export --data 'my photos' --skip-bad runs/cnn"
    )
    params |= {"size": (48, 48), "fit": "pad", "gray": False, "background": (255, 128, 0)}
    assert _data.with_data("edgefashion export", params) == "edgefashion export --data 'my photos' --skip-bad"
    assert _data.with_data("edgefashion train", params) == (
        "edgefashion train --data 'my photos' --skip-bad --size 48 --fit pad --rgb --background '#ff8000'"
    )
    assert _data.with_data("edgefashion train", {**params, "background": "none"}).endswith(
        " --background none"
    )
    assert _data.with_data("edgefashion export", {"data_folder": None}) == "edgefashion export"
