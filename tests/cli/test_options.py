"""Numbers on the command line: what is none, or larger than anything, is one line and exit code 2."""

import pytest

from edgefashion.cli import main
from edgefashion.cli._group import VERBS, command

HUGE = "9" * 5000
SECONDS = [("bench", "--seconds"), ("bench", "--sustained"), ("bench", "--at-most"), ("bench", "--memory"),
           ("evaluate", "--seconds"), ("evaluate", "--at-most"), ("evaluate", "--memory"),
           ("train", "--learning-rate"), ("run", "--learning-rate")]  # fmt: skip
COUNTS = [("bench", "--threads"), ("bench", "--pin"), ("evaluate", "--limit"), ("evaluate", "--threads"),
          ("train", "--epochs"), ("train", "--batch-size"), ("train", "--seed"), ("train", "--limit"),
          ("train", "--cluster"), ("export", "--calibration-images"), ("run", "--epochs"),
          ("data", "--index"), ("bundle", "--images"), ("debug", "--images"),
          ("predict", "--index"), ("serve", "--port"), ("serve", "--workers")]  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (2, "")
    assert err.startswith("edgefashion: ") and err.count("\n") == 1
    assert len(err) < 400
    return err


@pytest.mark.parametrize("value", ["nan", "-nan", "inf", "-inf", "1e999", "0", "-1", "1e300", "x", "", HUGE])
@pytest.mark.parametrize(("verb", "option"), SECONDS)
def test_a_number_is_above_0_and_finite(
    verb: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert option in said(capsys, verb, f"{option}={value}")


@pytest.mark.parametrize("value", ["nan", "inf", "1.5", "x", "", "-1", HUGE, "\u0664" * 30, "1_" * 60 + "1"])
@pytest.mark.parametrize(("verb", "option"), COUNTS)
def test_a_count_is_whole_and_no_longer_than_counts_are(
    verb: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = ["-o", "x.zip"] if verb == "bundle" else ["cnn"] if verb in ("predict", "debug", "serve") else []
    said(capsys, verb, *needed, f"{option}={value}")


def test_no_option_takes_any_float_or_integer() -> None:
    """A new option is to take one of the types of `cli._options`."""
    own = {"Finite", "Whole"}
    found = {
        f"{verb} {parameter.opts[0]}"
        for verb in VERBS
        for parameter in command(verb).params
        if type(parameter.type).__name__ not in own
        and getattr(parameter.type, "name", "") in ("float", "integer", "float range", "integer range")
    }
    assert found <= {"train --prune"}  # whose range is told by what it does


def test_time_and_seconds_agree(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "bench", "x.onnx", "--seconds", "100", "--at-most", "50")
    assert "--at-most 50 is less than the 100 s" in text
