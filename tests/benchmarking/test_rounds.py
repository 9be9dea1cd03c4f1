"""The rounds, with fakes that write down when they are called."""

import re
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import count, groupby, pairwise
from pathlib import Path

import numpy as np
import pytest

from edgefashion.benchmarking import BenchmarkOptions, Job, Measurement, Watch, flags, measure, rounds
from edgefashion.benchmarking.rounds import KEPT, RESOLVED, clock_step_us
from edgefashion.errors import ArtifactError, BadInput, EdgefashionError, OutOfTime, RuntimeCrash
from edgefashion.records.device import Device
from edgefashion.runtimes.model import Model
from edgefashion.runtimes.process import ModelProcess

Fake = Callable[..., Path]
QUICK = BenchmarkOptions(rounds=6, samples=18, seconds=0, warm_up_seconds=0, timeout=15)
MODELS = Path(__file__).parents[1] / "files/models"
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1), dtype=np.uint8)


def rows_of(paths: list[Path], protocol: BenchmarkOptions = QUICK) -> list[Measurement]:
    return measure([Job(path, 1, IMAGES) for path in paths], protocol).rows


def test_rounds_are_interleaved_and_shuffled(fake: Fake, tmp_path: Path) -> None:
    trace = tmp_path / "calls.txt"
    marks: list[tuple[str, int]] = []

    def mark(what: str, done: int, steps: int) -> None:
        """Which call comes next when something begins."""
        marks.append((what.split(",")[0], len(trace.read_text().splitlines()) if trace.exists() else 0))

    jobs = [Job(fake(name, trace=str(trace), delay_us=1000), 1, IMAGES) for name in "abc"]
    rows = measure(jobs, QUICK, mark).rows
    calls, turns = trace.read_text().splitlines(), defaultdict(list)
    for (what, begin), (_, end) in pairwise(marks):
        turns[what].append(calls[begin:end])
    order = [[turn[0] for turn in turns[f"round {number}"]] for number in range(1, QUICK.rounds + 1)]
    first_call = next(begin for what, begin in marks if what == "round 1")
    assert list(dict.fromkeys(calls[:first_call])) == ["a.fake", "b.fake", "c.fake"]
    assert all(len(set(turn)) == 1 for number in range(1, 7) for turn in turns[f"round {number}"])
    assert all(sorted(names) == ["a.fake", "b.fake", "c.fake"] for names in order)
    assert len(set(map(tuple, order))) > 1
    assert [row.round_samples for row in rows] == [[3] * 6] * 3
    assert [len(row.raw_us) for row in rows] == [18, 18, 18]


def test_it_is_said_what_a_matrix_product_is_for(fake: Fake) -> None:
    doing: list[str] = []
    measure([Job(fake("a"), 1, latency_only=True)], QUICK, lambda what, *_: doing.append(what))
    assert doing[0] == "measuring what the processor can do"


