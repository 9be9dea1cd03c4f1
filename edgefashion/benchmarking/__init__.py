"""The latency and memory protocol.

- One child process per (model file, threads), so that no runtime's threads or caches meet another's, and
  a crash or a hang ends its row and no other. All children are alive from the start, or all of a part where
  memory has no room for more; an idle one sleeps in a blocking read, and so does this process while a child
  measures.
- Each is warmed up; its very first inference and the loading of the file are reported apart.
- Then rounds: in each, every child in turn runs one block of single inferences, in an order shuffled
  anew each round, so that a machine that slows down slows all of them alike.
- A block starts with a few untimed inferences, because others have used the caches meanwhile; none of
  more than 0.1 s, which fills them itself.
- All that is done with a file counts for the time of its row, and no inference is begun that would not fit.
- An inference is: inputs copied in, run, outputs read. Inputs are used in turn.
- Every sample is kept (of more than a million, every second, third, ...) and none is clipped. p99 is given
  from 1,000 samples on. A model too fast for the clock has samples of several inferences in a row.
- The machine is looked at before, after, and a few times while each model runs for that alone, between its
  blocks; what makes figures untrustworthy becomes a flag.
- Peak memory is that of another process, which runs a few inferences and is not timed.

A child answers only when its runtime's threads have gone to sleep. ONNX Runtime's threads spin after a
run: with 2 threads they burned 32 ms of processor time in the 100 ms after a block, which the next child
would have paid for. Forbidding the spinning (0.05 ms) also ends that, but it raised the median latency of
a small CNN from 29 to 41 µs, and a user's program would not have forbidden it; so we wait. LiteRT's
threads sleep at once (0.08 ms).

    options.py      how long, how often, and where these numbers are from
    rounds.py       measure(): the rounds
    budget.py       how much is left to do of a row, and of its time
    room.py         whether memory has room for one model more
    measurement.py  what is measured of a file, and the figures made of its samples
    watch.py        the machine's states meanwhile
    flags.py        what makes a row untrustworthy
    sustained.py    latency over minutes
    plot.py         the same as a picture
    energy.py       millijoules of an inference
    rooflines.py    what a matrix product reaches meanwhile
"""

from edgefashion.benchmarking.flags import flags
from edgefashion.benchmarking.measurement import P99_SAMPLES, Job, Measurement, summary
from edgefashion.benchmarking.options import BenchmarkOptions, full
from edgefashion.benchmarking.rooflines import Comparable, Rooflines
from edgefashion.benchmarking.rounds import Measured, measure
from edgefashion.benchmarking.watch import Watch
from edgefashion.reporting import Progress

__all__ = [
    "P99_SAMPLES",
    "BenchmarkOptions",
    "Comparable",
    "Job",
    "Measured",
    "Measurement",
    "Progress",
    "Rooflines",
    "Watch",
    "flags",
    "full",
    "measure",
    "summary",
]
