"""`edgefashion report`: what it takes, what it leaves out and says so, and what it refuses in one line."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from edgefashion.cli import main
from edgefashion.cli.report import RESULTS
from edgefashion.evaluation.results import Results
from edgefashion.records.values import Counts
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.report.page import Report
from edgefashion.training.runs import Run


def report(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """What the verb says on stderr."""
    with pytest.raises(SystemExit) as stopped:
        main(["report", *map(str, arguments)])
    said = capsys.readouterr()
    assert (stopped.value.code or 0) == code, said.err
    assert not said.out
    return said.err


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


@pytest.fixture
def results(whole: Report, tmp_path: Path) -> list[Path]:
    """Results files of two devices."""
    assert whole.comparison is not None
    paths = [tmp_path / "pi5.json", tmp_path / "pi4.json"]
    for path, source in zip(paths, whole.comparison.sources, strict=True):
        path.write_text(source.results.to_json())
    return paths


def test_a_shipped_model_answers_the_shipped_images(
    capsys: pytest.CaptureFixture[str], nowhere: Path, page: Path, build: ModuleType
) -> None:
    said = report(capsys, "zoo:cnn-64k", "-o", page)
    assert f"open it in a browser: {page}" in said
    read = build.read(page.read_text())
    assert "cnn-64k-qat on Fashion-MNIST" in read.text
    assert "As cnn-64k-int8-qat.tflite answers for 500 test images" in read.text
    assert json.loads(read.scripts[1])["m0"]
    assert page.stat().st_size < 500_000


def test_without_runs_the_shipped_models_are_taken(
    capsys: pytest.CaptureFixture[str], along: Path, nowhere: Path, page: Path, tmp_path: Path
) -> None:
    said = report(capsys, "--runs", tmp_path / "runs", "-o", page)
    assert f"there are no runs in {tmp_path / 'runs'}: taking the shipped models, zoo:cnn" in said
    assert page.stat().st_size


def test_damaged_results_are_left_out_and_named_there_and_here(
    capsys: pytest.CaptureFixture[str], results: list[Path], page: Path, tmp_path: Path, build: ModuleType
) -> None:
    damaged, layers = tmp_path / "damaged.json", tmp_path / "layers.json"
    damaged.write_text(results[0].read_text()[:-40])
    layers.write_text(json.dumps({**build.layers("pets").to_dict(), "images": "many"}))
    said = report(capsys, *results, damaged, layers, results[0], "-o", page, code=2)
    assert sum(line.startswith("left out: ") for line in said.splitlines()) == 3
    assert "2 of 5 are left out: see above" in said
    text = build.read(page.read_text()).text
    assert f"Left out: {damaged} is damaged" in text and f"Left out: {layers} is damaged" in text
    assert "(2) Raspberry Pi 4" in text and f"{results[0]} is the same as {results[0]}" in text


def test_without_any_results_there_is_no_page(
    capsys: pytest.CaptureFixture[str], results: list[Path], page: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.json"
    content = json.loads(results[0].read_text())
    empty.write_text(json.dumps({**content, "results": []}))
    said = report(capsys, empty, "-o", page, code=2)
    assert said.count("\n") == 1 and f"{empty} has no results in it: measure again" in said
    said = report(capsys, tmp_path / "lost.json", "lost-run", "-o", page, code=2)
    assert said.count("\n") == 1 and "there is no run runs/lost-run" in said and "lost.json" in said
    assert not page.exists()


def test_results_of_another_task_are_refused_and_both_named(
    capsys: pytest.CaptureFixture[str], results: list[Path], page: Path, whole: Report
) -> None:
    assert whole.comparison is not None
    own = whole.comparison.sources[0].results
    clothes = DatasetInfo(name="clothes", complete=True, checksums={}, counts=Counts(train=1, test=60))
    results[1].write_text(Results(own.device, clothes, own.rows).to_json())
    said = report(capsys, *results, "-o", page, code=2)
    assert said.count("\n") == 1
    assert f"{results[0]} is of pets, and {results[1]} of clothes" in said
    said = report(capsys, "zoo:cnn-64k", results[1], "-o", page, code=2)
    assert "zoo:cnn-64k is of Fashion-MNIST" in said and not page.exists()
    assert "write one of each: edgefashion report zoo:cnn-64k -o report-1.html, and " in said
    assert said.endswith(f"edgefashion report {results[1]} -o report-2.html\n")


def test_a_run_without_exports_shows_its_training(
    capsys: pytest.CaptureFixture[str], trained: Run, page: Path, build: ModuleType
) -> None:
    said = report(capsys, trained.folder, "-o", page)
    assert "cnn has no exports: make them with edgefashion export cnn" in said
    read = build.read(page.read_text())
    assert [told["id"] for tag, told in read.elements if tag == "section"] == ["training", "provenance"]
    assert sum(told.get("class") == "chart" for _, told in read.elements) == 2


def test_without_data_it_says_so_and_shows_the_rest(
    capsys: pytest.CaptureFixture[str], exported: Run, nowhere: Path, page: Path, build: ModuleType
) -> None:
    said = report(capsys, exported.folder, "-o", page)
    assert "cnn, without answers to test images: " in said
    text = build.read(page.read_text()).text
    assert "cnn without answers to test images: " in text and "Architecture: cnn" in text
    assert "Confusion" not in text


def test_all_runs_are_taken_where_none_is_named_and_the_results_beside_them(
    capsys: pytest.CaptureFixture[str],
    exported: Run,
    sample_folder: Path,
    page: Path,
    whole: Report,
    tmp_path: Path,
    build: ModuleType,
) -> None:
    assert whole.comparison is not None
    shutil.copytree(exported.folder, tmp_path / "runs/cnn")
    found = whole.comparison.sources[0].results
    info = DatasetInfo(name="Fashion-MNIST", complete=True, checksums={}, counts=Counts(train=1, test=60))
    (tmp_path / "runs" / RESULTS).write_text(replace(found, dataset=info).to_json())
    report(capsys, "--runs", tmp_path / "runs", "--data", sample_folder, "-o", page)
    text = build.read(page.read_text()).text
    assert "cnn, pets on Fashion-MNIST" in text and "Raspberry Pi 5" in text
    assert "As cnn-int8.tflite answers for 400 test images" in text
    assert "cnn ONNX int8" in text and "Only it right / only float" in text


@pytest.mark.parametrize("name", ["folder.html", "report.md", "pi5.json", "lost/report.html"])
def test_what_cannot_be_the_page_is_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], results: list[Path], tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder.html").mkdir()
    before = results[0].read_text()
    said = report(capsys, *results, "-o", tmp_path / name, code=2)
    assert said.count("\n") == 1 and name.rpartition("/")[2] in said
    assert results[0].read_text() == before and not (tmp_path / "report.md").exists()


def test_an_existing_file_stays_as_it_is_where_the_disk_is_full(
    capsys: pytest.CaptureFixture[str], results: list[Path], page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.write_text("mine")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgefashion.files._sync", full)
    said = report(capsys, *results, "-o", page, code=2)
    assert "No space left on device" in said and "written" not in said
    assert page.read_text() == "mine" and sorted(path.name for path in page.parent.iterdir()) == [
        "pi4.json",
        "pi5.json",
        "report.html",
    ]
