"""The latency protocol, with fakes that write down when they are called."""

from collections.abc import Callable
from pathlib import Path

from edgefashion.bench import P99_SAMPLES, Measurement, Protocol, measure, random_images, summary
from edgefashion.errors import ArtifactError, RuntimeCrash

Fake = Callable[..., Path]
QUICK = Protocol(rounds=6, runs=3, seconds=0, at_most=60, warm_up_seconds=0)
MODELS = Path(__file__).parent / "data/models"


def test_rounds_are_interleaved_and_shuffled(fake: Fake, tmp_path: Path) -> None:
    trace = tmp_path / "calls.txt"
    paths = [fake(name, trace=str(trace)) for name in "abc"]
    rows = measure([(path, 1) for path in paths], random_images(4), QUICK)
    calls = trace.read_text().splitlines()
    warm_up, blocks = calls[:3], calls[3:]
    assert warm_up == ["a.fake", "b.fake", "c.fake"]
    length = 5 + QUICK.runs  # five that are not timed
    turns = [blocks[at : at + length] for at in range(0, len(blocks), length)]
    assert all(len(set(turn)) == 1 for turn in turns)
    rounds = [tuple(turn[0] for turn in turns[at : at + 3]) for at in range(0, len(turns), 3)]
    assert len(rounds) == QUICK.rounds
    assert all(sorted(names) == ["a.fake", "b.fake", "c.fake"] for names in rounds)
    assert len(set(rounds)) > 1
    assert [len(row.raw_us) for row in rows] == [18, 18, 18]


def test_the_seed_decides_the_order(fake: Fake, tmp_path: Path) -> None:
    traces = []
    for number in range(2):
        trace = tmp_path / f"calls {number}.txt"
        measure([(fake(name, trace=str(trace)), 1) for name in "abc"], random_images(4), QUICK)
        traces.append(trace.read_text())
    assert traces[0] == traces[1]


def test_a_crash_ends_its_row_and_no_other(fake: Fake) -> None:
    rows = measure(
        [
            (fake("good"), 1),
            (fake("load", load="SIGSEGV"), 1),
            (fake("warm", infer="SIGILL"), 1),
            (fake("later", infer="out of luck", after=20), 1),
            (fake("hang", infer="hang", after=20), 1),
            (fake("good too"), 2),
            (MODELS / "float-input.tflite", 1),
        ],
        random_images(4),
        Protocol(rounds=6, runs=3, seconds=0, at_most=60, warm_up_seconds=0, timeout=2),
    )
    errors = [type(row.error) for row in rows]
    crash, fine = RuntimeCrash, type(None)
    assert errors == [fine, crash, crash, crash, crash, fine, ArtifactError]
    assert [len(row.raw_us) for row in rows] == [18, 0, 0, 0, 0, 18, 0]
    assert rows[0].runtime == "Fake" and rows[0].version == "1.0"
    assert "SIGSEGV while loading" in str(rows[1].error)
    assert "being measured" in str(rows[3].error)


def test_first_inference_load_and_memory_are_apart(fake: Fake) -> None:
    [row] = measure([(fake(delay_us=3000), 1)], random_images(2), QUICK)
    assert row.first_inference_us and row.first_inference_us > 3000
    assert min(row.raw_us) > 3000
    assert row.load_ms is not None
    if Path("/proc/self/status").exists():
        assert row.peak_rss_mb and row.peak_rss_mb > 5


def test_rounds_that_disagree_are_noted() -> None:
    row = Measurement(Path("a.tflite"), 1, block_p50_us=[30.0] * 20 + [60.0] * 5)
    assert row.note == "unsteady: p50 from 30.0 to 60.0 µs between rounds; measure on an idle machine"
    row.block_p50_us = [30.0] * 20 + [33.0] * 5
    assert row.note is None


def test_the_rotation_of_images_uses_all_of_them(fake: Fake) -> None:
    [row] = measure([(fake(), 1)], random_images(1000), QUICK)
    assert not row.error


def test_p99_needs_a_thousand_samples() -> None:
    assert summary([1.0] * (P99_SAMPLES - 1))["p99"] is None
    full = summary([float(value) for value in range(1, P99_SAMPLES + 1)])
    assert full == {"p50": 500.5, "p90": 900.1, "p99": 990.01, "mean": 500.5, "samples": 1000}


def test_no_sample_is_clipped() -> None:
    assert summary([1.0] * 9 + [1_000_000.0])["mean"] == 100_000.9


def test_no_samples_no_figures() -> None:
    assert summary([]) == {"p50": None, "p90": None, "p99": None, "mean": None, "samples": 0}


def test_progress_ends_where_it_said_it_would(fake: Fake) -> None:
    seen: list[tuple[int, int]] = []
    measure([(fake("a"), 1), (fake("b"), 1)], random_images(2), QUICK, lambda _, *step: seen.append(step))
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert seen[-1] == (14, 14)
    assert {step[1] for step in seen} == {14}
