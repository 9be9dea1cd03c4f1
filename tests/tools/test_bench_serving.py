"""The load that the server is held against: its figures are of what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools/bench/serving", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_a_load_and_malformed_requests_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    done = run("zoo:cnn-64k", "--minutes", 0.01, "--picture", "image", "--malformed", 100, "--json", path)
    found = json.loads(path.read_text())
    (row,) = found["rows"]
    assert list(row["statuses"]) == ["200"] and row["statuses"]["200"] > 10
    assert 0 < row["throughput"] < 1.5 and 0 < row["p50_ms"] <= row["p99_ms"]
    assert row["throughput"] == row["served_per_s"] / row["bare_per_s"]  # of the one round
    first, last = row["memory_mb"]
    assert first > 50 and last - first < 8
    wrong = found["malformed"]
    assert sum(wrong["statuses"].values()) == 100 and wrong["then"] == "200"
    assert "500" not in wrong["statuses"]
    assert done.returncode == (row["throughput"] < 0.8)
    assert "image: " in done.stdout and "100 malformed" in done.stdout


def test_bad_input_is_one_line() -> None:
    for words in (["zoo:nothing"], ["zoo:cnn-64k", "--picture", "missing.png"]):
        done = run(*words)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stderr.startswith("serving: ")
