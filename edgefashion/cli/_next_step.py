"""What one would do next."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.evaluation.results import Results


def after_evaluation(artifacts: "Sequence[Artifact]", found: "Results") -> list[str]:
    """What one would do with the model that was right most often, its int8 file first; nothing where none
    was right.
    """
    right = {row.path: row.accuracy for row in found.rows if row.accuracy is not None}
    if not right:
        return []
    from edgefashion import zoo
    from edgefashion.api.names import is_usual

    by_name = {zoo.display_name(each): each for each in artifacts}
    best = max(right, key=lambda name: right[name])
    model = best if best in by_name else next(iter(by_name))
    run_id = by_name[model].run_id
    ints = [name for name in right if (own := by_name.get(name)) and own.run_id == run_id and is_usual(own)]
    model = next(iter(ints), model)
    predicting = f"edgefashion predict {shlex.quote(model)} PICTURE.jpg"
    folder = by_name[model].path.parent.parent
    if by_name[model].manifest is None or by_name[model].path.parent.name != "artifacts":
        return [predicting]
    run = shlex.quote(str(folder))
    packing = f"edgefashion bundle {run} -o {shlex.quote(folder.name)}.zip"
    return [predicting, packing, f"edgefashion card {run} -o CARD.md"]


def after_benchmark(names: Sequence[str], found: "Results", json_file: object) -> list[str]:
    """What one may want to know after that; nothing where nothing was measured."""
    if found.protocol is None or all(row.status != "ok" for row in found.rows):
        return []
    bench = shlex.join(("edgefashion", "bench", *names))
    if json_file:
        return [f"edgefashion compare {shlex.quote(str(json_file))} OTHER.json  # one of another computer"]
    if found.protocol["sustained_minutes"]:
        return [f"{bench} --json FILE.json  # to compare it with other computers"]
    picture = next((name for name in names or ("zoo:cnn-256k",) if name.startswith("zoo:")), None)
    heat = f"{bench} --sustained 10  # what heat does"
    return [heat, f"edgefashion predict {picture} PICTURE.jpg"] if picture else [heat]
