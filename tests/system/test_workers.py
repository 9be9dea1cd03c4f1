"""Processes that share work: answers in order, and none of them outlives whoever asked."""

import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion.errors import RuntimeCrash
from edgefashion.system.workers import spread

COUNT = 2


def test_answers_come_in_the_order_of_the_jobs() -> None:
    assert list(spread(operator.neg, list(range(20)), COUNT)) == [-number for number in range(20)]


def test_the_work_is_done_elsewhere_unless_it_is_little() -> None:
    assert os.getpid() not in spread(eval, ["__import__('os').getpid()"] * 9, COUNT)
    assert list(spread(eval, ["__import__('os').getpid()"], COUNT)) == [os.getpid()]


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(spread(eval, ["1", "1/0"] * 9, COUNT))


def test_what_the_work_prints_harms_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(spread(print, ["x"] * 9, COUNT)) == [None] * 9
    assert capfd.readouterr().out == ""


def test_a_process_that_dies_is_an_error_of_one_line() -> None:
    with pytest.raises(RuntimeCrash, match="ended with 3") as caught:
        list(spread(os._exit, [3] * 9, COUNT))
    assert "\n" not in str(caught.value)


def test_processes_end_with_the_one_that_is_killed(tmp_path: Path) -> None:
    code = f"""
from edgefashion.system.workers import spread
job = "(open('{tmp_path}/' + str(__import__('os').getpid()), 'w').close(), __import__('time').sleep(0.2))"
list(spread(eval, [job] * 1000, {COUNT}))
"""
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        until(lambda: len(list(tmp_path.iterdir())) == COUNT)
        parent.send_signal(signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{each.name}").exists() for each in tmp_path.iterdir()))


def until(reached: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)
