"""`edgefashion predict`, as a user types it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgefashion import zoo
from edgefashion.cli import main
from edgefashion.data import CLASS_NAMES, Dataset

MODELS = Path(__file__).parents[1] / "files/models"
MODEL = MODELS / "tiny-int8.tflite"


def predict(capsys: pytest.CaptureFixture[str], *arguments: object, code: int | None = 0) -> tuple[str, str]:
    """What the verb prints, and what it says on stderr."""
    with pytest.raises(SystemExit) as stopped:
        main(["predict", *map(str, arguments)])
    captured = capsys.readouterr()
    assert code is None or (stopped.value.code or 0) == code, captured.err
    return captured.out, captured.err


@pytest.fixture
def picture(sample: Dataset, tmp_path: Path) -> Path:
    """The first test image, dark on white and three times as large."""
    path = tmp_path / "clothing.png"
    Image.fromarray(np.kron(255 - sample.test.images[0, ..., 0], np.ones((3, 3), np.uint8))).save(path)
    return path


def test_pictures_and_test_images(
    picture: Path, sample_folder: Path, sample: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--index", 5, "--index", 399, "--data", sample_folder)
    out, _ = predict(capsys, MODEL, picture, *options)
    assert f"{picture}: 84x84, trimmed, fitted into 28x28, inverted (bright border)" in out
    assert f"test image 399: {CLASS_NAMES[sample.test.labels[399]]}" in out
    found = json.loads(predict(capsys, MODEL, picture, *options, "--json")[0])
    assert [image["image"] for image in found["images"]] == [str(picture), "test image 5", "test image 399"]
    assert found["images"][0]["inverted_because"] == "border"
    assert found["images"][1]["label"] == sample.test.labels[5]
    for image in found["images"]:
        (prediction,) = image["predictions"]
        guess = prediction["top"][0]
        assert guess["label"] == np.argmax(prediction["logits"])
        assert f"{guess['class']} {100 * guess['probability']:.1f} %" in out


def test_the_same_picture_in_both_polarities(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    negative = tmp_path / "negative.png"
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(negative)
    found = json.loads(predict(capsys, MODEL, picture, negative, "--json")[0])
    first, second = found["images"]
    assert (first["inverted"], second["inverted"]) == (True, False)
    assert first["predictions"] == second["predictions"]
    wrong = json.loads(predict(capsys, MODEL, negative, "--invert", "--json")[0])
    assert wrong["images"][0]["predictions"] != first["predictions"]
    assert wrong["images"][0]["inverted_because"] == "asked"


def test_damaged_pictures_do_not_keep_the_others_from_being_classified(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, empty = tmp_path / "cut.png", tmp_path / "empty.png"
    cut.write_bytes(picture.read_bytes()[:60])
    empty.touch()
    out, err = predict(capsys, MODEL, cut, picture, code=2)
    assert f"{picture}: 84x84" in out
    assert str(cut) not in out
    assert err.splitlines()[-1].startswith(f"edgefashion: {cut} is truncated or damaged")
    out, err = predict(capsys, MODEL, cut, picture, empty, "--json", code=2)
    found = json.loads(out)
    assert [image["image"] for image in found["images"]] == [str(picture)]
    assert [image["image"] for image in found["refused"]] == [str(cut), str(empty)]
    assert found["refused"][1]["error"] == f"{empty} is empty: copy it again"
    assert f"{empty} is empty: copy it again\n" in err
    assert err.splitlines()[-1] == "edgefashion: 2 of 3 pictures are not classified: see above"


def test_without_a_model_the_best_that_is_shipped_answers_a_line_a_picture(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cross = tmp_path / "cross.png"
    drawn = Image.new("L", (90, 90), 255)
    for line in ((15, 80, 75, 10), (15, 10, 75, 80)):
        ImageDraw.Draw(drawn).line(line, fill=0, width=8)
    drawn.save(cross)
    out, err = predict(capsys, picture, cross)
    known, unknown = out.splitlines()
    assert known.startswith(f"{picture}: Sneaker ")
    assert unknown.startswith(f"{cross}: none of these (closest: ")
    shipped = zoo.open_zoo()
    best, why = shipped.best()
    assert f"taking zoo:{best}, of the shipped ones {why}" in err
    found = json.loads(predict(capsys, picture, cross, "--json")[0])
    assert [each["predictions"][0]["none_of_these"] for each in found["images"]] == [False, True]
    assert found["images"][0]["predictions"][0]["file"] == shipped.artifacts(best)[0].path.name


def test_what_the_model_saw_is_drawn(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, seen = tmp_path / "gone.png", tmp_path / "seen.svg"
    out, err = predict(capsys, "zoo:cnn-64k", picture, gone, "--plot", seen, code=2)
    assert "Sneaker" in out
    assert f"written: {seen}" in err
    drawn = seen.read_text()
    assert "clothing.png" in drawn
    assert "as the model sees it" in drawn
    assert "28x28" in drawn
    assert "What 2 model files answered" in drawn


def test_a_picture_is_not_drawn_over_and_nothing_is_drawn_of_nothing(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = picture.read_bytes()
    gone, seen = tmp_path / "gone.png", tmp_path / "seen.png"
    for arguments, said in (
        ([picture, "--plot", picture], "clothing.png is one of the files to read: write to another"),
        ([gone, "--plot", seen], "gone.png does not exist: name a "),
        ([gone, tmp_path / "too.png", "--plot", seen], "2 of 2 pictures are not classified: see above"),
        ([picture, "--plot", tmp_path / "seen.jpg"], "end the name in .png, .svg or .pdf"),
        (
            [picture, "--plot", tmp_path / "nowhere/seen.png"],
            "its folder is missing: make it first, or name another",
        ),
    ):
        _, err = predict(capsys, MODEL, *arguments, code=None)
        assert said in err.splitlines()[-1]
        assert not seen.exists()
    assert picture.read_bytes() == before


def test_a_white_cut_out_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    path = MODELS.parent / "cases/white_cutout.png"
    out, _ = predict(capsys, MODEL, path)
    assert "560x560, pale and cut out: put on black, trimmed" in " ".join(out.split())
    _, err = predict(capsys, MODEL, path, "--invert", code=2)
    assert "add --no-invert where it is brighter than what is around it" in err


def test_the_sample_answers_to_an_index_where_no_data_set_is(
    nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = predict(capsys, "zoo:cnn-64k", "--index", 3)
    assert "test image 3 of the sample: " in out
    assert "taking the sample that comes with edgefashion, 500 test images" in err
    assert not nowhere.exists()


def test_bad_input_is_one_line(
    picture: Path, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    data = ("--data", sample_folder)
    for arguments, said in (
        ([], "there is nothing to classify"),
        ([MODEL], "there is nothing to classify"),
        ([picture, MODEL], "is a picture, and the model comes first"),
        ([picture, "zoo:cnn-64k"], "comes first: edgefashion predict zoo:cnn-64k "),
        ([MODEL, tmp_path / "gone.png"], "gone.png does not exist"),
        ([MODEL, "--index", 400, *data], "there is no test image 400: give 0 to 399"),
        ([MODEL, "--index", -1, *data], "--index"),
        ([tmp_path / "gone.tflite", picture], "gone.tflite does not exist"),
        (["nowhere", picture], "there is no run"),
        ([MODELS / "float-input.onnx", picture], "float-input.onnx: expected uint8"),
    ):
        out, err = predict(capsys, *arguments, code=2)
        assert said in err.splitlines()[-1]
        assert out == "" or "float-input" in said
