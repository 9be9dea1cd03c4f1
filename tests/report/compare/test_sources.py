"""What columns are called, and which one the others are compared with."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgefashion.errors import BadInput
from edgefashion.report.compare import DeviceResults, choose, name_all, read_all

Write = Callable[..., Path]
PI4, PI5 = "Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 5 Model B Rev 1.0"


def named(*paths: Path) -> list[DeviceResults]:
    return name_all(read_all(paths).files)


@pytest.fixture
def write_many(write: Write, rows: Any) -> Callable[..., list[DeviceResults]]:
    """Machine of devices with different samples, each in a file of its own."""

    def written(*devices: dict[str, Any]) -> list[DeviceResults]:
        paths = [write(f"r{number}.json", [rows(100)], **device) for number, device in enumerate(devices, 1)]
        return named(*paths)

    return written


def test_names_say_no_more_than_they_need(write_many: Callable[..., list[DeviceResults]]) -> None:
    later, minutes = "2026-11-21T10:00:00+00:00", "2026-11-21T10:07:00+00:00"
    sources = write_many(
        {"board": PI5},
        {"board": PI4},
        {"board": PI4, "date": later},
        {"board": PI5, "date": minutes, "emulated": "qemu-aarch64"},
        {"board": PI5, "date": later, "emulated": "qemu-aarch64"},
        {"cpu": "Some Processor", "date": later},
        {"cpu": "Some Processor", "date": later},
        {"cpu": None},
    )
    assert [source.title for source in sources] == [
        PI5,
        f"{PI4}, 2026-11-20",
        f"{PI4}, 2026-11-21",
        f"r4, {PI5}, emulated",
        f"r5, {PI5}, emulated",
        "r6, Some Processor",
        "r7, Some Processor",
        "aarch64",
    ]
    assert [source.number for source in sources] == list(range(1, 9))


@pytest.mark.parametrize("times", [("10:00", "10:07"), ("10:00", "10:00")])
def test_files_of_the_same_name_are_told_apart_by_minute_or_path(
    times: tuple[str, str], write: Write, rows: Any, tmp_path: Path
) -> None:
    paths = []
    for folder, time in zip(("a", "b"), times, strict=True):
        (tmp_path / folder).mkdir()
        date = f"2026-11-21T{time}:00+00:00"
        paths.append(write(f"{folder}/results.json", [rows(100)], date=date))
    titles = [source.title for source in named(*paths)]
    told = paths if times[0] == times[1] else [f"2026-11-21 {time}" for time in times]
    assert titles == [f"Cortex-A76, {each}" for each in told]


def test_the_reference_is_found_by_title_number_file_or_part(
    write_many: Callable[..., list[DeviceResults]],
) -> None:
    sources = write_many({"board": PI4}, {"board": PI5}, {"cpu": "Some Processor"})
    wishes = (PI5, PI5.upper(), "2", str(sources[1].paths[0]), "r2.json", "pi 5")
    assert [choose(sources, wish) for wish in wishes] == [sources[1]] * len(wishes)
    assert choose(sources, None) is sources[0]


@pytest.mark.parametrize("wish", ["pi 3", "0", "4", "", " ", "r9.json"])
def test_an_unknown_reference_is_answered_with_the_names(
    wish: str, write_many: Callable[..., list[DeviceResults]]
) -> None:
    sources = write_many({"board": PI4}, {"board": PI5})
    with pytest.raises(BadInput, match=r"is not compared here; choose from 1 \(Raspberry Pi 4.*, 2 \(Rasp"):
        choose(sources, wish)


def test_a_reference_that_can_be_several_is_refused(write_many: Callable[..., list[DeviceResults]]) -> None:
    with pytest.raises(BadInput, match="can be 1 or 2; choose from"):
        choose(write_many({"board": PI4}, {"board": PI5}), "raspberry")


def test_an_emulated_device_is_no_reference(write_many: Callable[..., list[DeviceResults]]) -> None:
    sources = write_many({"board": PI4, "emulated": "qemu-aarch64"}, {"board": PI5})
    assert choose(sources, None) is sources[1]
    with pytest.raises(BadInput, match=r"emulated has no latencies; choose from 2 \("):
        choose(sources, "1")
    assert choose(sources[:1], None) is None
    with pytest.raises(BadInput, match="no other has them"):
        choose(sources[:1], "1")


def test_every_title_is_its_own(write_many: Callable[..., list[DeviceResults]]) -> None:
    dates = (None, "", "2026-11-20T10:00:00+00:00")
    sources = write_many(*({"date": first} for first, _ in itertools.product(dates, dates)))
    assert len({source.title for source in sources}) == 9
