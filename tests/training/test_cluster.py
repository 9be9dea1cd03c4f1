"""Who trains together, from the environment."""

import json
from typing import Any

import pytest

from edgefashion.errors import BadInput
from edgefashion.training.cluster import Cluster, from_environment

TWO = {"worker": ["a:2222", "[::1]:2223"]}


def found(cluster: Any, kind: Any = "worker", index: Any = 0) -> Cluster | None:
    config = {"cluster": cluster, "task": {"type": kind, "index": index}}
    return from_environment({"TF_CONFIG": json.dumps(config)})


def test_a_cluster_is_read_and_the_chief_comes_first() -> None:
    assert from_environment({}) is None
    assert found({"worker": ["a:2222"]}) is None
    two = found(TWO, index=1)
    assert two == Cluster(("a:2222", "[::1]:2223"), 1)
    assert (two.port(), two.is_chief, two.name(1)) == (2223, False, "worker 1 ([::1]:2223)")
    named = {"cluster": TWO, "task": {"type": "worker", "index": 1}, "names": ["pi@a", "pi@b\x1b"]}
    known = from_environment({"TF_CONFIG": json.dumps(named)})
    assert known and known.name(1) == r"pi@b\x1b"
    with pytest.raises(BadInput, match="names are one for each address"):
        from_environment({"TF_CONFIG": json.dumps(named | {"names": ["pi@a"]})})
    chief = {"chief": ["c:1"], **TWO}
    assert found(chief, index=1) == Cluster(("c:1", *TWO["worker"]), 2)
    assert found(chief, "chief") == Cluster(("c:1", *TWO["worker"]), 0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is no JSON"),
        ("[]", "it lacks cluster"),
        ("{}", "it lacks cluster"),
        (json.dumps({"cluster": TWO}), "it lacks task"),
    ],
)
def test_a_tf_config_that_says_too_little(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=f"TF_CONFIG is wrong: {why}.*unset to train alone"):
        from_environment({"TF_CONFIG": text})


@pytest.mark.parametrize(
    ("cluster", "task", "why"),
    [
        ({"worker": []}, {}, "it names no worker"),
        ({"worker": ["a:1", "a:1"]}, {}, "a:1 is there twice"),
        ({"worker": ["a:1", "b"]}, {}, "'b' is not host:port"),
        ({"worker": ["a:1", "b:99999"]}, {}, "'b:99999' is not host:port"),
        ({"worker": ["a:1", "b\x1b[2J:x"]}, {}, r"'b\\x1b"),
        ({"worker": "a:1"}, {}, "addresses are a list of host:port, and names one of text"),
        ({"chief": ["a:1", "b:1"], "worker": []}, {}, "more than one chief"),
        ({"ps": ["p:1"], **TWO}, {}, "there is no role 'ps' here"),
        (TWO, {"index": 2}, "the task .* is none of its cluster"),
        (TWO, {"index": -1}, "the task .* is none of its cluster"),
        (TWO, {"index": "0"}, "the task .* is none of its cluster"),
        (TWO, {"kind": "evaluator"}, "the task .* is none of its cluster"),
    ],
)
def test_a_tf_config_that_makes_no_sense(cluster: Any, task: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=f"TF_CONFIG is wrong: .*{why}") as caught:
        found(cluster, **task)
    assert "\x1b" not in str(caught.value)


def test_slurm_names_the_workers_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    step = {
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NODELIST": "n[1-2]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
        "SLURM_PROCID": "2",
    }
    for name, value in step.items():
        monkeypatch.setenv(name, value)
    assert from_environment() == Cluster(("n1:8888", "n1:8889", "n2:8888"), 2, "Slurm")
    monkeypatch.delenv("SLURM_PROCID")
    with pytest.raises(BadInput, match=r"what Slurm says of the workers is wrong: .*PROCID"):
        from_environment()
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert from_environment() is None
