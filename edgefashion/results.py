"""The results file of `evaluate` and `bench`: one row per (model file, runtime, threads).

Its content, as JSON:

    schema       2
    edgefashion  the version that measured
    verb         `evaluate` or `bench`
    device       see `device.describe`; its `before`, `during` (a list) and `after` are the `device.state`
                 around the measurement and between its rounds
    dataset      see `Dataset.describe`; null where only latency was measured
    protocol     how latency was measured, see `bench.Protocol`; null where it was not
    results      one object per (file, threads):
      model, format, precision      of the artifact; precision is null where nothing tells it
      target                        the processor that the file is made for, see `targets`
      kept_float                    the layers that an int8 file computes in float; [] in others
      runtime, runtime_version      null where it did not start
      threads, path                 the path as the user gave it
      pinned                        the CPUs that the measured process was kept on; null for any
      in_process                    whether it was measured without a process of its own
      size_bytes, sha256            of the file
      gzip_bytes                    of the file compressed by gzip, level 9: what an update of it transfers
      small_run                     whether the model was trained on a part of the data only
      images                        number of test images; null, like the next five, without data
      accuracy, accuracy_ci95       in 0..1, and its 95 % Wilson interval [low, high]
      accuracy_delta                accuracy minus the reference's
      agreement                     part of the images given the same class as by the reference
      mcnemar_p                     how likely luck alone explains so uneven a set of differences
      host                          the answers beside those that the bundle's maker got, see
                                    `bundle.compare`; null without a bundle
      latency_us                    {p50, p90, p99, mean, samples}: of single inferences, in microseconds;
                                    p99 is null below 1,000 samples; all null where nothing was timed
      inferences_per_s              1e6 / mean
      p90_bound_us                  MLPerf's early-stopping estimate of p90, see
                                    `statistics.early_stopping_bound`; null unless measured by its rules
      loops                         inferences in a row that a sample is the mean of
      kept_every                    2 where every second sample was kept, because there were so many
      raw_us                        every sample
      round_samples                 how many of them each round gave, in order
      load_ms, first_inference_us   once each, in a fresh process
      peak_rss_mb                   of a process that ran single inferences and was not timed, in MiB
      macs                          multiply-accumulates of one inference; null where shapes do not tell
      macs_per_s                    macs / p50
      limit_macs_per_s              what a matrix product of the same number type reached in the same
                                    runtime, threads and run; null where it was not measured
      energy_mj                     millijoules per inference; null where no power could be read
      sustained                     [{at_s, p50_us, temperature_c, mhz}]: latency over minutes; null where
                                    not asked for
      flags                         [{flag, why}]: what makes the figures untrustworthy; [] where nothing does
      instructions_per_inference    of an emulated processor, by its name; null where not counted
      status, error                 "ok" and null, or "failed" and why
      bad_file                      whether it failed because the file cannot be loaded
      note                          what was unusual about the run, or null

Files of schema 1 (`evaluate` before `bench` was there) lack the newer fields; reading fills them.
"""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgefashion import __version__
from edgefashion.errors import ArtifactError, BadInput, RuntimeCrash

SCHEMA = 2
_HEAD_OF_OLD: dict[str, Any] = {"edgefashion": None, "verb": "evaluate", "protocol": None}
_DEFAULTS: dict[str, Any] = {
    "target": "any",
    "kept_float": [],
    "pinned": None,
    "in_process": False,
    "gzip_bytes": None,
    "host": None,
    "inferences_per_s": None,
    "p90_bound_us": None,
    "loops": 1,
    "kept_every": 1,
    "round_samples": [],
    "macs": None,
    "macs_per_s": None,
    "limit_macs_per_s": None,
    "energy_mj": None,
    "sustained": None,
    "flags": [],
    "instructions_per_inference": None,
    "raw_us": [],
}
"""What a row has where nothing says otherwise, or its file is too old to say."""
_ROW = {"model", "format", "precision", "runtime", "threads", "path", "latency_us", "accuracy", "status"}
"""What every row of every schema has."""


@dataclass(frozen=True)
class Results:
    """Rows and what they were measured on, with and how; see the module for the fields."""

    device: dict[str, Any]
    dataset: dict[str, Any] | None
    rows: list[dict[str, Any]]
    verb: str = "evaluate"
    protocol: dict[str, Any] | None = None
    edgefashion: str | None = __version__

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the measurement."""
        return any(flag["flag"] == "interrupted" for row in self.rows for flag in row["flags"])

    def raise_failures(self) -> None:
        """Raise what failed rows say: ArtifactError when a file could not be loaded, else RuntimeCrash."""
        failed = [row for row in self.rows if row["status"] != "ok"]
        if failed:
            kind = ArtifactError if any(row["bad_file"] for row in failed) else RuntimeCrash
            raise kind("; ".join(dict.fromkeys(row["error"] for row in failed)))

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "schema": SCHEMA,
            "edgefashion": self.edgefashion,
            "verb": self.verb,
            "device": self.device,
            "dataset": self.dataset,
            "protocol": self.protocol,
            "results": self.rows,
        }


def complete(row: dict[str, Any]) -> dict[str, Any]:
    """A row with every field, its own first and the samples last: what it leaves out is not known."""
    known = {**copy.deepcopy(_DEFAULTS), **row}
    raw = known.pop("raw_us")
    return {**{name: known[name] for name in row if name in known}, **known, "raw_us": raw}


def to_json(results: Results) -> str:
    """JSON, one row a line, so that it can be read in spite of all its samples."""
    content = results.to_dict()
    rows = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in content.pop("results"))
    head = ",\n".join(
        f'  "{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in content.items()
    )
    return f'{{\n{head},\n  "results": [\n{rows}\n  ]\n}}\n'


def read(path: Path) -> Results:
    """The results in a file, of this schema or an older one. Raises BadInput for any other file."""
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): name a results file") from error
    except ValueError as error:
        raise _foreign(path) from error
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        raise _foreign(path)
    if content["schema"] > SCHEMA:
        raise BadInput(
            f"{path} has schema {content['schema']} and this edgefashion reads up to {SCHEMA}: update it"
        )
    try:
        return _results({**_HEAD_OF_OLD, **content})
    except (KeyError, TypeError, AttributeError) as error:
        raise _foreign(path) from error


def _results(content: dict[str, Any]) -> Results:
    rows = [complete(row) for row in content["results"]]
    if not all(row.keys() >= _ROW for row in rows):
        raise KeyError("a row lacks fields")
    head = ("device", "dataset", "verb", "protocol", "edgefashion")
    return Results(rows=rows, **{name: content[name] for name in head})


def _foreign(path: Path) -> BadInput:
    return BadInput(f"{path} is no results file of edgefashion: name one, or measure again")
