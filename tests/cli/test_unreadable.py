"""Files that cannot be read, all of them: one line, no empty table, and nothing to do next."""

from pathlib import Path

import pytest

from edgefashion.cli import main


@pytest.mark.parametrize("verb", ["evaluate", "bench", "inspect", "predict"])
def test_where_no_file_can_be_read_one_line_says_so(
    verb: str, tmp_path: Path, sample_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"no model")
    (tmp_path / "damaged.tflite.json").write_text("[]")
    words = {
        "evaluate": [damaged, "--threads", "1", "--data", sample_folder],
        "bench": [damaged, "--threads", "1", "--seconds", "0.01"],
        "inspect": [damaged],
        "predict": [damaged, "--index", "0", "--data", sample_folder],
    }
    with pytest.raises(SystemExit) as ended:
        main([verb, *map(str, words[verb])])
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert "next:" not in said.err
    lines = [line for line in said.err.splitlines() if line.startswith("edgefashion: ")]
    assert len(lines) == 1
    assert "damaged.tflite" in lines[0]
