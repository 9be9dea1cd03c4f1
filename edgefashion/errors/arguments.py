"""What public functions take: another type is bad input, and said before anything is done."""

from collections.abc import Callable
from functools import wraps
from numbers import Integral
from pathlib import Path
from types import NoneType
from typing import ParamSpec, TypeVar

from edgefashion.errors import BadInput
from edgefashion.escaping import visible

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Kinds = type | tuple[type, ...]
PATH = (str, Path)
TEXT = (str, bytes)
"""One value, though it could be iterated over."""
OPTIONAL_PATH = (*PATH, NoneType)
OPTIONAL_NUMBER = (Integral, NoneType)
_LONGEST = 60
_WORDS = {
    "Path": "path",
    "Integral": "whole number",
    "Iterable": "list",
    "Sequence": "list",
    "ndarray": "NumPy array",
}
_MAKERS = {"Dataset": "load_dataset", "Recipe": "recipe"}
"""What makes a value of a type, by the type's name."""


def takes(**kinds: Kinds) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Let a function raise BadInput for arguments, called by name or by place, of other types than these."""

    def checking(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        code = getattr(function, "__wrapped__", function).__code__
        places = code.co_varnames[: code.co_argcount]

        @wraps(function)
        def checked(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
            for name, value in (*zip(places, arguments, strict=False), *named.items()):
                if name in kinds:
                    check(f"{name} of {function.__name__}", value, kinds[name])
            return function(*arguments, **named)

        return checked

    return checking


def check(what: str, value: object, kinds: Kinds) -> None:
    """Raise BadInput for a value that is of none of these types; bytes are no list."""
    if isinstance(value, kinds) and not isinstance(value, bytes | bytearray):
        return
    names = [kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,))]
    names = [name for name in names if name != "NoneType" and not (name == "str" and "Path" in names)]
    words = " or ".join(_WORDS.get(name, name) for name in names)
    mend = f": ef.{_MAKERS[names[0]]} gives one" if names[0] in _MAKERS else ""
    raise BadInput(f"{what} has to be a {words}, not {visible(repr(value)[:_LONGEST])}{mend}")
