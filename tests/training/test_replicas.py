"""Several processes or devices that train one model together: the same training as by one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from edgefashion.errors import BadInput
from edgefashion.recipes import RECIPES
from edgefashion.training.replicas import Replicas, Share

SCRIPT = Path(__file__).with_name("shared_training.py")
LIMIT_S = 120


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(out: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, SCRIPT, out, *words]
    return subprocess.Popen(
        command,
        env={**os.environ, "EDGEFASHION_JOIN_S": "60", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Trained(NamedTuple):
    """What came of the same trainings, and what the first process of two said when the second was killed."""

    alone: Path
    devices: Path
    processes: list[Path]
    last_words: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("replicas")
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    outs = [folder / f"process-{number}.npz" for number in range(2)]
    pair = []
    for number, out in enumerate(outs):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        pair.append(start(out, TF_CONFIG=json.dumps(config)))
    alone = start(folder / "alone.npz", "alone")
    try:
        for process in pair:
            said = []
            while (line := process.stdout.readline()) and line != "trained\n":
                said.append(line)
            assert line, "".join(said)
        pair[1].send_signal(signal.SIGKILL)
        began = time.monotonic()
        last_words, _ = pair[0].communicate(timeout=LIMIT_S)
        assert time.monotonic() - began < 30
        said_alone, _ = alone.communicate(timeout=LIMIT_S)
        assert alone.returncode == 0, said_alone
        yield Trained(folder / "alone.npz", folder / "devices.npz", outs, last_words)
    finally:
        for process in (*pair, alone):
            process.kill()
            process.communicate()


@pytest.mark.parametrize("kind", ["normalized", "quantized"])
def test_two_processes_and_two_devices_train_as_one_does(trained: Trained, kind: str) -> None:
    """Augmentation, mixup, batch normalization, averages, a teacher, rare classes that count for more; and
    quantization-aware training. The last batch of an epoch has an odd number of images.
    """
    expected = np.load(trained.alone)
    for path in (trained.devices, *trained.processes):
        found = np.load(path)
        assert found.files == expected.files
        for name in (name for name in found.files if name.startswith(kind)):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-5, err_msg=name)


def test_two_processes_end_with_the_very_same_weights(trained: Trained) -> None:
    one, other = map(np.load, trained.processes)
    for name in one.files:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_the_process_that_was_killed_is_named(trained: Trained) -> None:
    assert "worker 1 (127.0.0.1:" in trained.last_words
    assert "was lost, and the training ended" in trained.last_words


@pytest.mark.parametrize(("size", "count"), [(16, 2), (13, 3), (3, 2), (1, 4)])
def test_shares_are_all_of_a_batch_and_each_has_what_it_mixes(size: int, count: int) -> None:
    shares = [Share(number, count).rows(size).numpy().tolist() for number in range(count)]
    assert sorted(row for rows in shares for row in rows) == list(range(size))
    for rows in shares:
        assert rows == sorted(rows) == [size - 1 - row for row in reversed(rows)]


def test_what_cannot_be_shared_is_refused() -> None:
    recipe, four = replace(RECIPES["cnn"], batch_size=7), Replicas(devices=4)
    four.check(replace(recipe, batch_size=8))
    Replicas().check(replace(recipe, fine_tuning="prune"))
    with pytest.raises(BadInput, match="a batch of 7 images cannot be shared by 4: give 8 or more"):
        four.check(recipe)
    with pytest.raises(BadInput, match=r"pruning is for one process and device.*hardware='gpu:0'"):
        four.check(replace(recipe, fine_tuning="prune"))
