"""Names that act on what shows them: none does, wherever they come out."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from edgefashion import figures, tables
from edgefashion.artifacts.inspection import base, text
from edgefashion.benchmarking import plot as latency_plot
from edgefashion.evaluation.results import Results
from edgefashion.records.device import Device
from edgefashion.records.manifest import Metadata
from edgefashion.records.results import Row
from edgefashion.records.values import Counts
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.report import compare
from edgefashion.report.compare import page, records
from edgefashion.report.compare.plot import plot

NAMES = [
    "\x1b]0;title\x07\x1b[2J\x1b[31m",
    '=HYPERLINK("http://x")',
    "@SUM(1+1)",
    "<img src=x onerror=alert(1)>|\n# heading",
    "[link](http://example.com)",
    "$\\frac$ $x^2$",
    "\u202egpj.exe\u2066",
    "a\rb\nc\u2028d",
    "\x9b31m",
    "[bold red]rich[/]",
    "W" * 4000,
    "衣服",
]
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\u2066]")
DEVICE: dict[str, Any] = {
    **{"machine": "x", "board": None, "cpu": None, "cores": 1, "isa": [], "memory_mb": 1, "os": "os"},
    "date": "2026-11-20T10:00:00+00:00",
}
COUNTS = Counts(train=1, test=100)


def measured(name: str) -> Results:
    """Results in which everything that can have a name has this one."""
    row = {
        **{"model": name, "format": name, "precision": name, "target": name, "kept_float": [name]},
        **{"runtime": name, "runtime_version": name, "threads": 1, "path": name, "sha256": name},
        **{"accuracy": 0.9, "accuracy_ci95": [0.8, 0.95], "images": 100, "size_bytes": 1000},
        "latency_us": {"p50": 10.0, "p90": 11.0, "p99": None, "mean": 10.1, "samples": 2},
        "sustained": [{"at_s": 1.0, "p50_us": 10.0, "temperature_c": None, "mhz": None}] * 2,
        "flags": [{"flag": name, "why": name}],
        **{"status": "ok", "error": None, "note": name, "raw_us": [10.0, 10.2]},
    }
    device = {**DEVICE, "board": name, "os": name, "isa": [name], "date": name}
    return Results(
        msgspec.convert(device, Device),
        DatasetInfo(name=name, complete=True, checksums={}, counts=COUNTS),
        [msgspec.convert(row, Row)],
        "bench",
        {"summary": name},
    )


@pytest.fixture
def joined(tmp_path: Path) -> Callable[[str], compare.Comparison]:
    def join(name: str) -> compare.Comparison:
        path = tmp_path / "results.json"
        path.write_text(measured(name).to_json())
        sources = compare.name_all(compare.read_all([path]).files)
        return compare.compare(sources, compare.choose(sources, None))

    return join


def printed(shown: tables.Page) -> str:
    stream = io.StringIO()
    tables.print_page(shown, Console(file=stream))
    return stream.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_terminal_is_told_nothing(name: str, joined: Callable[[str], compare.Comparison]) -> None:
    for said in (printed(measured(name).page()), printed(page.page(joined(name)))):
        assert not ACTING.search(said)
        assert "# heading" not in said.splitlines()
    assert "[bold red]rich[/]" in printed(measured("[bold red]rich[/]").page())


@pytest.mark.parametrize("name", NAMES)
def test_a_spreadsheet_computes_nothing(name: str, joined: Callable[[str], compare.Comparison]) -> None:
    for said in (measured(name).to_csv(), records.to_csv(joined(name))):
        assert len(said.splitlines()) == 2
        assert not ACTING.search(said)
        assert not re.search(r'(^|,)"?[=@]', said.splitlines()[1])


@pytest.mark.parametrize("name", NAMES)
def test_markdown_is_no_markup(name: str, joined: Callable[[str], compare.Comparison]) -> None:
    for said in (measured(name).to_markdown(), tables.to_markdown(page.page(joined(name)))):
        assert not ACTING.search(said)
        assert "<img" not in said
        assert not re.search(r"(?<!\\)\]\(", said)
        assert "http://" not in said
        assert not re.search(r"(?m)^# heading", said)
        rows = [line for line in said.splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows if rows[0][:9] == row[:9]} != {0}


def test_what_needs_no_escape_in_markdown_has_none() -> None:
    said = measured("cnn-64k_int8 T-shirt/top").to_markdown()
    assert "| cnn-64k_int8 T-shirt/top |" in said


@pytest.mark.parametrize(("name", "kind"), [*((name, "svg") for name in NAMES), ("$\\frac$", "png")])
@pytest.mark.filterwarnings("error")
def test_a_picture_sets_no_formula(
    name: str, kind: str, joined: Callable[[str], compare.Comparison], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    for draw in (
        lambda path: plot(joined(name), path),
        lambda path: latency_plot.plot(measured(name).rows, measured(name).device, path),
    ):
        path = tmp_path / f"picture.{kind}"
        draw(path)
        assert path.stat().st_size > 1000
        if kind == "svg":
            assert not ACTING.search(path.read_text())
    assert figures.kind_of(path) == kind


@pytest.mark.parametrize("name", NAMES)
def test_inspect_shows_names_and_does_not_obey_them(name: str) -> None:
    port = base.Port(name, name, (1,))
    metadata = Metadata(run=name, run_id=name, precision="int8", small_run=False)
    found = base.Inspection(name, "onnx", 1, [name], [port], [port], [name], [], metadata)
    said = text.to_text([found])
    assert not ACTING.search(said)
    assert "# heading" not in said.splitlines()
