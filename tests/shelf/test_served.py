"""What runs on another machine answers one request, and is gone as soon as nobody listens."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from edgefashion.errors import RuntimeCrash
from edgefashion.shelf import lines, messages, served
from edgefashion.shelf.lines import Alive
from edgefashion.shelf.messages import Answer, Done, Failed, Part, Progress, Request

SERVED = "from edgefashion.shelf import messages, served;"
STUBBORN = """
import time
def stubborn(*_):
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
served._VERBS["doctor"] = stubborn
served.GRACE_S = 0.3
"""
DOCTOR = lines.line(Request("doctor"))


@contextmanager
def serving(patch: str = "", home: Path | None = None) -> "Iterator[subprocess.Popen[bytes]]":
    """It, with a patch; its input stays open."""
    environment = os.environ | ({"XDG_CACHE_HOME": str(home)} if home else {})
    with subprocess.Popen(
        [sys.executable, "-P", "-c", f"{SERVED}{patch}\nserved.main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(process: "subprocess.Popen[bytes]", content: bytes) -> list[Answer | None]:
    """What it answers until it ends, while its input is open."""
    assert process.stdin and process.stdout
    process.stdin.write(content)
    process.stdin.flush()
    assert process.stdout.readline() == b"\n", "login scripts may have left a line open"
    return [messages.answer(line.decode()) for line in process.stdout]


def test_a_report_comes_in_parts_that_are_whole() -> None:
    with serving('served._VERBS["doctor"] = lambda *_: print("not an answer") or "é" * 150_000') as process:
        found = ask(process, DOCTOR)
        assert process.wait(20) == 0
    parts = [each.text for each in found if isinstance(each, Part)]
    assert "".join(parts) == "é" * 150_000 and len(parts) == 3
    assert found[-1] == Done(150_000)


@pytest.mark.parametrize("content", [b"\n", b'{"verb": "delete"}\n', b"x" * (messages.LINE_BYTES + 1)])
def test_what_is_no_request_is_refused(content: bytes) -> None:
    with serving() as process:
        (found,) = ask(process, content)
        assert isinstance(found, Failed) and process.wait(20) == 1


def test_it_ends_with_its_input_even_where_the_work_does_not() -> None:
    with serving(STUBBORN) as process:
        assert process.stdin
        process.stdin.write(DOCTOR)
        process.stdin.flush()
        time.sleep(0.5)
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(20) == -9


def test_it_says_that_it_is_there_and_ends_when_nobody_else_does() -> None:
    with serving(f"messages.BEAT_S, messages.SILENCE_S = 0.1, 0.5\n{STUBBORN}") as process:
        found = ask(process, DOCTOR)
        assert process.wait(20) == -9
    assert len(found) >= 3 and set(found) == {Alive()}


def test_two_benchmarks_of_one_machine_do_not_disturb_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "edgefashion/hosts"
    folder.mkdir(parents=True)
    with FileLock(folder / f"bench-{served._node()}.lock"), serving("served.BUSY_S = 0", tmp_path) as process:
        (found,) = ask(process, lines.line(Request("bench", ("zoo:cnn-64k",))))
    assert isinstance(found, Failed) and found.why.startswith("another benchmark runs on this machine")


def test_machines_with_the_same_home_are_not_in_each_others_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(served, "BUSY_S", 0)
    with served._alone():
        monkeypatch.setattr(platform, "node", lambda: "../another")
        with served._alone() as folder:
            assert folder == tmp_path / "edgefashion/hosts"
            with pytest.raises(RuntimeCrash), served._alone():
                pass


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Welcome to pi!",
        '{"type": "progress", "doing": "\x1b[2J", "done": 1, "total": 2}',
        '{"type": "progress", "doing": 1, "done": 1, "total": 2}',
        '{"type": "progress", "doing": "x", "done": -1, "total": 2}',
        '{"type": "part", "text": "' + "x" * (messages.PART_CHARACTERS + 1) + '"}',
        '{"type": "run", "command": "rm"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_answer_is_none(line: str) -> None:
    assert messages.answer(line) is None


def test_an_answer_is_read_as_it_was_meant() -> None:
    for each in (Progress("x", 1, 2), Part("x"), Done(1), Failed("x"), Alive()):
        assert messages.answer(lines.line(each).decode()) == each
