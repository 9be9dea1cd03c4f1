"""Fields of a recipe set one by one: as text, `epochs=30`, or in a TOML file."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from edgefashion.errors import BadInput
from edgefashion.files import reading
from edgefashion.recipes.catalog import NAMED_RECIPES
from edgefashion.recipes.recipe import AUTO, Recipe

_NOT_SET = (
    *("name", "reason", "model", "fine_tuning", "base_run_id", "sparsity", "clusters"),
    *("teacher_id", "other_teachers", "other_teacher_ids"),
)
FIELDS = {name: hint for name, hint in get_type_hints(Recipe).items() if name not in _NOT_SET}
"""What may be set, and its type."""
BASE = "recipe"
"""The key of a TOML file that names the recipe whose fields it changes."""
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Config:
    """What a TOML file says: the recipe it starts from, where it names one, and the fields it sets."""

    recipe: str | None
    fields: dict[str, Any]


def settings(texts: Iterable[str]) -> dict[str, Any]:
    """The fields that texts like `epochs=30` set. Raises BadInput for others, and for one set twice."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadInput(f"{text} sets nothing: write a field and its value, like epochs=30")
        where = f"the setting {text}"
        _check_known(where, name, FIELDS)
        if name in found:
            raise BadInput(f"{where}: {name} is set twice")
        found[name] = _typed(where, name, _parsed(value, FIELDS[name]))
    return found


def read(path: Path) -> Config:
    """Read a TOML file. Raises BadInput with its name and the line of what cannot be."""
    content, text = reading.read_toml(path, "a TOML file with fields of a recipe", BadInput)
    fields = {}
    for name, value in content.items():
        where = f"{path}, line {_line(text, name)}"
        _check_known(where, name, (BASE, *FIELDS))
        if name != BASE:
            fields[name] = _typed(where, name, value)
        elif not isinstance(value, str) or value not in (AUTO, *NAMED_RECIPES):
            near = _nearest(str(value), (AUTO, *NAMED_RECIPES))
            raise BadInput(f"{where}: unknown recipe {value!r:.80}{near}")
    return Config(content.get(BASE), fields)


def checked(where: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the changes that are not None. Raises BadInput for an unknown field, or another type."""
    for name in changes:
        _check_known(where, name, FIELDS)
    return {name: _typed(where, name, value) for name, value in changes.items() if value is not None}


def _check_known(where: str, name: str, names: Iterable[str]) -> None:
    if name not in names:
        raise BadInput(f"{where}: unknown field {name!r}{_nearest(name, names)}")


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1, cutoff=0.3)
    return f": did you mean {near[0]}?" if near else f": choose from {', '.join(names)}"


def _line(text: str, name: str) -> int:
    """Where the key first stands, as itself or as the name of a table."""
    pattern = re.compile(rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[=.\]]""")
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types that a field takes; of `int | None` the first, for nothing is set to None."""
    parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return tuple(part for part in parts if part is not NoneType)


def _parsed(text: str, hint: Any) -> Any:
    """The value that a text stands for, as TOML would have it; the text itself where it stands for none."""
    (kind,) = _kinds(hint)
    if kind is bool:
        return {"true": True, "false": False}.get(text, text)
    if kind in (int, float):
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
    return text


def _typed(where: str, name: str, value: Any) -> Any:
    (kind,) = _kinds(FIELDS[name])
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise BadInput(f"{where}: {name} is one of {', '.join(get_args(kind))}, not {value!r:.80}")
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise BadInput(f"{where}: {name} is {_WORDS[kind]}, not {value!r:.80}")
    return value
