"""What parsers of strangers' files say, in plain words."""

import re

DEEPEST = 64
"""How deep lists and objects may lie in one another."""
_KINDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "nothing",
    "object": "an object",
    "str": "a text",
}
"""What types of JSON are called."""


def first_line(reason: Exception) -> str:
    """What a parser says, its first line, with types in words and the place of what is wrong before it."""
    if isinstance(reason, RecursionError):
        return f"it nests deeper than {DEEPEST} levels"
    line = (str(reason).strip() or type(reason).__name__).splitlines()[0]
    said, _, place = re.sub(r" matching regex '.*'", " of another form", line).partition(" - at `$")
    said = re.sub(r"`([a-z]+(?: \| [a-z]+)*)`", _kinds, said)
    said = re.sub(r"^Object missing required field ", "it lacks ", said).replace("Expected", "expected")
    place = place.rstrip("`").lstrip(".")
    return f"{place}: {said}" if place else said


def _kinds(named: re.Match[str]) -> str:
    """Types of JSON, or the name of a field, as people call them."""
    parts = named[1].split(" | ")
    return " or ".join(_KINDS.get(each, each) for each in parts)
