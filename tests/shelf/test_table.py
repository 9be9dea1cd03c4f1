"""Results of many machines beside each other say whose they are, in what state, and which are missing."""

from pathlib import Path

import msgspec
import pytest

from edgefashion.errors import HostError
from edgefashion.evaluation.results import Results
from edgefashion.hosts.host import Host
from edgefashion.records.device import Device
from edgefashion.records.results import Row
from edgefashion.shelf import table
from edgefashion.shelf.table import HostResults

OFF = HostError("off\x1b[2J", "it cannot be reached", "see that it is on")
STATES = [{"governor": "ondemand", "temperature_c": 45.2, "other_cores": 0.1}, {"temperature_c": 61.0}]


def results(**device: object) -> Results:
    row = {
        **{"model": "cnn", "format": "onnx", "path": "x.onnx", "threads": 1, "size_bytes": 1000},
        **{"precision": "int8", "accuracy": None, "runtime": "ONNX Runtime", "status": "ok"},
        "latency_us": {"p50": 50.0, "samples": 1},
    }
    return Results(msgspec.convert(device, Device), None, [msgspec.convert(row, Row)], "bench")


@pytest.fixture
def found() -> HostResults:
    held = [{"throttled": ["under-voltage"]}]
    pi = results(board="Raspberry Pi 5", before=STATES[0], during=STATES[1:] + held, after=STATES[0])
    hosts = {Host.parse("pi@a"): (Path("a.json"), pi), Host.parse("b"): (Path("b.json"), results(cpu="x"))}
    return table.beside(hosts, [OFF], [(Host.parse("b"), "packages came from here")])


def test_each_machine_is_a_column_with_its_state(found: HostResults) -> None:
    text = found.table()
    assert "(1) pi@a, Raspberry Pi 5" in text and "(2) b, x" in text
    assert "(1) governor ondemand; 45 to 61 °C; others used 0.1 cores at most; under-voltage" in text
    assert "(2) its state is not known" in text and "b: packages came from here." in text
    assert found.to_dict()["notes"] == [{"host": "b", "note": "packages came from here"}]


def test_a_machine_that_failed_is_a_row_and_nothing_it_said_acts(found: HostResults) -> None:
    text = found.table(80)
    assert "\x1b" not in text and r"off\x1b[2J" in text and "it cannot be reached" in text
    assert r"off\x1b[2J: see that it is on." in text
    assert found.to_dict()["failed"][0]["mend"] == "see that it is on"
    assert "it cannot be reached" in found.to_markdown()


def test_of_many_that_failed_alike_each_is_named_once_and_what_mends_them_said_once() -> None:
    off = [HostError(f"pi{number:02}", "it cannot be reached", "see that it is on") for number in range(39)]
    text = table.beside({}, [*off, HostError("odd", "why", "mend it")]).table()
    assert "pi00, pi01, pi02 and 36 more: see that it is on." in text and "odd: mend it." in text
    assert text.count("see that it is on") == 1 and text.count("pi38") == 1


def test_where_all_failed_there_are_only_those() -> None:
    found = table.beside({}, [OFF])
    assert found.comparison is None and found.to_csv() == "" and "it cannot be reached" in found.table()
    assert list(found.to_dict()) == ["failed", "notes"]