def test_what_memory_has_no_room_for_is_measured_in_parts(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine with memory for two models at once: it is asked before the second, the third, ..."""
    monkeypatch.setattr("edgefashion.benchmarking.watch.LOOK_S", 0)
    short = iter([False, True, False, True, False])
    monkeypatch.setattr("edgefashion.benchmarking.room.memory_is_short", lambda sources: next(short))
    trace = tmp_path / "calls.txt"
    rows = rows_of([fake(name, trace=str(trace)) for name in "abcd"] + [fake("e", load="SIGSEGV")])
    assert [row.part for row in rows] == [1, 1, 2, 2, 3]
    assert [len(row.raw_us) for row in rows] == [18, 18, 18, 18, 0]
    assert [bool(row.error) for row in rows] == [False] * 4 + [True]
    assert rows[0].note is None
    assert rows[2].note and "part 2, memory being short" in rows[2].note
    calls = trace.read_text().splitlines()
    first_of_second = calls.index("c.fake")
    assert not {"c.fake", "d.fake"} & set(calls[:first_of_second])
    assert {"a.fake", "b.fake"} <= set(calls[:first_of_second])


def test_models_in_a_process_that_holds_much_take_turns(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own memory is not theirs, nor is it that of each of them."""
    monkeypatch.setattr("edgefashion.benchmarking.room.MOST_MB", 30)  # less than this process holds
    monkeypatch.setattr("edgefashion.benchmarking.room.memory_is_short", lambda sources: False)
    rows = rows_of([fake(name) for name in "abc"], replace(QUICK, in_process=True))
    assert [row.part for row in rows] == [1, 1, 1]
    assert [row.note for row in rows] == [None] * 3


def test_the_seed_decides_the_order(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgefashion.benchmarking.watch.LOOK_S", 0)
    monkeypatch.setattr("edgefashion.benchmarking.room.memory_is_short", lambda sources: False)

    def calls(seed: int, trace: Path) -> list[str]:
        models = [fake(name, trace=str(trace), delay_us=100) for name in "abc"]
        rows_of(models, replace(QUICK, seed=seed, in_process=True))
        return [name for name, _ in groupby(trace.read_text().splitlines())]  # however many inferences each

    first, second, other = (calls(seed, tmp_path / f"{number}") for number, seed in enumerate((0, 0, 1)))
    assert first == second != other


def test_a_file_is_done_when_it_has_its_rounds_its_time_and_its_samples(fake: Fake) -> None:
    slow = fake(delay_us=2000)
    [by_samples] = rows_of([slow], replace(QUICK, rounds=2, samples=30))
    assert by_samples.round_samples == [15, 15]
    [by_time] = rows_of([slow], replace(QUICK, rounds=2, samples=1, seconds=0.2))
    assert by_time.timed_seconds >= 0.2
    assert by_time.timed_seconds == pytest.approx(sum(by_time.raw_us) / 1e6)
    assert by_time.cut_at is by_time.note is None


def test_a_row_takes_no_more_than_its_time_whatever_an_inference_takes(fake: Fake) -> None:
    """Loading, warm-up, untimed inferences and the run for memory included; a busy machine adds some."""
    protocol = BenchmarkOptions(rounds=50, samples=100_000, seconds=1e6).within(4.0)
    begin = time.monotonic()
    [cut] = rows_of([fake(delay_us=300_000)], protocol)
    assert cut.spent_seconds <= 4.0 + 2.0
    assert time.monotonic() - begin < 15
    assert 2 <= cut.timed_samples <= 12 and len(cut.round_samples) < 50
    assert cut.cut_at == 4.0 and "cut at the 4 s that a row may take" in str(cut.note)
    [flag] = [flag for flag in flags(cut, Watch(), Device()) if flag.flag == "too few samples"]
    assert flag.why.endswith("within() gives more")


def test_a_row_whose_first_inference_takes_all_its_time_says_so(fake: Fake) -> None:
    [row] = rows_of([fake(delay_us=700_000)], BenchmarkOptions().within(1.5))
    assert isinstance(row.error, OutOfTime)
    assert "leaves no time for another of the 1.5 s of a row" in str(row.error)


def test_many_files_are_not_all_open_at_once(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgefashion.benchmarking.room.MOST_MB", 30)  # less than two processes of numpy hold
    open_now: set[int] = set()
    most = 0
    opened = rounds.open_model

    def counting(*arguments: object) -> Model:
        nonlocal most
        model = opened(*arguments)  # type: ignore[arg-type]
        alive = {pid for pid in open_now if Path(f"/proc/{pid}").exists()}
        open_now.clear()
        open_now.update(alive, {model.pid})
        most = max(most, len(open_now))
        return model

    monkeypatch.setattr(rounds, "open_model", counting)
    rows = rows_of([fake(name) for name in "abcd"], replace(QUICK, rounds=1, samples=1))
    assert max(row.part for row in rows) > 1 and most < 4
    assert not any(row.error for row in rows)
    assert "memory being short" in str(rows[-1].note)


def test_a_crash_ends_its_row_and_no_other(fake: Fake) -> None:
    rows = rows_of(
        [
            fake("good", delay_us=500),
            fake("load", load="SIGSEGV"),
            fake("warm", infer="SIGILL"),
            fake("later", infer="out of luck", after=40, delay_us=500),
            fake("memory", infer="SIGKILL", after=40, delay_us=500),
            fake("good too", delay_us=500),
            MODELS / "float-input.tflite",
        ]
    )
    crash, fine = RuntimeCrash, type(None)
    assert [type(row.error) for row in rows] == [fine, crash, crash, crash, crash, fine, ArtifactError]
    assert [len(row.raw_us) for row in rows] == [18, 0, 0, 0, 0, 18, 0]
    assert rows[0].runtime == "Fake" and rows[0].version == "1.0"
    assert "SIGSEGV while loading" in str(rows[1].error)
    assert "being measured" in str(rows[3].error)
    assert "out-of-memory" in str(rows[4].error)


def test_a_model_that_hangs_ends_its_row_and_no_other(fake: Fake) -> None:
    """In which time its process has to start too, on a machine that is busy."""
    rows = rows_of([fake("hang", infer="hang", after=40), fake("good")], replace(QUICK, timeout=4))
    assert [type(row.error) for row in rows] == [OutOfTime, type(None)]
    assert "no answer in the 4 s" in str(rows[0].error)
    assert [len(row.raw_us) for row in rows] == [0, 18]


def test_first_inference_load_and_memory_are_apart(fake: Fake) -> None:
    [row] = rows_of([fake(delay_us=3000)])
    assert row.first_inference_us and row.first_inference_us > 3000
    assert min(row.raw_us) > 3000
    assert row.load_ms is not None
    if Path("/proc/self/status").exists():
        assert row.peak_rss_mb and row.peak_rss_mb > 5


def test_what_the_clock_resolves_needs_no_loops(fake: Fake) -> None:
    assert rows_of([fake(delay_us=3000)])[0].loops == 1
    assert 0 < clock_step_us() * RESOLVED < 3000


def test_a_clock_that_stands_still_is_said_and_one_that_is_coarse_has_its_steps(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "READINGS", (100, 20_000))
    monkeypatch.setattr(time, "perf_counter_ns", lambda: 5)
    with pytest.raises(EdgefashionError, match=r"clock stands still here, .*: start"):
        rows_of([fake()])
    readings = count()
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(readings) // 5000 * 4_000_000)
    assert clock_step_us() == 4000


def test_where_the_clock_saw_no_time_pass_a_row_goes_on(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelProcess, "measure", lambda *_: [0.0] * 3)
    monkeypatch.setattr(ModelProcess, "warm_up", lambda *_: None)
    said: list[str] = []
    monkeypatch.setattr(rounds, "clock_step_us", lambda: 4000.0)
    [row] = measure([Job(fake(), 1, IMAGES)], QUICK, lambda what, *_: said.append(what)).rows
    assert (row.loops, row.error) == (10_000, None)
    assert said[-1] == "measured"


def test_what_is_too_fast_for_the_clock_is_run_several_times_a_sample(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgefashion.benchmarking.rounds.clock_step_us", lambda: 100.0)
    trace = tmp_path / "calls"
    [row] = rows_of([fake(delay_us=2000, trace=str(trace))], replace(QUICK, rounds=1, samples=3))
    assert 2 <= row.loops <= 5  # 10 ms, of 2 ms and a little more each
    assert len(trace.read_text().splitlines()) > len(row.raw_us) * row.loops
    assert min(row.raw_us) > 2000
    assert row.timed_seconds == pytest.approx(sum(row.raw_us) * row.loops / 1e6)


def test_of_very_many_samples_some_are_kept() -> None:
    row = Measurement(Job(Path("a"), 1), kept_every=3)
    row.add([1.0, 2.0, 3.0, 4.0])
    row.add([5.0, 6.0])
    assert row.raw_us == [1.0, 4.0, 5.0]
    assert (row.round_samples, row.timed_samples) == ([2, 1], 6)
    assert row.timed_seconds == pytest.approx(21e-6)
    assert row.round_p50_us == [2.5, 5.0]


def test_how_many_are_kept_follows_from_the_speed(fake: Fake) -> None:
    protocol = replace(QUICK, seconds=20 * KEPT * 1000 / 1e6, at_most=2, rounds=1)
    [row] = rows_of([fake(delay_us=1000)], protocol)
    assert 1 < row.kept_every <= 20  # 1 ms an inference, or more


def test_in_process_needs_no_child(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    rows = rows_of([fake("a", delay_us=500), fake("b", infer="bad")], replace(QUICK, in_process=True))
    assert len(rows[0].raw_us) == 18
    assert rows[0].peak_rss_mb is None
    assert "bad" in str(rows[1].error)


def test_a_missing_cpu_is_bad_input(fake: Fake) -> None:
    with pytest.raises(BadInput, match="cannot pin to CPU 4096"):
        rows_of([fake()], replace(QUICK, pin=(4096,)))


def test_ctrl_c_keeps_what_was_measured(fake: Fake, tmp_path: Path) -> None:
    def press() -> None:
        while trace.read_text().count("\n") < 200:
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    trace = tmp_path / "calls"
    trace.touch()
    paths = [fake("slow", delay_us=1000, trace=str(trace)), fake("bad", load="SIGSEGV")]
    thread = threading.Thread(target=press)
    thread.start()
    rows = rows_of(paths, replace(QUICK, rounds=10_000, at_most=60))
    thread.join()
    assert rows[0].interrupted and 0 < len(rows[0].raw_us) < 30_000
    assert not rows[1].interrupted and rows[1].error


def test_the_machine_is_looked_at_before_while_and_after(fake: Fake) -> None:
    measured = measure([Job(fake("a"), 1, IMAGES), Job(fake("b"), 1, IMAGES)], QUICK)
    assert {len(row.states) for row in measured.rows} == {6}
    assert len(measured.watch.during) == 12
    times = [state.at_s for state in measured.watch.during]
    assert times == sorted(times)
    around = measured.watch.around(Device(cores=4)).to_dict()
    assert around["cores"] == 4
    assert around["before"].keys() == around["after"].keys() == around["during"][0].keys() - {"at_s"}
    assert next(iter(around["during"][0])) == "at_s"


def test_progress_ends_where_it_said_it_would(fake: Fake) -> None:
    seen: list[tuple[int, int]] = []
    jobs = [Job(fake(name, delay_us=500), 1, IMAGES) for name in "ab"]
    measure(jobs, QUICK, lambda _, *step: seen.append(step))
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert seen[-1] == (14, 14)
    assert {step[1] for step in seen} == {14}


def test_progress_moves_and_says_the_time_left(fake: Fake) -> None:
    seen: list[tuple[str, int, int]] = []
    job = Job(fake(delay_us=50_000), 1, IMAGES)
    measure([job], replace(QUICK, rounds=3, samples=30), lambda *step: seen.append(step))
    shares = [done / total for _, done, total in seen]
    assert len({done for _, done, _ in seen}) > 3
    assert shares[-1] == 1 and max(shares[:-2]) < 1
    left = [float(found[1]) for what, *_ in seen if (found := re.search(r"about (\d+) s left", what))]
    assert 1 <= max(left) < 30
