"""Trainings on other machines, over ssh: two train one run, and one that is lost ends all by its name."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from edgefashion.cli import main
from edgefashion.errors import Diverged, HostError, OutputError
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote
from edgefashion.shelf import lines, session, work
from edgefashion.shelf.errands import Errand
from edgefashion.shelf.session import Session
from edgefashion.shelf.training import Deal, Training
from edgefashion.shelf.work import Arrival
from edgefashion.training import checkpoints, runs

if TYPE_CHECKING:
    from sshd import LoopbackHost, Shelf

    from edgefashion.training.runs import Run

LIMIT_S = 150
WORDS = ("--limit=64", "--batch-size=16", "--device=cpu", "--name=x", f"--python={sys.executable}")


@pytest.fixture
def pair(shelf: "Shelf") -> "list[LoopbackHost]":
    return shelf("a", "b")


@contextlib.contextmanager
def training(folder: Path, data: Path, *words: str) -> "Iterator[subprocess.Popen[bytes]]":
    """What it says is in the file `said`."""
    command = [sys.executable, "-m", "edgefashion", "train", f"--data={data}", *WORDS, *words]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, stdout=said
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def wait_until(reached: Callable[[], object], process: "subprocess.Popen[bytes]", said: Path) -> None:
    end = time.monotonic() + LIMIT_S
    while not reached():
        assert process.poll() is None and time.monotonic() < end, said.read_text()
        time.sleep(0.1)


def test_two_machines_train_one_run_and_one_that_dies_is_named(
    pair: "list[LoopbackHost]", tmp_path: Path, sample_folder: Path, trained: "Run"
) -> None:
    """With a teacher and a recipe that are here. What the chief had done comes home, and one goes on."""
    staging, said = runs.staging(tmp_path / "runs/x"), tmp_path / "said"
    (tmp_path / "r.toml").write_text('flip = true\nepochs = 3\nloss = "categorical_crossentropy"\n')
    words = ("--epochs=1000", "--config=r.toml", "--teacher", str(trained.folder))
    with training(tmp_path, sample_folder, "--workers=a,b", *words) as process:
        wait_until(lambda: checkpoints.has_checkpoint(staging), process, said)
        (victim,) = [pid for pid, line in pair[1].processes().items() if "edgefashion train" in line]
        os.kill(victim, signal.SIGKILL)
        assert process.wait(timeout=30) == 1
    assert "edgefashion: b: its training was killed by signal 9" in said.read_text()
    assert "a: epoch 1/1000: loss" in said.read_text()
    for host in pair:
        host.wait_until_idle()
    state = checkpoints.begun(staging)
    assert state and state.recipe.flip and state.recipe.teacher_id == trained.id
    with training(tmp_path, sample_folder, "--workers=a", *words, "--resume") as process:
        wait_until(lambda: "a: resuming after epoch" in said.read_text(), process, said)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    pair[0].wait_until_idle()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--workers="], "--workers names no machine"),
        (["--workers=a,a"], "a is named twice"),
        (["--workers=-oProxyCommand=x"], "-oProxyCommand"),
        (["--workers=a,b", "--folds=3", "--fold=1"], "leave out --fold"),
        (["--workers=a,b", "--from=cnn", "--prune=0.5"], "pruning is for one machine"),
        (["--workers=a,b", "--teacher=none"], "there is no run runs/none"),
        (["--workers=a,b", "--set=epochs=x"], "epochs is a whole number"),
        (["--workers=a,b", "--model=all"], "name one --model"),
        (["--workers=a,b", "--resume"], "there is nothing to resume"),
        (["--workers=a,b"], "runs/cnn exists"),
        (["--workers=a,b", "--seeds=2"], "runs/cnn exists"),
        (["--python=/bin/python"], "--python is for other machines"),
    ],
)
def test_what_cannot_be_trained_elsewhere(
    words: list[str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/cnn").mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        main(["train", *words])
    assert ended.value.code == 2
    assert why in capfd.readouterr().err


def test_trainings_of_a_machine_that_is_lost_are_dealt_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained: list[tuple[str, str]] = []

    def run(one: Session, remote: Remote, *_: object) -> None:
        if remote.host.name == "b":
            raise HostError("b", "it was switched off", "switch it on")
        time.sleep(0.05)
        trained.append((remote.host.name, one.start.name))

    monkeypatch.setattr(Session, "run", run)
    monkeypatch.setattr("edgefashion.shelf.training.ready", lambda *_: None)
    names = [f"x-seed-{seed}" for seed in range(3)]
    hosts, said = [Host.parse("a"), Host.parse("b")], list[str]()
    stagings = {name: tmp_path / name for name in names}
    deal = Deal(hosts, Errand(()), dict.fromkeys(names, ()), stagings)
    (lost,) = deal.run(lambda *_: None, lambda host, line: said.append(f"{host}: {line}"))
    assert sorted(trained) == [("a", name) for name in names]
    assert lost.host == "b"
    assert said == ["b: lost: it was switched off; what it trained is dealt again"]
    with pytest.raises(HostError, match="switched off"):
        Deal(hosts[1:], Errand(()), {"x": ()}, {"x": tmp_path / "x"}).run(lambda *_: None, lambda *_: None)


DIVERGED = f"the training of cnn {Diverged.WORDS} 2 (loss nan), and no run was kept: start again with --force"


@pytest.mark.parametrize("shared", [True, False])
def test_a_training_that_diverges_is_no_fault_of_a_host_and_ends_at_once(
    shared: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun: list[str] = []

    def run(one: Session, remote: Remote, *_: object) -> None:
        begun.append(one.start.name)
        if one.start.name == "x":
            raise session._failed(remote.host, 1, f"edgefashion: {DIVERGED}\x1b[2J")
        remote.stop.wait(20)
        raise HostError(remote.host.name, "interrupted from here", "try again")

    monkeypatch.setattr(Session, "run", run)
    python = SimpleNamespace(python="python")
    monkeypatch.setattr("edgefashion.shelf.training.ready", lambda *_: python)
    hosts, said = [Host.parse("a"), Host.parse("b")], list[str]()
    words: dict[str, tuple[str, ...]] = {"x": (), "y": (), "z": ()}
    deal = Deal(hosts, Errand(()), words, {name: tmp_path / name for name in words})
    whole = Training(hosts, "x", Errand(()), tmp_path / "x") if shared else deal
    with pytest.raises(Diverged) as ended:
        whole.run(lambda *_: None, lambda host, line: said.append(f"{host}: {line}"))
    assert str(ended.value) == DIVERGED + r"\x1b[2J"
    assert (begun.count("x") == 1 or shared) and "z" not in begun
    assert not said


def test_what_was_asked_for_wrongly_is_bad_input_from_there_too() -> None:
    failed = session._failed(Host.parse("a"), 2, "edgefashion: TensorFlow sees no GPU: \x1b[2J")
    assert (failed.exit_code, "\x1b" in str(failed)) == (2, False)
    assert session._failed(Host.parse("a"), -9, "").exit_code == 1


def test_a_worker_writes_nowhere_but_into_its_folder(tmp_path: Path) -> None:
    for name in ("../x", "/etc/x", "a/../../x", ".ssh/x", "a/b/c/d", "x\x1b", ""):
        assert not work.is_safe(name)
        with pytest.raises(OutputError, match="sent what is no run"):
            Arrival(tmp_path / "coming").take(work.Piece(name, b"x"))
    folder = tmp_path / "run"
    (folder / "tensorboard/train").mkdir(parents=True)
    (folder / "tensorboard/train/events.1.v2").write_bytes(b"x" * (work.PIECE_BYTES + 5))
    arrival = Arrival(tmp_path / "coming")
    for message in work.pieces(folder, finished=True):
        if isinstance(received := work.answer(lines.line(message).decode()), work.Piece):
            arrival.take(received)
    assert (tmp_path / "coming/tensorboard/train/events.1.v2").stat().st_size == work.PIECE_BYTES + 5


def test_lines_of_tensorflow_are_told_only_where_one_of_them_is_the_reason() -> None:
    said = list[str]()
    heard = session.Words(said.append)
    for line in (
        "epoch 1/2: loss 2.3",
        "2026-11-26 12:00:00.123456: E external/local_xla/xla/stream_executor/cuda.cc:51] no CUDA",
        "W0000 00:00:1764158400.123456  4242 coordination_service_agent.cc:610] is gone",
        "The tasks have crashed. Check the task logs for an earlier error",
        "edgefashion: b was lost",
    ):
        heard.hear(line)
    assert said == ["epoch 1/2: loss 2.3"]
    assert heard.last(1) == heard.last(-9) == "edgefashion: b was lost"
    assert "crashed" in heard.last(-signal.SIGABRT)
    other = session._failed(Host.parse("b"), 2, "edgefashion: b is about to train something else\x1b[2J")
    assert other.why == r"it is about to train something else\x1b[2J"


@pytest.mark.parametrize(
    ("clock", "said"),
    [(99, ""), (107, ""), (50, "its clock is 50 s behind"), (3702.4, "its clock is 3,600 s ahead")],
)
def test_a_clock_that_is_off_is_a_warning(clock: float, said: str) -> None:
    warning = session.of_clock(clock, asked=100, answered=102.4)
    assert said in warning and bool(warning) == bool(said)
