"""What `import edgefashion as ef` offers: its names, and each function once, on the small sample."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType

import numpy as np
import pytest
from msgspec import structs

import edgefashion as ef
from edgefashion import errors

ROOT = Path(__file__).parents[1]
TINY = Path(__file__).parent / "files/models/tiny-int8.tflite"
QUICK = replace(ef.BenchmarkOptions().lasting(0.01), samples=1, rounds=1, in_process=True)


@pytest.fixture(autouse=True)
def nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


# Names


def test_the_public_names() -> None:
    assert set(ef.__all__) == {
        *("load_dataset", "split", "Dataset", "Subset", "Splits", "Task", "Picture"),
        *("recipe", "automatic_recipe", "Recipe", "RECIPES", "train", "train_or_reuse", "read_run", "Run"),
        *("summarize", "Summary"),
        *("export_model", "ExportOptions", "Artifact", "read_artifact"),
        *("load_model", "Model", "Prediction", "Classification", "Guess"),
        *(
            "evaluate",
            "benchmark",
            "benchmark_hosts",
            "HostResults",
            "BenchmarkOptions",
            "Results",
            "Row",
            "read_results",
            "compare",
            "Comparison",
        ),
        *("quantize", "Quantization", "ImportOptions"),
        *("make_card", "Card", "make_report", "Report", "debug", "DebugReport"),
        *("inspect", "Inspection", "make_bundle", "open_bundle", "Bundle", "doctor", "DoctorReport"),
        *(name for name, kind in vars(errors).items() if isinstance(kind, type)),
    }


def test_every_name_is_found_and_editors_are_told_of_the_same() -> None:
    tree = ast.parse(Path(ef.__file__).read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in typed.body if isinstance(node, ast.ImportFrom)]
    told = {each.asname or each.name: (node.module, each.name) for node in imports for each in node.names}
    assert told.keys() == set(ef.__all__)
    for name, (module, own) in told.items():
        assert getattr(ef, name) is getattr(import_module(str(module)), own)
    assert dir(ef) == sorted([*ef.__all__, "__version__"])


def test_help_calls_every_name_what_it_is_called() -> None:
    named = {name: getattr(ef, name) for name in ef.__all__}
    assert [name for name, each in named.items() if getattr(each, "__name__", name) != name] == []


def test_no_module_bears_a_public_name() -> None:
    """It would take the place of the name when it is imported."""
    folder = Path(ef.__file__).parent
    assert not {path.stem for path in folder.iterdir()} & set(ef.__all__)
    assert not any(isinstance(getattr(ef, name), ModuleType) for name in ef.__all__)


def test_another_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        ef.__getattr__("nonsense")


@pytest.mark.parametrize(
    ("code", "opened"),
    [
        ("", ()),
        ("ef.recipe('cnn'), ef.BadInput", ()),
        ("ef.load_dataset, ef.read_results, ef.train_or_reuse, ef.export_model, ef.load_model", ("numpy",)),
    ],
)
def test_an_import_opens_nothing_heavy(code: str, opened: tuple[str, ...]) -> None:
    heavy = ("ai_edge_litert", "click", "matplotlib", "numpy", "onnx", "onnxruntime", "rich", "tensorflow")
    script = f"import sys, edgefashion as ef\n{code}\nprint(*({{*{heavy!r}}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(opened)


# Functions


@pytest.fixture(scope="module")
def data() -> ef.Dataset:
    return ef.load_dataset(str(ROOT / "tests/files/fashion-mnist-sample"))


def test_a_recipe_is_changed_by_name_and_nonsense_is_refused() -> None:
    assert ef.recipe("cnn-64k", epochs=30, limit=None).differences(ef.RECIPES["cnn-64k"]) == [
        "epochs 30 → 110"
    ]
    for name, changes, why in (
        ("cn", {}, "unknown recipe 'cn': did you mean cnn?"),
        ("cnn", {"epoch": 1}, "unknown field 'epoch': did you mean epochs?"),
        ("cnn", {"epochs": "3"}, "epochs is a whole number, not '3'"),
        ("cnn", {"epochs": 0}, "epochs"),
        ("cnn", {"weights": "imagenet"}, "leave out weights"),
    ):
        with pytest.raises(ef.BadInput, match=re.escape(why)):
            ef.recipe(name, **changes)


def test_what_a_recipe_trains_is_told_before_it_is_trained(data: ef.Dataset, trained: ef.Run) -> None:
    found = ef.summarize(ef.recipe("cnn"), data.task)
    assert found.parameters == trained.info.model.parameters == 225_034
    assert found.macs == trained.info.model.macs
    assert found.layers[0].name == "conv1" and found.layers[0].output_shape == (26, 26, 32)
    assert (found.normalization.zero_point, found.normalization.scale) == (0, 1 / 255)
    assert repr(found).startswith("<Summary of cnn: 7 layers, 225,034 parameters, ")
    assert "225,034" in found.table() and "<td" in found._repr_html_()
    assert found.to_dict()["layers"][-1]["name"] == "logits"
    with pytest.raises(ef.BadInput, match="takes images with edges of"):
        ef.summarize(ef.recipe("cnn"), replace(data.task, image_shape=(4, 4, 1)))


def test_each_epoch_of_a_run_is_told(trained: ef.Run) -> None:
    assert [set(epoch) for epoch in trained.history] == 2 * [
        {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    ]


@pytest.mark.parametrize("named", ["zoo:cnn-64k", TINY, str(TINY)])
def test_a_model_answers_images(named: str | Path, data: ef.Dataset) -> None:
    model = ef.load_model(named, task=data.task)
    assert model.task.classes == data.task.classes
    said = model.predict(data.test.images[:5])
    assert said.logits is not None
    assert (said.logits.shape, said.logits.dtype) == ((5, 10), np.float32)
    assert said.top(0)[0].name in model.task.classes
    for wrong in (data.test.images[:5, :20], data.test.images[:0], data.test.images[:5].astype(float)):
        with pytest.raises(ef.BadInput, match=re.escape("takes images uint8 [N, 28, 28, 1], and these are")):
            model.predict(wrong)


def test_a_model_answers_pictures(data: ef.Dataset, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    picture = image.fromarray(255 - data.test.images[0, ..., 0]).resize((280, 280))
    picture.save(tmp_path / "shoe.png")
    model = ef.load_model("zoo:cnn-64k")
    found = model.classify([tmp_path / "shoe.png", str(tmp_path / "shoe.png"), picture])
    assert repr(found).startswith("<Classification of 3 by ") and len(repr(found)) < 300
    assert len(found) == 3
    assert found[0] == found[1] == found[2] == found[-1]
    assert found[0][0].name == data.task.classes[data.test.labels[0]]
    assert found[0][0].name in found.table() and "<td" in found._repr_html_()
    assert found.to_dict()["images"][2]["image"] == "picture"
    with pytest.raises(ef.PictureError, match=r"none\.png does not exist"):
        model.classify(["none.png"])
    with pytest.raises(ef.BadInput, match="nothing to classify"):
        model.classify([])


def test_one_picture_needs_no_list(data: ef.Dataset, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    picture = image.fromarray(255 - data.test.images[0, ..., 0])
    picture.save(tmp_path / "shoe.png")
    model = ef.load_model("zoo:cnn-64k")
    for one in (tmp_path / "shoe.png", str(tmp_path / "shoe.png"), picture):
        assert len(model.classify(one)) == 1
    with pytest.raises(ef.PictureError, match="has no pixels"):
        model.classify(image.new("RGB", (0, 5)))


def test_predictions_are_equal_to_none_but_themselves(data: ef.Dataset) -> None:
    model = ef.load_model("zoo:cnn-64k")
    one, other = (model.predict(data.test.images[:2]) for _ in range(2))
    assert one != other and len({one, other}) == 2


def test_a_task_of_other_classes_than_the_file_has_is_refused(data: ef.Dataset) -> None:
    few = replace(data.task, classes=("a", "b", "c"))
    with pytest.raises(ef.ArtifactError, match="gives 10 logits an image"):
        ef.load_model(TINY, task=few).predict(data.test.images[:2])


def test_what_is_printed_by_itself_is_a_line(data: ef.Dataset, trained: ef.Run, exported: ef.Run) -> None:
    """And not every pixel and every layer."""
    model = ef.load_model(TINY, task=data.task)
    artifact = ef.read_artifact(next(exported.artifacts.glob("*-int8.tflite")))
    results = ef.evaluate(TINY, data, threads=[1], limit=2, options=QUICK)
    for each in (data, data.test, trained, artifact, model, results):
        assert repr(each).startswith(f"<{type(each).__name__} ") or repr(each).startswith("<Subset: ")
        assert len(repr(each)) < 200 and "\n" not in repr(each)
    assert repr(data.test) == f"<Subset: {len(data.test):,} images of 28x28x1>"


WRONG_TYPES = {
    "evaluate(3, data)": "what is named has to be a path or Artifact or Run or list, not 3",
    "evaluate([TINY, None], data)": "what is named has to be a path or Artifact or Run, not None",
    "evaluate(TINY, 'photos/')": "dataset of evaluate has to be a Dataset, not 'photos/'",
    "evaluate(TINY, data, threads=1)": "threads of evaluate has to be a list, not 1",
    "evaluate(TINY, data, threads='all')": "a number of threads has to be a whole number, not 'a'",
    "evaluate(TINY, data, limit='5')": "limit of evaluate has to be a whole number, not '5'",
    "evaluate(TINY, data, options={})": "options of evaluate has to be a BenchmarkOptions",
    "benchmark(3)": "what is measured has to be a path or",
    "benchmark(b'a.onnx')": "what is measured has to be a path or Artifact or Run or Bundle or list, not b'a",
    "benchmark(TINY, runtime=b'x')": "runtime of benchmark has to be a str or list, not b'x'",
    "benchmark(TINY, runtime=[b'x'])": "a runtime has to be a str, not b'x'",
    "benchmark(TINY, threads=b'1')": "threads of benchmark has to be a list, not b'1'",
    "benchmark(TINY, threads=[1.5])": "a number of threads has to be a whole number, not 1.5",
    "benchmark_hosts(3, 'pi@a')": "models of benchmark_hosts has to be a",
    "benchmark_hosts(TINY, b'pi@a')": "hosts of benchmark_hosts has to be a str or list, not b'pi@a'",
    "benchmark_hosts(TINY, 'pi@a', runtime=3)": "runtime of benchmark_hosts has to be a str or list, not 3",
    "benchmark_hosts(TINY, 'pi@a', threads=1)": "threads of benchmark_hosts has to be a list, not 1",
    "summarize('cnn', data.task)": "recipe of summarize has to be a Recipe, not 'cnn': ef.recipe gives one",
    "train('cnn', data=5)": "recipe of train has to be a Recipe, not 'cnn': ef.recipe gives one",
    "train(RECIPES['cnn'], 'photos/', 'a')": "dataset of train has to be a Dataset",
    "train(RECIPES['cnn'], data, 3)": "folder of train has to be a path, not 3",
    "train_or_reuse('cnn', data, 'a')": "recipe of train_or_reuse has to be a Recipe",
    "export_model(3, data)": "run of export_model has to be a Run or path, not 3",
    "export_model('a', 'photos/')": "dataset of export_model has to be a Dataset",
    "export_model('a', data, options={})": "options of export_model has to be a ExportOptions",
    "read_run(3)": "folder of read_run has to be a path, not 3",
    "read_results(None)": "path of read_results has to be a path, not None",
    "read_artifact(b'a.onnx')": "path of read_artifact has to be a path",
    "load_dataset(3)": "folder of load_dataset has to be a path, not 3",
    "load_model([TINY])": "named of load_model has to be a path or Artifact or Run",
    "load_model(TINY, task='clothes')": "task of load_model has to be a Task, not 'clothes'",
    "load_model('zoo:cnn-64k').predict('a.png')": "images of predict has to be a NumPy array, not 'a.png'",
    "load_model('zoo:cnn-64k').classify(3)": "a picture has to be a path",
    "load_model('zoo:cnn-64k').classify(b'a.png')": "a picture has to be a path",
    "load_model('zoo:cnn-64k').classify(data.test.images)": "a picture has to be a path",
    "compare(3)": "what is compared has to be a path or Results, not 3",
    "compare(b'a.json')": "what is compared has to be a path or Results, not b'a.json'",
    "compare(['a.json'])": "what is compared has to be a path or Results",
    "compare('a.json', against=['b'])": "against of compare has to be a str or whole number",
    "inspect(None)": "named of inspect has to be a path",
    "inspect(TINY).save(3)": "path of save has to be a path, not 3",
    "make_bundle(3, data, 'a.zip')": "what is named has to be a path",
    "make_bundle(TINY, 'photos/', 'a.zip')": "dataset of make_bundle has to be a Dataset",
    "make_bundle(TINY, data, 3)": "path of make_bundle has to be a path, not 3",
    "make_bundle(TINY, data, 'a.zip', images='all')": "images of make_bundle has to be a whole number",
    "make_card(3, data)": "model of make_card has to be a path or Run, not 3",
    "make_card('zoo:cnn-64k', 'photos/')": "dataset of make_card has to be a Dataset",
    "make_report(3)": "what is reported on has to be a path or Run or Results, not 3",
    "make_report('zoo:cnn-64k', dataset='photos/')": "dataset of make_report has to be a Dataset",
    "debug(3, data)": "run of debug has to be a path or Run, not 3",
    "debug('a', data, images='all')": "images of debug has to be a whole number, not 'all'",
    "open_bundle(3)": "path of open_bundle has to be a path, not 3",
    "automatic_recipe('cnn', 'photos/')": "dataset of automatic_recipe has to be a Dataset",
    "automatic_recipe(3, data)": "model of automatic_recipe has to be a str, not 3",
    "recipe(3)": "name of recipe has to be a str, not 3",
    "split('photos/')": "dataset of split has to be a Dataset, not 'photos/': ef.load_dataset gives one",
    "quantize(3)": "model of quantize has to be a path, not 3",
    "doctor(3)": "data_folder of doctor has to be a path, not 3",
}  # fmt: skip


@pytest.mark.parametrize("call", WRONG_TYPES)
def test_a_value_of_another_type_is_bad_input(
    call: str, data: ef.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = vars(ef) | {name: getattr(ef, name) for name in ef.__all__}
    with pytest.raises(ef.BadInput, match=re.escape(WRONG_TYPES[call])):
        eval(call, names | {"data": data, "TINY": TINY})
    assert not list(tmp_path.iterdir())


def test_every_public_function_says_what_it_takes() -> None:
    functions = {name for name in ef.__all__ if isinstance(getattr(ef, name), FunctionType)}
    assert functions <= {call.partition("(")[0] for call in WRONG_TYPES}


def test_no_other_hardware_is_trained_on_silently(data: ef.Dataset, tmp_path: Path) -> None:
    with pytest.raises(ef.BadInput, match="hardware is one of cpu, gpu, gpu:0 and None, not 'tpu'"):
        ef.train(ef.recipe("cnn"), data, tmp_path / "run", hardware="tpu")


def test_numbers_of_numpy_are_numbers(data: ef.Dataset) -> None:
    assert len(ef.split(data, np.int64(30)).train) == 30


def test_no_model_at_all_is_refused(data: ef.Dataset, tmp_path: Path) -> None:
    with pytest.raises(ef.BadInput, match="no model is named"):
        ef.evaluate([], data, options=QUICK)
    with pytest.raises(ef.BadInput, match="no model is named"):
        ef.make_bundle([], data, tmp_path / "none.zip")
    with pytest.raises(ef.BadInput, match="nothing is named to measure"):
        ef.benchmark([], options=QUICK)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("threads", [[0], [-1], [1_000_000]])
def test_as_many_threads_as_no_machine_has_are_refused(threads: list[int], data: ef.Dataset) -> None:
    with pytest.raises(ef.BadInput, match="threads"):
        ef.evaluate(TINY, data, threads=threads, options=QUICK)
    with pytest.raises(ef.BadInput, match="threads"):
        ef.benchmark(TINY, threads=threads, options=QUICK)


def test_a_run_is_measured_by_its_folder_too(exported: ef.Run) -> None:
    by_folder, by_run = (
        ef.benchmark(each, threads=[1], options=QUICK) for each in (str(exported.folder), exported)
    )
    assert [row.path for row in by_folder.rows] == [row.path for row in by_run.rows]


def test_a_file_that_does_not_say_what_it_is_for_is_told() -> None:
    with pytest.raises(ef.BadInput, match="does not say what it is for: give its task"):
        ef.load_model(TINY)
    with pytest.raises(ef.ArtifactError, match=r"none\.onnx"):
        ef.load_model("none.onnx")
    with pytest.raises(ef.ZooError, match="did you mean cnn-64k"):
        ef.load_model("zoo:cnn-65k")


def test_an_inspection_is_shown_in_every_way(tmp_path: Path) -> None:
    assert ef.inspect("zoo:cnn-64k").format == "tflite"
    found = ef.inspect(str(TINY))
    assert "operators" in found.table()
    assert found.to_markdown().startswith("- ")
    assert found._repr_html_().startswith("<ul>")
    found.save(tmp_path / "found.json")
    assert json.loads((tmp_path / "found.json").read_text())["format"] == "tflite"
    assert ef.read_artifact(str(TINY)).format == "tflite"
    with pytest.raises(ef.ArtifactError):
        ef.inspect("x" * 5000)


def test_a_bundle_is_made_opened_and_measured(data: ef.Dataset, tmp_path: Path) -> None:
    made = ef.make_bundle(TINY, data, tmp_path / "b.zip", images=20)
    assert made.images == 20
    with ef.open_bundle(str(made.path)) as bundle:
        assert bundle.task == data.task
        opened = ef.benchmark(bundle, threads=[1], options=QUICK)
    by_path = ef.benchmark([made.path], threads=[1], options=QUICK)
    for found in (opened, by_path):
        (row,) = found.rows
        assert row.images == 20 and row.host.equal is True
    with pytest.raises(ef.BadInput, match=r"is not a \.zip file: call it b\.zip"):
        ef.make_bundle(TINY, data, "b.tar")


def test_the_doctor_reports(data: ef.Dataset, tmp_path: Path) -> None:
    found = ef.doctor(str(data.folder))
    assert found.findings[0].topic in found.table()
    assert "<table>" in found._repr_html_() and "| Found |" in found.to_markdown()
    found.save(tmp_path / "doctor.json")
    assert json.loads((tmp_path / "doctor.json").read_text())["fit"] == found.fit


@pytest.fixture(scope="module")
def measured(data: ef.Dataset) -> ef.Results:
    return ef.evaluate(["zoo:cnn-64k"], data, threads=[1], limit=50, options=QUICK)


def test_results_are_shown_in_every_way_and_read_again(measured: ef.Results, tmp_path: Path) -> None:
    assert [row.images for row in measured.rows] == [50, 50]
    assert "Accuracy" in measured.table() and "cnn-64k" in measured.table(80)
    assert "**Accuracy**" in measured.to_markdown()
    assert "<caption>Accuracy</caption>" in measured._repr_html_()
    assert len(measured.to_csv().splitlines()) == 3
    measured.save(tmp_path / "here.json")
    again = ef.read_results(str(tmp_path / "here.json"))
    assert [row.accuracy for row in again.rows] == [row.accuracy for row in measured.rows]


def saved_as(suffix: str, content: str) -> bool:
    """Whether a file of this suffix is to have this content, as far as its start tells."""
    starts = {".json": "{", ".csv": "", ".md": ("- ", "| "), ".txt": "", ".html": "<!DOCTYPE html>"}
    return content.startswith(starts[suffix]) and content.endswith("\n") and "\x1b" not in content


def test_what_is_saved_is_what_the_suffix_says(
    measured: ef.Results, data: ef.Dataset, tmp_path: Path
) -> None:
    everywhere = (".json", ".md", ".txt", ".html")
    tables = (*everywhere, ".csv")
    each: ef.Results | ef.Comparison | ef.Inspection | ef.DoctorReport
    for each, suffixes in (
        (measured, tables),
        (ef.compare(measured), tables),
        (ef.inspect(TINY), everywhere),
        (ef.doctor(data.folder), everywhere),
    ):
        assert set(each.ways_to_save()) == set(suffixes)
        for suffix in suffixes:
            each.save(tmp_path / f"x{suffix.upper()}")
            assert saved_as(suffix, (tmp_path / f"x{suffix.upper()}").read_text())
    for name in ("x", "x.xlsx", "x.json.bak"):
        with pytest.raises(ef.BadInput, match=re.escape(f"{name} is to end in .json, .md, .txt, .html")):
            measured.save(tmp_path / name)
        assert not (tmp_path / name).exists()


def test_progress_is_told_to_who_asks(data: ef.Dataset) -> None:
    seen: list[tuple[str, int, int]] = []
    ef.evaluate(TINY, data, threads=[1], limit=20, options=QUICK, progress=lambda *step: seen.append(step))
    assert seen[0] == ("classifying with tiny-int8.tflite", 16, 20)


def test_a_file_that_fails_is_a_row_and_raises_where_it_is_asked_to(data: ef.Dataset, tmp_path: Path) -> None:
    (tmp_path / "damaged.tflite").write_bytes(b"no model")
    found = ef.evaluate([tmp_path / "damaged.tflite"], data, threads=[1], options=QUICK)
    with pytest.raises(ef.ArtifactError, match=r"damaged\.tflite"):
        found.raise_failures()


def test_results_are_compared_from_memory_and_from_files(measured: ef.Results, tmp_path: Path) -> None:
    pi = replace(measured, device=structs.replace(measured.device, board="Raspberry Pi 5"))
    pi.save(tmp_path / "pi.json")
    found = ef.compare(measured, str(tmp_path / "pi.json"), against="Raspberry")
    assert found.against is not None and found.against.title == "Raspberry Pi 5"
    assert ef.compare(measured, tmp_path / "pi.json", against=2).against == found.against
    assert "Raspberry Pi 5" in found.table() and "Raspberry Pi 5" in found._repr_html_()
    assert found.to_dict()["sources"][1]["files"] == [str(tmp_path / "pi.json")]
    with pytest.raises(ef.BadInput, match="nothing to compare"):
        ef.compare()
    with pytest.raises(ef.BadInput, match=r"none\.json"):
        ef.compare(measured, "none.json")


def test_only_files_of_one_data_set_are_measured_together(data: ef.Dataset, tmp_path: Path) -> None:
    made = ef.make_bundle(TINY, data, tmp_path / "b.zip", images=10)
    with pytest.raises(ef.BadInput, match="is of other data than what is before it"):
        ef.benchmark(["zoo:cnn-64k", made.path], threads=[1], options=QUICK)
    with pytest.raises(ef.BadInput, match="is neither bundle nor model"):
        ef.benchmark(tmp_path / "shoe.png")


def test_a_run_is_exported_again_only_where_it_has_to_be(exported: ef.Run, data: ef.Dataset) -> None:
    lines: list[str] = []
    options = ef.ExportOptions(calibration_images=100, calibration="min-max")
    (file,) = ef.export_model(
        str(exported.folder), data, ["tflite"], ["int8"], options=options, reuse=True, report=lines.append
    )
    assert lines == [f"reusing {file.path}, which is up to date"]
    assert ef.load_model(exported).artifact.precision == "int8"
    assert ef.read_run(str(exported.folder)).id == exported.id
    for wrong in ({"formats": ["tfl"]}, {"precisions": ["int4"]}):
        with pytest.raises(ef.BadInput, match="unknown"):
            ef.export_model(exported, data, **wrong)


def test_a_card_is_made_and_written_in_markdown(
    data: ef.Dataset, measured: ef.Results, tmp_path: Path
) -> None:
    measured.save(tmp_path / "here.json")
    card = ef.make_card("zoo:cnn-64k", data, [tmp_path / "here.json"])
    assert (
        "# Model card: cnn-64k" in card.to_markdown()
        and "no choice was made on the test" in card.to_markdown()
    )
    card.save(tmp_path / "CARD.MD")
    assert (tmp_path / "CARD.MD").read_text() == card.to_markdown()
    card.plot(tmp_path / "confusion.svg")
    assert (tmp_path / "confusion.svg").is_file()
    with pytest.raises(ef.BadInput, match=r"card\.pdf is to end in \.md"):
        card.save(tmp_path / "card.pdf")


def test_layers_are_compared_from_python_as_on_the_command_line(exported: ef.Run, data: ef.Dataset) -> None:
    found = ef.debug(exported.folder, data, formats=["tflite"], images=20)
    assert found.precision == "int8" and found.images == 20
    assert found.costliest in found.table() and "cnn-int8.tflite" in found.to_markdown()
