"""Fields of recipes set as text and in TOML files: their types, and what is said of what cannot be."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from edgefashion.cli._group import cli
from edgefashion.errors import BadInput
from edgefashion.recipes import NAMED_RECIPES, overrides


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_texts_have_the_type_of_their_field() -> None:
    texts = ["epochs=30", "erase=0.25", "learning_rate=1", "flip=false", "schedule=cosine", "limit=500"]
    assert overrides.settings([*texts, "weights=none"]) == {
        "epochs": 30,
        "erase": 0.25,
        "learning_rate": 1.0,
        "flip": False,
        "schedule": "cosine",
        "limit": 500,
        "weights": "none",
    }


@pytest.mark.parametrize("name", ["name", "model", "fine_tuning", "teacher_id", "clusters"])
def test_what_options_decide_is_not_set(name: str) -> None:
    with pytest.raises(BadInput, match=f"unknown field '{name}'"):
        overrides.settings([f"{name}=x"])


def test_a_file_names_its_recipe_and_its_fields(file: Path) -> None:
    file.write_text('recipe = "cnn-64k"\n# comment\nepochs = 7\nerase = 0\nflip = true\n')
    found = overrides.read(file)
    assert found == overrides.Config("cnn-64k", {"epochs": 7, "erase": 0.0, "flip": True})
    assert type(found.fields["erase"]) is float


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flip = true\n\nepochs = '3'\n", "line 3: epochs is a whole number, not '3'"),
        ("epochs = 3.5", "line 1: epochs is a whole number, not 3.5"),
        ("epochs = true", "line 1: epochs is a whole number, not True"),
        ("\nflip = 1", "line 2: flip is true or false, not 1"),
        ("erase = 'much'", "line 1: erase is a number, not 'much'"),
        ("weights = 3", "line 1: weights is text, not 3"),
        ("schedule = 'linear'", "line 1: schedule is one of constant, cosine, one-cycle, not 'linear'"),
        ("\n\nepoch = 3", "line 3: unknown field 'epoch': did you mean epochs?"),
        ("epochs = 3\n[augmentation]\nflip = true", "line 2: unknown field 'augmentation'"),
        ("recipe = 'cnn-65k'", "line 1: unknown recipe 'cnn-65k': did you mean cnn-64k?"),
        ("recipe = 3", "line 1: unknown recipe 3"),
        ("epochs = ", "is not TOML: Invalid value (at end of document)"),
        ("epochs = 3\nepochs = 4\n", "is not TOML: Cannot overwrite a value (at line 2"),
    ],
)
def test_what_cannot_be_is_said_with_file_and_line(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(BadInput) as refused:
        overrides.read(file)
    assert str(refused.value).startswith(str(file))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not UTF-8 text"):
        overrides.read(file)


def test_the_command_line_wins_over_the_file(
    file: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgefashion.cli import train

    seen = []

    def record(recipe: object, *_: object) -> None:
        seen.append(recipe)
        raise BadInput("enough")

    monkeypatch.setattr(train, "_fit", record)
    file.write_text('recipe = "cnn-64k"\nepochs = 7\nerase = 0.1\nema = 0.9\n')
    options = ["--epochs", "8", "--set", "erase=0.2", "--teacher", "big", "--teacher", "wide"]
    folders = ["--runs", "r", "--data", str(sample_folder)]
    CliRunner().invoke(cli, ["train", "--config", str(file), *options, *folders])
    (recipe,) = seen
    small = NAMED_RECIPES["cnn-64k"]
    assert small.differences(recipe) == [
        "epochs 110 → 8",
        "ema 0.998 → 0.9",
        "erase 0.0 → 0.2",
        "teacher None → r/big",
        "other_teachers () → ('r/wide',)",
        "distillation 0.0 → 0.8",
        "temperature 1.0 → 3.0",
    ]


def test_a_file_and_an_option_that_name_two_recipes(file: Path) -> None:
    file.write_text('recipe = "cnn-64k"')
    result = CliRunner().invoke(cli, ["train", "--config", str(file), "--recipe", "cnn"])
    assert "--recipe cnn and recipe = cnn-64k of --config differ" in str(result.exception)
