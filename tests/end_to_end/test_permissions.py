"""What may not be read, in every verb: one line, exit code 2, and who can allow it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[1] / "files/models"
CALLS = """
import contextlib, io, json, sys
from edgefashion.cli import main
said = []
for words in json.loads(sys.argv[1]):
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        try:
            main(words)
        except SystemExit as stopped:
            said.append((stopped.code, err.getvalue().splitlines()[-1]))
        except BaseException as error:
            said.append((repr(error), ""))
print(json.dumps(said))
"""


@pytest.fixture
def here(tmp_path: Path, sample_folder: Path) -> Path:
    """A folder with a file of each kind that is read, sound or not: the closed one is met first."""
    for folder in ("models", "runs/one/artifacts"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(MODELS / "tiny-int8.tflite", tmp_path / folder)
    (tmp_path / "models/tiny-int8.tflite.json").write_text("{}")
    for name in ("p.png", "r.json", "b.zip", "t.toml", "runs/one/run.json", "runs/one/model.keras"):
        (tmp_path / name).write_text("{}")
    shutil.copytree(sample_folder, tmp_path / "data")
    return tmp_path


FILE, DATA = "models/tiny-int8.tflite", ["--data", "data"]
OF_A_FILE = [
    ["bench", FILE, "--threads", "1", "--seconds", "0.01"],
    ["evaluate", FILE, *DATA],
    ["predict", FILE, "--index", "3", *DATA],
    ["bundle", FILE, "-o", "o.zip", *DATA],
]
OF_A_RUN = [
    ["evaluate", "one"],
    ["predict", "one", "--index", "3"],
    ["card", "one", "-o", "c.md"],
    ["export", "one"],
    ["debug", "one"],
]
NEEDED: dict[str, list[list[str]]] = {
    "models": [*OF_A_FILE, ["inspect", FILE]],
    FILE: [*OF_A_FILE, ["inspect", FILE]],
    f"{FILE}.json": OF_A_FILE,
    "runs": [
        *OF_A_RUN,
        ["evaluate"],
        ["export"],
    ],
    "runs/one": [*OF_A_RUN, ["evaluate"], ["export"]],
    "runs/one/run.json": [*OF_A_RUN, ["evaluate"], ["export"]],
    "data": [["data", *DATA], ["train", *DATA], ["evaluate", "zoo:cnn-64k", *DATA]],
    "data/SHA256SUMS": [["data", *DATA]],
    "p.png": [["predict", "zoo:cnn-64k", "p.png"]],
    "r.json": [["compare", "r.json"], ["card", "zoo:cnn-64k", "r.json", "-o", "c.md"]],
    "b.zip": [["bench", "b.zip"]],
    "t.toml": [["train", "--config", "t.toml"]],
}


@pytest.mark.parametrize("closed", NEEDED)
def test_what_may_not_be_read_is_one_line(
    closed: str, here: Path, unprivileged: Callable[..., tuple[int, str]]
) -> None:
    calls = NEEDED[closed]
    (here / closed).chmod(0)
    code, out = unprivileged("-c", CALLS, json.dumps(calls))
    (here / closed).chmod(0o700)
    assert code == 0, out
    for words, (ended, line) in zip(calls, json.loads(out.splitlines()[-1]), strict=True):
        assert ended == 2, (words, ended, line)
        assert "Permission denied" in line, (words, line)
        assert "its owner can allow it with chmod" in line, (words, line)
