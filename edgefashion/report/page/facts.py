"""Where models and figures come from: versions, checksums, calibration, machines."""

from collections.abc import Callable, Iterable, Sequence

from edgefashion.artifacts.artifact import Artifact
from edgefashion.evaluation.columns import runtimes_of
from edgefashion.records.device import Device, State
from edgefashion.records.manifest import Calibration
from edgefashion.records.run import Story
from edgefashion.report.compare import DeviceResults
from edgefashion.report.page.data import Model
from edgefashion.tables import Column, Table

Fact = tuple[str, str]
"""What it is, and the words or figures."""


def origin(model: Model) -> Table[Fact]:
    """Of a model: which training it is of, on what data, and which files were made of it how."""
    own = model.stories[0]
    facts = [
        *_of_training(own),
        *(fact for story in model.stories[1:] for fact in _of_base(story)),
        *(fact for artifact in model.artifacts for fact in _of_file(artifact)),
    ]
    columns = (
        Column[Fact]("What", lambda fact: fact[0], number=False),
        Column[Fact]("Value", lambda fact: fact[1], number=False),
    )
    return Table("", columns, [fact for fact in facts if fact[1]])


def _of_training(story: Story) -> Iterable[Fact]:
    yield "Trained model, SHA-256", story.model.sha256
    if story.device and story.device.name:
        yield "Trained on", _machine(story.device)
    yield "Trained with", _pairs(story.versions)
    yield "Seed", str(story.recipe.seed)
    yield "Data", story.data.name + ("" if story.data.complete else ", a part of it")
    for name, digest in story.data.checksums.items():
        yield f"{name}, SHA-256", digest
    if story.imported:
        yield f"{story.imported.file}, SHA-256", story.imported.sha256


def _of_base(story: Story) -> Iterable[Fact]:
    yield f"Made from {story.name}, SHA-256", story.model.sha256


def _of_file(artifact: Artifact) -> Iterable[Fact]:
    manifest = artifact.manifest
    name = artifact.path.name
    if artifact.defect:
        yield name, artifact.defect
    if manifest is None:
        return
    yield f"{name}, SHA-256", manifest.sha256
    if manifest.calibration:
        yield f"{name}, calibration", _calibration(manifest.calibration)
    if manifest.versions:
        yield f"{name}, exported with", _pairs(manifest.versions)
    if manifest.created:
        yield f"{name}, exported", manifest.created


def _calibration(told: Calibration) -> str:
    split = f" of {told.split}" if told.split else ""
    seed = f", seed {told.seed}" if isinstance(told.seed, int) else ""
    how = {"measured": "the best of those tried", "asked for": "as asked for"}.get(str(told.chosen))
    method = f"; ranges by {told.method}{f', {how}' if how else ''}" if told.method else ""
    return f"{told.count:,} images{split}{seed}{method}"


def _pairs(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _machine(device: Device) -> str:
    return ", ".join(filter(None, (device.name, device.os, device.python and f"Python {device.python}")))


def devices(sources: Sequence[DeviceResults]) -> Table[str]:
    """Of each device what was measured with: a column each, a row for what any of them tells."""
    told = {what: [text(source) for source in sources] for what, text in _OF_DEVICE.items()}
    rows = [what for what, texts in told.items() if any(texts)]
    columns = [Column[str]("What", lambda what: what, number=False)]
    for place, source in enumerate(sources):
        title = source.title if len(sources) == 1 else f"({source.number}) {source.title}"
        columns.append(Column(title, _told(told, place), number=False))
    return Table("", tuple(columns), rows)


def _told(told: dict[str, list[str]], place: int) -> Callable[[str], str]:
    return lambda what: told[what][place] or "–"


def _states(source: DeviceResults, text: Callable[[State], str]) -> str:
    """Before and after, once where both are alike."""
    device = source.results.device
    found = [text(state) for state in (device.before, device.after) if isinstance(state, State)]
    return " → ".join(dict.fromkeys(filter(None, found)))


def _of(value: int | None, unit: str = "") -> str:
    return "" if value is None else f"{value:,}{unit}"


def _virtual(host: str | None) -> str:
    return "" if host is None else "yes" if host == "unnamed" else f"of {host}"


def _runtimes(source: DeviceResults) -> str:
    return ", ".join(runtimes_of(source.results.rows))


def _data(source: DeviceResults) -> str:
    data, images = source.results.dataset, [row.images or 0 for row in source.results.rows]
    return f"{data.name}, {max(images):,} {data.measured}" if data and any(images) else ""


_OF_DEVICE: dict[str, Callable[[DeviceResults], str]] = {
    "Board": lambda source: source.results.device.board or "",
    "Processor": lambda source: source.results.device.cpu or source.results.device.machine or "",
    "Emulated by": lambda source: source.emulated or "",
    "Virtual machine": lambda source: _virtual(source.results.device.virtual),
    "Cores": lambda source: _of(source.results.device.cores),
    "Instruction sets": lambda source: " ".join(source.results.device.isa or ()),
    "Memory": lambda source: _of(source.results.device.memory_mb, " MiB"),
    "System": lambda source: source.results.device.os or "",
    "Python": lambda source: source.results.device.python or "",
    "Runtimes": _runtimes,
    "Clock": lambda source: _states(source, lambda state: f"{state.mhz:.0f} MHz" if state.mhz else ""),
    "Governor": lambda source: _states(source, lambda state: state.governor or ""),
    "Temperature": lambda source: _states(
        source, lambda state: "" if state.temperature_c is None else f"{state.temperature_c:.0f} °C"
    ),
    "Throttled": lambda source: _states(source, lambda state: ", ".join(state.throttled or ())),
    "Data": _data,
    "Protocol": lambda source: (source.results.protocol or {}).get("summary", ""),
    "Measured": lambda source: (source.results.device.date or "")[:16].replace("T", " "),
    "Measured with": lambda source: (
        f"edgefashion {source.results.edgefashion}" if source.results.edgefashion else ""
    ),
    "File": lambda source: source.paths[0].name,
}
