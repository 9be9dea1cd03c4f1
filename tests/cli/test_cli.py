import io
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgefashion import cli
from edgefashion.cli import _data, main
from edgefashion.cli._group import VERBS, command
from edgefashion.cli._progress import Bar, training_bar
from edgefashion.installation import pip_install
from edgefashion.recipes import SHORT

HEAVY = {"tensorflow", "tf_keras", "onnx", "onnxruntime", "ai_edge_litert", "matplotlib", "numpy", "rich"}


def failing(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a bad command says: one line, with exit code 2."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    "arguments", [["--help"], *([verb, "--help"] for verb in VERBS), ["train", "--epochs", "0"]]
)
def test_help_and_errors_open_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from edgefashion.cli import main\n"
        "try: main()\n"
        f"finally: print('opened:', *sorted({HEAVY!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "opened:"


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_that_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    own = command(verb)
    lines = [line.strip() for line in (own.help or "").splitlines()]
    (example,) = [line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")]
    program, name, *arguments = example.split()
    assert (program, name) == ("edgefashion", verb)
    with own.make_context(verb, arguments) as context:
        assert isinstance(context, click.Context)


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_explained(verb: str) -> None:
    options = [parameter for parameter in command(verb).params if isinstance(parameter, click.Option)]
    obvious = {"--model", "--format"}
    assert [o.opts[0] for o in options if not o.help and o.opts[0] not in obvious] == []


@pytest.mark.parametrize("verb", VERBS)
def test_what_the_list_of_verbs_says_is_what_the_verb_says_first(verb: str) -> None:
    assert (command(verb).help or "").splitlines()[0] == VERBS[verb]


def test_every_module_is_a_verb_or_has_an_underscore() -> None:
    folder = Path(cli.__file__).parent
    assert {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")} == set(VERBS)


def test_the_whole_package_imports_without_a_framework() -> None:
    code = (
        "import sys, edgefashion, edgefashion.data, edgefashion.evaluation.evaluate, edgefashion.report\n"
        f"print(*sorted({HEAVY - {'numpy'}!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("train --model cn", "did you mean cnn?"),
        ("train --model zzz", "Choose from cnn, cnn-16k, cnn-64k, cnn-64k-v2, cnn-256k, "),
        ("export --precision int9", "did you mean int8?"),
        ("export --precision float32,flaot16", "did you mean float16?"),
        ("export --format onyx", "did you mean onnx?"),
        ("export --format onnx --precision dynamic", "onnx has no dynamic here: add --format tflite"),
        ("export --calibration-images 0", "--calibration-images"),
        ("export --calibration entrpy", "did you mean entropy?"),
        ("export --target x86-vnn", "did you mean x86-vnni?"),
        ("export --target gpu", "Choose from any, arm64, x86-avx2, x86-vnni, auto"),
        ("train --epochs 0", "--epochs"),
        ("train --epochs -1", "--epochs"),
        ("train --batch-size 0", "--batch-size"),
        ("train --limit 0", "--limit"),
        ("train --limit -5", "--limit"),
        ("train --learning-rate 0", "--learning-rate"),
        ("train --model all --name x", "one --model at a time"),
        ("train --name a/b", "not the name of a folder"),
        ("train --name ..", "not the name of a folder"),
        ("train --seed 4294967296", "--seed"),
        ("train --force --resume", "give one of them"),
        ("train --weights imagenet", "trained from scratch, not from weights: leave out --weights"),
        ("train --width 0.5", "width of cnn must be 1, got 0.5"),
        ("train --qat nowhere", "there is no run runs/nowhere"),
        ("train --qat", "there is no run runs/cnn"),
        ("train --qat cnn --model mobilenetv2", "has a model of its own: leave out --model"),
        ("train --qat --epochs 0", "--epochs"),
        ("train --from", "there is no run runs/cnn"),
        ("train --from nowhere", "there is no run runs/nowhere"),
        ("train --from cnn --qat", "--qat names the run itself: leave out --from"),
        ("train --prune 0.5", "there is no run runs/cnn"),
        ("train --prune 0.5 --from nowhere", "there is no run runs/nowhere"),
        ("train --prune 0.5 --from cnn --model mobilenetv2", "leave out --model"),
        ("train --prune 0.5 --qat", "--qat, --prune and --cluster make runs of their own: give one"),
        ("train --prune 0.5 --cluster 16", "give one of them"),
        ("train --recipe cnn-64q", "unknown recipe 'cnn-64q': did you mean cnn-64k?"),
        ("train --recipe cnn-64k --model cnn", "--recipe names the model too: leave out --model"),
        ("train --recipe cnn-64k --qat cnn", "leave out --recipe"),
        ("train --set epoch=3", "the setting epoch=3: unknown field 'epoch': did you mean epochs?"),
        ("train --set epochs=many", "the setting epochs=many: epochs is a whole number, not 'many'"),
        ("train --set flip=1", "flip is true or false, not '1'"),
        ("train --set schedule=linear", "schedule is one of constant, cosine, one-cycle, not 'linear'"),
        ("train --set epochs", "epochs sets nothing: write a field and its value, like epochs=30"),
        ("train --set epochs=3 --set epochs=4", "epochs is set twice"),
        ("train --set epochs=3 --epochs 4", "--epochs and --set epochs set the same field"),
        ("train --set epochs=0", "epochs must be at least 1, got 0"),
        ("train --set warm_up=0.1", "a constant schedule has no warm_up"),
        ("train --set distillation=0.5", "set both teacher and distillation"),
        ("train --seeds 2 --seed 3", "--seeds counts the seeds from 0"),
        ("train --seeds 0", "--seeds"),
        ("train --config gone.toml", "gone.toml cannot be read"),
        ("train --recipe cnn-64k --weights w.h5", "cnn-64k is trained from scratch"),
        ("train --prune 0", "--prune 0 is not a share of the weights"),
        ("train --prune 1", "--prune 1 is not a share of the weights"),
        ("train --prune 80", "above 0 and below 1, like 0.8"),
        ("train --prune nan", "--prune nan is not a share of the weights"),
        ("train --prune -0.5", "--prune -0.5 is not a share of the weights"),
        ("train --prune most", "'most' is not a valid float"),
        ("train --cluster 16 --from nowhere", "there is no run runs/nowhere"),
        ("train --cluster 1", "1 is not in the range 2<=x<=256"),
        ("train --cluster 257", "257 is not in the range"),
        ("evaluate --threads 0", "not a number of threads"),
        ("evaluate --threads -1", "not a number of threads"),
        ("evaluate --threads two", "not a number of threads"),
        ("evaluate --threads 4096", "cores this process may use: give fewer"),
        ("evaluate --limit 0", "--limit"),
        ("bench", "comes without models: name a file"),
        ("bench .", ". is a folder: name a .zip"),
        ("bench notes.txt", "neither bundle nor model"),
        ("bench gone.zip", "gone.zip cannot be read"),
        ("bench gone.onnx", "gone.onnx does not exist"),
        ("bench a.onnx --threads 0", "not a number of threads"),
        ("bench a.onnx --threads 4096", "more than the"),
        ("bench a.onnx --threads 2 --pin 0", "2 threads are more than the 1 CPUs it is pinned to"),
        ("bench a.onnx --pin 4096", "cannot pin to CPU 4096"),
        ("bench a.onnx --pin 3-2", "'3-2' names no CPUs"),
        ("bench a.onnx --pin 0-99999999999", "names no CPUs"),
        ("bench a.onnx --pin x", "'x' names no CPUs"),
        ("bench a.onnx --seconds 0", "--seconds"),
        ("bench a.onnx --sustained -1", "--sustained"),
        ("bench a.onnx --full --seconds 3", "give one of them"),
        ("bench a.onnx --plot x.png", "add --sustained MINUTES"),
        ("bench a.onnx --sustained 1 --plot x.bmp", "end the name in .png, .svg or .pdf"),
        ("data --index 3", "add --plot"),
        ("evaluate mobilenetv2", "make it with edgefashion train --model mobilenetv2"),
        ("evaluate cnn-64k", "make it with edgefashion train --model cnn-64k"),
        ("inspect .", ". is a folder without exports: name .tflite and .onnx files, or an exported run"),
        ("debug zoo:cnn-64k", "name a run of edgefashion train, like runs/cnn"),
        ("debug nowhere", "there is no run runs/nowhere"),
        ("debug cnn --precision float32", "'float32' is not one of 'int8', 'int8-qat'"),
        ("debug cnn --plot layers.bmp", "end the name in .png, .svg or .pdf"),
        ("debug cnn --images 0", "--images"),
        ("evaluate nowhere", "there is no run runs/nowhere"),
        ("evaluate gone.tflite", "gone.tflite does not exist"),
        ("evaluate", "there are no runs in runs"),
        ("export", "there are no runs in runs"),
        ("exprot", "unknown verb 'exprot': did you mean export?"),
        ("trian --model cnn", "unknown verb 'trian': did you mean train?"),
        ("zzz", "unknown verb 'zzz'. Choose from bench, bundle,"),
        ("train --epoch 3", "No such option"),
    ],
)
def test_bad_input_is_one_line(
    arguments: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
    nothing_along: None,
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert said in failing(capsys, *arguments.split())


def test_a_missing_package_names_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sample_folder: object
) -> None:
    monkeypatch.delitem(sys.modules, "edgefashion.tensorflow", raising=False)
    monkeypatch.delitem(sys.modules, "edgefashion.training.train", raising=False)
    for module in [
        name for name in sys.modules if name.startswith(("edgefashion.models", "edgefashion.check"))
    ]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--data", str(sample_folder), "--limit", "100"])
    assert stopped.value.code == 1
    assert pip_install("train") in capsys.readouterr().err


@pytest.mark.parametrize("words", [["train"], ["run", "--smoke"]])
def test_a_missing_tensorflow_is_said_before_anything_is_fetched(
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr(_data, "load", lambda chosen: pytest.fail("data were asked for"))
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 1
    assert pip_install("train") in capsys.readouterr().err


def test_after_the_data_comes_what_was_not_done_yet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample_folder: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for last in ("train", "evaluate"):
        with pytest.raises(SystemExit):
            main(["data", "--data", str(sample_folder)])
        next_step = f"next: edgefashion {last} --data {sample_folder}"
        assert next_step in " ".join(capsys.readouterr().err.split())
        (tmp_path / "runs/cnn").mkdir(parents=True, exist_ok=True)
        (tmp_path / "runs/cnn/run.json").touch()


def test_help_shows_no_limit_that_nobody_reaches(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        with pytest.raises(SystemExit):
            main([verb, "--help"])
    assert "00000000" not in capsys.readouterr().out
    for words in ("train --epochs 1000000001", "bench a.onnx --seconds 1e10"):
        assert "is too large: give 1,000,000,000 at most" in failing(capsys, *words.split())


def test_a_bar_tells_the_time_left_once() -> None:
    """In its words, which know how long each file takes."""
    from rich.progress import TimeRemainingColumn

    bar = Bar()
    with bar as progress:
        progress("a.onnx, about 3 s left", 1, 4)
    assert not any(isinstance(column, TimeRemainingColumn) for column in bar.bar.columns)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_interruption_leaves_the_terminal_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with pytest.raises(KeyboardInterrupt), training_bar() as progress:
        progress("epoch 1/2", 1, 4)
        raise KeyboardInterrupt
    hidden, shown = terminal.getvalue().rfind("\x1b[?25l"), terminal.getvalue().rfind("\x1b[?25h")
    assert 0 <= hidden < shown


def test_all_stands_for_every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with command("train").make_context("train", ["--model", "all"]) as context:
        assert context.params["models"] == SHORT


def test_several_precisions_come_in_their_own_order() -> None:
    with command("export").make_context("export", ["--precision", "int8, float32"]) as context:
        assert context.params["precisions"] == ("float32", "int8")


def test_cpus_are_numbers_and_ranges() -> None:
    with command("bench").make_context("bench", ["a.onnx", "--pin", "3, 0-1,1"]) as context:
        assert context.params["pin"] == (0, 1, 3)


def test_thread_numbers_are_counted_once() -> None:
    with command("evaluate").make_context("evaluate", ["--threads", "1,1"]) as context:
        assert context.params["threads"] == (1,)
