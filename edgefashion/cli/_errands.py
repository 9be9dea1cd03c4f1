"""What `train` asks of other machines: how it was typed, with what is read here in place of its names."""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion.cli import _fine_tuning
from edgefashion.recipes import FineTuning, Recipe

if TYPE_CHECKING:
    from edgefashion.recipes.overrides import Config
    from edgefashion.shelf.errands import Errand

TYPED = "edgefashion.typed"
_HERE = ("--workers", "--python", "--runs", "--name", "--seeds", "--resume")
"""Options for this computer."""
_READ = ("--data", "--config", "--set", "--teacher", "--weights", "--from", "--qat")
"""Those that name something, or may: they are said anew."""
_FLAGS, _PERHAPS_VALUED = ("--resume", "--force"), ("--from", "--qat")
_PATHS = ("teacher", "other_teachers", "weights")
"""Fields of a recipe, which are paths."""
_NO_FILES = ("imagenet", "none")
"""What --weights may be besides."""


class Typed(click.Command):
    """A verb that knows how it was typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As any command does."""
        ctx.meta[TYPED] = tuple(args)
        return super().parse_args(ctx, args)


def made(config: "Config", own: dict[str, Any], texts: Iterable[str], data: Path | None) -> "Errand":
    """What trains from the start. `own` are the fields of the recipe that options set, those of `texts` among
    them. Raises RunError, ArtifactError and ZooError for a teacher that is none.
    """
    from edgefashion.shelf.errands import Errand

    errand = Errand((), str(data) if data else None)
    words = [f"--set={text}" for text in texts if text.partition("=")[0] not in _PATHS]
    others = {field: value for field, value in config.fields.items() if field not in own}
    words += [f"--set={field}={_text(value)}" for field, value in others.items() if field not in _PATHS]
    if config.recipe:
        words.append(f"--recipe={config.recipe}")
    fields = config.fields | own
    teacher = fields.get("teacher")
    for number, folder in enumerate((*([teacher] if teacher else []), *fields.get("other_teachers", ())), 1):
        name = "teacher" if number == 1 else f"teacher-{number}"
        words.append(f"--teacher={_give_teacher(errand, name, folder)}")
    if weights := fields.get("weights"):
        is_file = weights not in _NO_FILES
        words.append(f"--weights={errand.give_file('weights', Path(weights)) if is_file else weights}")
    errand.words = (*_typed_without((*_HERE, *_READ)), *words)
    return errand


def _give_teacher(errand: "Errand", name: str, teacher: str) -> str:
    from edgefashion.training.teacher import RunTeacher, open_teacher

    found = open_teacher(teacher)
    if isinstance(found, RunTeacher):
        return errand.give_run(name, found.run)
    return errand.give_model(name, found.artifact, teacher)


def fine_tuning(
    errand: "Errand",
    tuning: tuple[FineTuning, str],
    models: tuple[str, ...],
    root: Path,
    changes: dict[str, Any],
) -> tuple[str, Recipe]:
    """Let it go on from a run, which is sent along; gives the usual name of what comes of it, and the recipe.
    Raises RunError and BadInput where it cannot.
    """
    from edgefashion.training.fine_tuning import recipe_from, run_name

    kind, name = tuning
    (base,) = _fine_tuning.base_runs(name, models, root)
    recipe = recipe_from(base, kind, base.info.data.checksums, **changes)
    words = _without(errand.words, ("--model",))
    errand.words = (*words, f"--{'qat' if kind == 'qat' else 'from'}={errand.give_run('base', base)}")
    return run_name(base, recipe), recipe


def resuming() -> str:
    """The command as it was typed, to go on with."""
    typed = _typed_without(("--resume", "--force"))
    return shlex.join(("edgefashion", "train", *typed, "--resume"))


def _typed_without(left_out: tuple[str, ...]) -> tuple[str, ...]:
    return _without(click.get_current_context().meta[TYPED], left_out)


def _without(typed: tuple[str, ...], left_out: tuple[str, ...]) -> tuple[str, ...]:
    """Words of a command without some options and their values."""
    found: list[str] = []
    skipping = ""
    for word in typed:
        option, is_assigned, _ = word.partition("=")
        is_value = skipping and not (skipping in _PERHAPS_VALUED and word.startswith("-"))
        skipping = ""
        if is_value:
            continue
        if option not in left_out:
            found.append(word)
        elif not (is_assigned or option in _FLAGS):
            skipping = option
    return tuple(found)


def _text(value: Any) -> str:
    """A field's value, as --set takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
