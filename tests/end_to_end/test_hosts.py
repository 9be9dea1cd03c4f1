"""`bench --host` and `doctor --host` as a user types them, against real sshds."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import edgefashion as ef
from edgefashion import zoo
from edgefashion.errors import OutputError
from edgefashion.evaluation import results
from edgefashion.hosts.host import Host
from edgefashion.shelf.benchmark import _Benchmark
from edgefashion.shelf.payload import payload
from edgefashion.version import __version__

if TYPE_CHECKING:
    from conftest import Typed
    from sshd import LoopbackHost, Shelf

MODEL = "zoo:cnn-64k-int8-qat.tflite"
THERE = ("--python", sys.executable)
QUICK = ("--threads", 1, "--seconds", 0.01, *THERE)
(_SENT,) = payload([MODEL]).expected.values()
_ROW = {"model": _SENT.model, "format": _SENT.format, "path": MODEL, "threads": 1, "status": "ok"}
_ROW |= {"sha256": _SENT.sha256, "images": _SENT.images, "accuracy": 0.5}
_ROW |= {"precision": _SENT.precision, "macs": _SENT.macs}
_LACKING = {"runtime": None, "latency_us": {"p50": 1.0, "samples": 1}}
_REPORT = {"schema": 2, "verb": "bench", "dataset": None, "device": {}, "results": [{**_ROW, **_LACKING}]}


def saying(report: dict[str, Any]) -> list[str]:
    """The lines that a host answers with."""
    text = json.dumps(report)
    lines = ({"type": "part", "text": text}, {"type": "done", "characters": len(text)})
    return [json.dumps(line) for line in lines]


SOUND = saying(_REPORT)
"""What a host says that has measured."""
AT_WORK = "edgefashion.runtimes.worker"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def wait_until_at_work(host: "LoopbackHost", seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not any(AT_WORK in line for line in host.processes().values()):
        assert time.monotonic() < end, host.processes()
        time.sleep(0.05)


def pretending(path: Path, *lines: str) -> Path:
    """An interpreter that is none: it says lines, whatever it is asked."""
    script = [
        "#!/bin/sh",
        f'case "$*" in *"edgefashion is"*) echo "edgefashion is {__version__} $0"; exit;; esac',
        "read -r line",
        *(f"printf '%s\\n' {shlex.quote(line)}" for line in lines),
        "cat > /dev/null",
    ]
    path.write_text("\n".join(script))
    path.chmod(0o755)
    return path


def test_hosts_end_in_one_table_and_those_that_fail_are_rows_of_it(
    shelf: "Shelf", typed: "Typed", here: Path
) -> None:
    _, slow, dead = shelf("a", "slow", "dead")
    slow.login("sleep 1")
    shelf.missing("off")
    (here / "list").write_text("slow  # under the desk\n\ndead\noff\n")
    dying = threading.Thread(target=lambda: (wait_until_at_work(dead), dead.cut()))
    dying.start()
    done = typed("bench", MODEL, *QUICK, "--host", "a", "--hosts", "list", "--json", "all.json", code=1)
    dying.join()
    assert done.error.startswith("edgefashion: dead, off: 2 of 4 hosts failed")
    assert "(1) a, " in done.stdout and "(2) slow, " in done.stdout and "No results" in done.stdout
    assert sorted(path.name for path in (here / "hosts").iterdir()) == ["a.json", "slow.json"]
    for name in ("a", "slow"):
        (row,) = results.read(here / f"hosts/{name}.json").rows
        assert row.path == MODEL and row.accuracy and row.latency_us.p50
    failed = json.loads((here / "all.json").read_text())["failed"]
    assert {each["host"]: each["why"].partition(":")[0] for each in failed} == {
        "dead": "the connection was lost",
        "off": "it is there, and no ssh server answers on that port",
    }
    assert all(each["mend"] for each in failed)
    dead.wait_until_idle()


def test_where_nobody_can_be_reached_all_are_named(shelf: "Shelf", typed: "Typed", here: Path) -> None:
    shelf("a", "b")
    shelf.with_key("stranger")
    (here / "hosts").mkdir()
    (here / "hosts/b.json").write_text("{}")
    os.utime(here / "hosts/b.json", (0, 86400 * 3650))
    done = typed("bench", MODEL, *QUICK, "--host", "a", "--host", "b", code=1)
    assert "b: hosts/b.json has its results of 1979-12-30" in done.stderr and "a: hosts" not in done.stderr
    assert done.stdout.count("it takes none of your keys") == 2 and "ssh-copy-id" in done.stdout
    assert "a, b: 2 of 2 hosts failed" in done.error
    assert [path.name for path in (here / "hosts").iterdir()] == ["b.json"]


@pytest.mark.parametrize("verb", ["bench", "doctor"])
def test_one_machine_under_two_names_is_refused_the_second_time(
    verb: str, shelf: "Shelf", typed: "Typed", tmp_path: Path
) -> None:
    (host,) = shelf("a")
    other = f"127.0.0.1:{host.port}"
    words = (MODEL, "--python", pretending(tmp_path / "python", *SOUND)) if verb == "bench" else ()
    done = typed(verb, *words, "--host", "a", "--host", other, code=1)
    assert f"is the same machine as {other}" in done.stderr or "is the same machine as a;" in done.stderr
    assert "1 of 2 hosts failed" in done.error


def test_interrupted_it_keeps_and_shows_what_has_come(
    shelf: "Shelf", typed: "Typed", here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stuck = shelf("a", "stuck")
    stuck.login("sleep 20")
    python = pretending(tmp_path / "python", *SOUND)
    take = _Benchmark._keep

    def then_interrupt(self: _Benchmark, host: Host, report: Path) -> None:
        take(self, host, report)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_Benchmark, "_keep", then_interrupt)
    done = typed("bench", MODEL, "--python", python, "--host", "stuck", "--host", "a", code=130)
    assert "(1) a, " in done.stdout and (here / "hosts/a.json").exists()
    assert "interrupted; what was finished is kept" in done.error


def test_from_python_each_host_has_results_or_says_why_it_has_none(
    shelf: "Shelf", here: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shelf("a")
    shelf.missing("off")
    python = str(pretending(tmp_path / "python", *SOUND))
    ended: list[tuple[str, bool]] = []
    found = ef.benchmark_hosts(
        MODEL, ["a", "off"], python=python, ended=lambda host, error: ended.append((str(host), error is None))
    )
    assert [row.path for row in found.results["a"].rows] == [MODEL] and not found.interrupted
    assert [error.host for error in found.failed] == ["off"] and sorted(ended) == [
        ("a", True),
        ("off", False),
    ]
    assert "(1) a, " in found.table() and "no ssh server answers" in found.table() and "a" in repr(found)
    assert list(here.iterdir()) == [] and capfd.readouterr() == ("", "")
    for wrong in (
        {"threads": [0]},
        {"threads": ["many"]},
        {"hosts": []},
        {"hosts": "-o"},
        {"models": "none"},
    ):
        with pytest.raises(ef.BadInput):
            ef.benchmark_hosts(**{"models": MODEL, "hosts": "a"} | wrong)  # type: ignore[arg-type]


def test_results_that_cannot_be_written_are_shown_all_the_same(
    shelf: "Shelf", typed: "Typed", here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf("a")
    python = pretending(tmp_path / "python", *SOUND)

    def full(path: Path, content: str) -> None:
        raise OutputError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr("edgefashion.files.write_text", full)
    done = typed("bench", MODEL, "--python", python, "--host", "a", code=2)
    assert "(1) a, " in done.stdout and done.error.endswith("No space left on device")


def _ends_ssh(process: "subprocess.Popen[bytes]", host: "LoopbackHost") -> None:
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    (ssh,) = [pid for thread in threads for pid in (thread / "children").read_text().split()]
    os.kill(int(ssh), signal.SIGKILL)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda process, _: process.send_signal(signal.SIGINT), 130),
        (lambda process, _: process.send_signal(signal.SIGTERM), 143),
        (lambda process, _: process.kill(), -9),
        (lambda _, host: host.cut(), 1),
        (_ends_ssh, 1),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGKILL", "sshd", "ssh"],
)
def test_nothing_is_left_running_there_whatever_ends_it(
    end: "Callable[[subprocess.Popen[bytes], LoopbackHost], None]", code: int, shelf: "Shelf"
) -> None:
    (host,) = shelf("a")
    command = ("bench", MODEL, "--threads", "1", "--seconds", "60", *THERE, "--host", "a")
    process = subprocess.Popen(
        [sys.executable, "-m", "edgefashion", *command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        wait_until_at_work(host)
        end(process, host)
        assert process.wait(30) == code
        host.wait_until_idle()
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--host", "a", "--host", "a"), "a is named twice"),
        (("--host", "-oProxyCommand=touch x"), "is no host"),
        (("--hosts", "missing"), "missing cannot be read"),
        (("--python", "python3"), "--python is for other machines: name one with --host"),
        (("--forget",), "--forget is for other machines: name one with --host"),
        (("--results", "x"), "--results is for other machines: name one with --host"),
        (("--host", "a", "--threads", "0"), "'0' is not a number of threads"),
        (("--host", "a", "missing.zip"), "missing.zip"),
        (("--host", "a", "--forget", MODEL), "--forget measures nothing"),
    ],
)
def test_what_makes_no_sense_is_said_before_any_host_is_asked(
    words: tuple[str, ...], error: str, typed: "Typed", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFASHION_SSH", "false")
    assert error in typed("bench", *words, code=2).error


def test_a_host_that_lies_is_a_row_and_nothing_it_says_reaches_the_terminal(
    shelf: "Shelf", typed: "Typed", here: Path, tmp_path: Path
) -> None:
    shelf("liar")
    lie = json.dumps({"schema": 2, "device": {"board": "\x1b[2J"}, "results": [{"path": 1}]})
    answers = (
        "\x1b]0;title\x07",
        json.dumps({"type": "progress", "doing": "\x1b[31mred\nred", "done": 1, "total": 2}),
        json.dumps({"type": "part", "text": lie}),
        json.dumps({"type": "done", "characters": len(lie)}),
    )
    python = pretending(tmp_path / "python", *answers)
    done = typed("bench", MODEL, "--host", "liar", "--python", python, code=1)
    assert "its answer, " in done.stdout.replace("\n", " ") or "its answer" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout and not list((here / "hosts").iterdir())


def test_a_host_that_measured_something_else_is_a_row_and_no_result(
    shelf: "Shelf", typed: "Typed", here: Path, tmp_path: Path
) -> None:
    shelf("a")
    strange = {**_REPORT, "results": [{**_ROW, **_LACKING, "sha256": "0" * 64}]}
    python = pretending(tmp_path / "python", *saying(strange))
    done = typed("bench", MODEL, "--host", "a", "--python", python, code=1)
    why = f"its answer is not about what was sent: {MODEL} has another SHA-256 there"
    assert why in " ".join(done.error.split()) or why in " ".join((done.stderr + done.stdout).split())
    assert not list((here / "hosts").iterdir())


def test_a_model_of_the_users_is_measured_there_under_its_name_here(
    shelf: "Shelf", typed: "Typed", here: Path
) -> None:
    (host,) = shelf("a")
    (shipped,) = zoo.open_zoo().artifacts(MODEL)
    (here / "models").mkdir()
    shutil.copy(shipped.path, here / "models/own.tflite")
    typed("bench", "models/own.tflite", *QUICK, "--host", "a", "--results", "kept", "--csv", "all.csv")
    (row,) = results.read(here / "kept/a.json").rows
    assert row.path == "models/own.tflite" and row.sha256 == shipped.sha256
    assert "int8" in (here / "all.csv").read_text()
    kept = [path.name for path in host.home.rglob("*") if path.is_file() and "work" in path.parts]
    assert kept == []


def test_doctor_says_what_a_host_lacks_and_sends_nothing(shelf: "Shelf", typed: "Typed") -> None:
    bare, none = shelf("bare", "none")
    none.login("PATH=/nowhere")
    shelf.missing("off")
    done = typed("doctor", "--host", "bare", code=0)
    assert "this one is not there yet" in done.stdout and "Python 3." in done.stdout
    assert list(bare.home.iterdir()) == []
    done = typed("doctor", "--host", "none", "--host", "off", "--json", code=1)
    told = json.loads(done.stdout)
    assert [each["host"] for each in told["failed"]] == ["off"]
    (machine,) = told["hosts"]
    assert machine["host"] == "none" and not machine["fit"]
    assert done.error.startswith("edgefashion: off: 1 of 2 hosts failed")
