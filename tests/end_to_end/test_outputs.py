"""Results that were measured are kept: in files first, and whatever becomes of the terminal."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion import zoo
from edgefashion.cli import _output, main
from edgefashion.cli._group import VERBS, command
from edgefashion.errors import BadInput, OutputError
from edgefashion.files import reading

COMMAND = [sys.executable, "-m", "edgefashion"]
TALKATIVE = """
from edgefashion.cli import _progress, main
_progress.Bar.__init__.__defaults__ = (0, True)
main()
"""
"""The same, which says how far it is whenever it gets further."""
BENCH = ["bench", "--seconds", "0.05", "--threads", "1"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model file with a name that is no UTF-8."""
    path = tmp_path / os.fsdecode(b"caf\xe9.onnx")
    shutil.copy(zoo.open_zoo().artifacts("zoo:cnn-64k")[1].path, path)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: Path) -> list[dict[str, object]]:
    """What a results file holds that must be one."""
    content = reading.read_json(path, "a results file", BadInput)
    return list(content["results"])


def run(*words: str | Path, shell: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line, with redirections of the shell."""
    line = ["bash", "-c", f'set -o pipefail; "$@" {shell}', "bash", *COMMAND, *map(str, words)]
    return subprocess.run(
        line, capture_output=True, text=True, errors="replace", env=os.environ | environment
    )


@pytest.mark.parametrize(
    ("shell", "code"),
    [("| true", 141), (">/dev/full 2>/dev/full", 2), (">&- 2>&- <&-", 0)],
)
def test_results_are_in_the_file_whatever_becomes_of_the_output(
    shell: str, code: int, model: Path, tmp_path: Path
) -> None:
    child = [] if "<&-" in shell else ["--in-process"]
    done = run(*BENCH, *child, model, "--json", tmp_path / "r.json", shell=shell)
    (row,) = rows(tmp_path / "r.json")
    assert row["status"] == "ok"
    assert row["path"] == f"{tmp_path}/caf\\udce9.onnx"
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    left = [path.name for path in tmp_path.iterdir() if path != model]
    assert left == ["r.json"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_encoding_that_lacks_characters_gets_others(encoding: str) -> None:
    done = run("inspect", "zoo:cnn-64k", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "MACs" in done.stdout
    assert json.loads(run("inspect", "--json", "zoo:cnn-64k", PYTHONIOENCODING=encoding).stdout)


def test_json_of_a_name_in_another_encoding_can_be_read(model: Path) -> None:
    done = run("inspect", "--json", model, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", LC_ALL="C")
    assert json.loads(done.stdout)[0]["path"].endswith("caf\\udce9.onnx")


@pytest.mark.parametrize("shell", ["| true", ">/dev/full", ">&-", "2>&-", "2>/dev/full"])
@pytest.mark.parametrize("words", [["recipes"], ["--help"]])
def test_no_output_is_no_traceback(words: list[str], shell: str) -> None:
    done = run(*words, shell=shell)
    assert done.returncode in ({"| true": (141, 0), ">/dev/full": (2,)}.get(shell, (0,)))
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    if shell == ">/dev/full":
        assert done.stderr.splitlines()[-1] == (
            "edgefashion: cannot write to the standard output: No space left on device; files are written"
        )


@pytest.mark.parametrize(("number", "presses"), [(signal.SIGTERM, 1), (signal.SIGHUP, 1), (signal.SIGINT, 2)])
def test_what_is_measured_is_kept_however_one_is_told_to_end(
    number: signal.Signals, presses: int, model: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    words = ["bench", model, "--seconds", "5", "--threads", "1", "--json", tmp_path / "r.json"]
    process = subprocess.Popen(
        [sys.executable, "-c", TALKATIVE, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    assert process.stderr
    while "round 3" not in process.stderr.readline():
        assert process.poll() is None
    for _ in range(presses):
        process.send_signal(number)
        time.sleep(0.05)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 128 + number
    # The second may come when all is said.
    assert "edgefashion: interrupted; what was finished is kept" in said.splitlines()[-presses:]
    assert "Traceback" not in said
    assert {flag["flag"] for row in rows(tmp_path / "r.json") for flag in row["flags"]} >= {"interrupted"}  # type: ignore[attr-defined]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("words", [["bench", "zoo:cnn-64k", "--seconds", "0.01"], ["inspect", "zoo:cnn-64k"]])
def test_a_pipe_that_nobody_reads_is_refused_before_the_work(words: list[str], here: Path) -> None:
    os.mkfifo("pipe")
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json", "pipe"])
    assert ended.value.code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_reader_who_stalls_can_be_left_and_the_results_are_told(number: int, here: Path) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    script = (
        "from pathlib import Path; from edgefashion.cli import _output, _streams;"
        "from edgefashion.system.interruption import Interruption;"
        "_streams.replace(); Interruption().take_over();"
        "_output.say('writing');"
        "outputs = [(Path('pipe'), _output.text_of(lambda: 'x' * 999_999))];"
        "_output.deliver(outputs, lambda: _output.show('told'))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr and process.stderr.readline() == "writing\n"
    assert select.select([reader], [], [], 10)[0]
    time.sleep(0.1)
    process.send_signal(number)
    assert "told\n" in process.communicate(timeout=10)[0]
    os.close(reader)


def test_a_stalled_standard_output_ends_with_the_second_signal(here: Path) -> None:
    words = ["inspect", "zoo:cnn-64k", "--json"]
    process = subprocess.Popen(
        [*COMMAND, *words, *["zoo:cnn-64k"] * 40], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout and select.select([process.stdout], [], [], 30)[0]
    time.sleep(0.3)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert process.wait(10) == 130


def test_a_signal_that_was_switched_off_stays_so(model: Path, tmp_path: Path) -> None:
    words = [*BENCH, "--in-process", model, "--json", tmp_path / "r.json"]
    process = subprocess.Popen(["nohup", *COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr
    process.stderr.readline()
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert rows(tmp_path / "r.json")


def test_what_cannot_be_written_after_all_is_told_all_the_same(here: Path) -> None:
    told = []

    def fail(path: Path) -> None:
        raise OutputError(f"cannot write {path}")

    outputs = [(Path("a.json"), fail), (None, fail), (Path("b.csv"), _output.text_of(lambda: "b"))]
    with pytest.raises(OutputError, match=r"cannot write a\.json$"):
        _output.deliver(outputs, lambda: told.append("the tables"))
    assert told == ["the tables"]
    assert (here / "b.csv").read_text() == "b"


OUTPUTS = [
    (["bench", "zoo:cnn-64k"], ["--json", "--csv", "--markdown"]),
    (["evaluate", "zoo:cnn-64k"], ["--json", "--csv", "--markdown"]),
    (["compare", "none.json"], ["--json", "--csv", "--markdown", "--plot"]),
    (["card", "zoo:cnn-64k", "-o", "card.md"], ["--plot"]),
    (["card", "zoo:cnn-64k"], ["-o"]),
    (["bundle", "zoo:cnn-64k"], ["-o"]),
    (["debug", "cnn"], ["--json", "--plot"]),
    (["data"], ["--plot"]),
    (["bench", "zoo:cnn-64k", "--sustained", "1"], ["--plot"]),
]


@pytest.mark.parametrize(
    ("words", "option"), [(words, option) for words, options in OUTPUTS for option in options]
)
def test_an_output_is_tried_before_the_work(
    words: list[str],
    option: str,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (here / "file").touch()
    (here / "folder.png").mkdir()
    kind = ".png" if option == "--plot" else ".zip" if words[0] == "bundle" else ""
    for name, said in (
        (f"file/x{kind}", "Not a directory; a part of its path is a file"),
        ("folder.png", "Is a directory; name a file"),
        ("x" * 300 + kind, "File name too long; choose a shorter name"),
        (f"/proc/x{kind}", "cannot write /proc/x"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main([*words, option, name])
        assert stopped.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line
    assert sorted(path.name for path in here.iterdir()) == ["file", "folder.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bench", "a.onnx", "--json", "a.onnx"], "a.onnx is one of the files to read"),
        (["evaluate", "a.onnx", "--csv", "./a.onnx"], "a.onnx is one of the files to read"),
        (["bundle", "a.zip", "-o", "a.zip"], "a.zip is one of the files to read"),
        (["card", "cnn", "r.json", "-o", "r.json"], "r.json is one of the files to read"),
        (["bench", "a.onnx", "--json", "r.json", "--csv", "./r.json"], "r.json is the file of --json too"),
    ],
)
def test_no_output_takes_the_place_of_an_input_or_another(
    words: list[str],
    said: str,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("a.onnx", "a.zip", "r.json"):
        (here / name).touch()
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[int, str], list[str]]:
    """shown(80, "recipes"): the lines in a terminal so wide."""

    def lines(width: int, command: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True)
        with pytest.raises(SystemExit) as stopped:
            main(command.split())
        assert stopped.value.code in (0, 1)
        captured = capsys.readouterr()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", captured.out + captured.err).splitlines()

    return lines


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("command", ["recipes", "inspect zoo:cnn-64k", "data --data {sample}"])
def test_no_line_is_longer_than_the_terminal(
    command: str, width: int, sample_folder: Path, shown: Callable[[int, str], list[str]]
) -> None:
    lines = shown(width, command.format(sample=sample_folder))
    assert len(lines) > 9
    assert [line for line in lines if len(line.rstrip()) > width and len(line.split()) > 1] == []


@pytest.mark.parametrize(
    "command",
    [
        "doctor",
        "predict zoo:cnn-64k --index 0 --index 1 --data {sample}",
        "bundle zoo:cnn-64k -o a.zip --images 2 --data {sample}",
        "bench zoo:cnn-64k --in-process --seconds 0.01 --threads 1 --json a.json",
        "card zoo:cnn-64k -o a.md --data {sample}",
    ],
)
def test_no_line_is_longer_than_a_narrow_terminal(
    command: str, here: Path, sample_folder: Path, shown: Callable[[int, str], list[str]]
) -> None:
    lines = [line.split("\r")[-1] for line in shown(60, command.format(sample=sample_folder))]
    assert [line for line in lines if len(line.rstrip()) > 60 and len(line.split()) > 1] == []


def output_options() -> list[tuple[str, str]]:
    """Every option of a verb that names a file to write."""
    options = [(verb, each) for verb in VERBS for each in command(verb).params]
    return [(verb, each.opts[0]) for verb, each in options if isinstance(each.type, _output.OutputFile)]


@pytest.mark.parametrize(("verb", "option"), output_options())
def test_no_verb_makes_the_folder_of_an_output_file(
    verb: str, option: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is done, whatever else is named."""
    name = f"results/of/today.{'html' if verb == 'report' else 'png'}"
    with pytest.raises(SystemExit) as ended:
        main([verb, "a.json", option, name])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"edgefashion: cannot write {name}: No such file or directory; ")
    assert not list(here.iterdir())
