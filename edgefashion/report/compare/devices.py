"""Which device and date a results file is of, in a word, and which one the others are compared with."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.evaluation.results import Results
from edgefashion.records.device import Device
from edgefashion.records.results import Row
from edgefashion.report.compare.reading import File


@dataclass(frozen=True)
class DeviceResults:
    """A results file in a comparison: its number, counted from 1, and a title no other has."""

    number: int
    title: str
    paths: tuple[Path, ...]
    results: Results

    @property
    def emulated(self) -> str | None:
        """What emulates its processor; None for a real one."""
        return self.results.device.emulated

    @property
    def task(self) -> str | None:
        """What was classified, by the name of its data set; None where nothing was."""
        return self.results.dataset.name if self.results.dataset else None

    def p50(self, row: Row) -> float | None:
        """A row's median latency in microseconds; None of an emulated processor, which has none."""
        if self.emulated or row.status != "ok":
            return None
        return row.latency_us.p50


def name_all(found: Sequence[File]) -> list[DeviceResults]:
    """A source for each file: called by its board, else its processor; where several have the same name,
    by day too, or by file name, which is that of a host, by minute or by path: by the first that tells them
    all apart.
    """
    names = [_device(file.results.device) for file in found]
    titles = [
        _title(file, [other for other in found if _device(other.results.device) == name], name)
        for file, name in zip(found, names, strict=True)
    ]
    return [
        DeviceResults(number, title, file.paths, file.results)
        for number, (title, file) in enumerate(zip(titles, found, strict=True), 1)
    ]


def _title(file: File, alike: Sequence[File], name: str) -> str:
    """A file's title among those of the same name, itself one of them."""
    if len(alike) == 1:
        return name
    ways = (_day, _stem, _minute, _path)
    telling = next((way for way in ways if len(set(map(way, alike))) == len(alike)), _path)
    return f"{_stem(file)}, {name}" if telling is _stem else f"{name}, {telling(file)}"


def choose(sources: Sequence[DeviceResults], wanted: str | None) -> DeviceResults | None:
    """The source whose title, number, file, or part of whose title is `wanted`.

    Without a wish the first that has latencies; None where none has. Raises BadInput where the wish is
    met by none or by several, or by one without latencies.
    """
    able = [source for source in sources if any(map(source.p50, source.results.rows))]
    if wanted is None:
        return able[0] if able else None
    for meets in _WAYS_TO_NAME:
        met = [source for source in sources if meets(source, wanted)]
        if len(met) == 1 and met[0] not in able:
            raise BadInput(
                f"{setting('--against')} {wanted}: {met[0].title} has no latencies; {_choice(able)}"
            )
        if met:
            break
    if len(met) == 1:
        return met[0]
    problem = f"can be {' or '.join(str(source.number) for source in met)}" if met else "is not compared here"
    raise BadInput(f"{setting('--against')} {wanted} {problem}; {_choice(able)}")


def numbers(sources: Iterable[DeviceResults]) -> str:
    """How sources are named in a table, e.g. (1, 3)."""
    return f"({', '.join(str(source.number) for source in sources)})"


def _choice(able: Sequence[DeviceResults]) -> str:
    if not able:
        return f"no other has them: leave {setting('--against')} out"
    return "choose from " + ", ".join(f"{each.number} ({each.title}: {each.paths[0]})" for each in able)


def _is_name(wanted: str) -> bool:
    """Whether it can be a part of a title: numbers are meant as numbers."""
    return not (wanted.isspace() or wanted.isdecimal() or wanted == "")


_WAYS_TO_NAME: tuple[Callable[[DeviceResults, str], bool], ...] = (
    lambda source, wanted: source.title.casefold() == wanted.casefold(),
    lambda source, wanted: str(source.number) == wanted,
    lambda source, wanted: Path(wanted) in source.paths,
    lambda source, wanted: wanted in {path.name for path in source.paths},
    lambda source, wanted: _is_name(wanted) and wanted.casefold() in source.title.casefold(),
)


def _device(device: Device) -> str:
    name = device.name or "unknown device"
    return f"{name}, emulated" if device.emulated else name


def _day(file: File) -> str:
    return (file.results.device.date or "undated")[:10]


def _minute(file: File) -> str:
    return (file.results.device.date or "undated")[:16].replace("T", " ")


def _stem(file: File) -> str:
    return file.paths[0].stem


def _path(file: File) -> str:
    return str(file.paths[0])
