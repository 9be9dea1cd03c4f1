"""Documentation keeps to the code: verbs and options are named; commands, links and file lists are right."""

import ast
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from edgefashion.cli._group import cli

ROOT = Path(__file__).parents[1]
READMES = sorted(
    path
    for top in (ROOT, ROOT / "edgefashion", ROOT / "export", ROOT / "tools")
    for path in top.glob("README.md" if top == ROOT else "**/README.md")
)
PACKAGES = [
    path.parent for top in ("edgefashion", "export") for path in sorted((ROOT / top).glob("**/__init__.py"))
]
COMMAND = re.compile(r"(?:^|[\s/`])edgefashion ((?:[a-z]+|--)\b[^`]*)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)")
TOOL = re.compile(r"\btools/[a-z_/0-9]+\b")
LISTED = re.compile(r"^ *((?:[\w.]+/?)(?:, [\w.]+/?)*)  +\S")


def of(path: Path) -> str:
    """A path as it stands in this checkout, for the names of tests."""
    return str(path.relative_to(ROOT))


def verbs() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command}


def sections(text: str) -> dict[str, str]:
    """Heading → what stands below it, up to the next."""
    _, *parts = re.split(r"^#+ +(.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def commands(text: str) -> Iterator[str]:
    """Every `edgefashion ...`, of code blocks and between words; lines that go on below are joined."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    blocks = [block for language, block in fenced if language != "python"]
    blocks += re.findall(r"^(?: {4}.*\n)+", text, re.MULTILINE)
    blocks += [" ".join(words.split()) for words in re.findall(r"`(edgefashion [^`]*)`", text)]
    for line in re.sub(r"\\?\n +(?=\[?--)", " ", "\n".join(blocks)).splitlines():
        if found := COMMAND.search(line):
            yield found[1]


def test_a_newcomer_reads_at_most_200_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_option_is_named_in_the_section_of_its_verb(verb: str) -> None:
    text = (ROOT / "edgefashion/cli/README.md").read_text()
    shared = next(line for line in text.splitlines() if line.startswith("| `--skip-bad`"))
    section = sections(text)[verb] + shared
    options = [each for each in verbs()[verb].params if isinstance(each, click.Option) and not each.hidden]
    names = {name for option in options for name in (*option.opts, *option.secondary_opts)}
    assert sorted(name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", section)) == []


def test_every_verb_is_named_where_a_newcomer_looks() -> None:
    text = (ROOT / "README.md").read_text()
    assert [verb for verb in verbs() if f"`{verb}`" not in text and f"edgefashion {verb}" not in text] == []


@pytest.mark.parametrize("readme", READMES, ids=of)
def test_every_documented_command_exists(readme: Path) -> None:
    for command in commands(readme.read_text()):
        check(command)


def test_every_verb_has_an_example_in_its_help_that_can_be_typed() -> None:
    for verb, known in verbs().items():
        (example,) = re.findall(r"Example: edgefashion (.*?)(?:\n\s*\n|$)", known.help or "", re.DOTALL)
        assert example.startswith(verb)
        check(" ".join(example.split()))


def check(command: str) -> None:
    """A command that can be typed is parsed; of a synopsis, with its brackets, the options are looked up."""
    verb, _, rest = command.partition(" ")
    if verb.startswith("--"):
        return
    assert verb in verbs(), command
    known = verbs()[verb]
    context = click.Context(known, info_name=verb)
    if re.search(r"[\[\]|…]|\.\.\.", rest):
        options = {name for each in known.params for name in (*each.opts, *each.secondary_opts)}
        assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rest)) <= options, command
        return
    given, _, order = known.make_parser(context).parse_args(shlex.split(rest, comments=True))
    for option in order:
        if isinstance(option.type, click.Choice) and option.name in given:
            values = given[option.name]
            for value in values if isinstance(values, list) else [values]:
                option.type.convert(value, option, context)


@pytest.mark.parametrize("readme", READMES, ids=of)
def test_every_link_leads_somewhere(readme: Path) -> None:
    for path, anchor in LINK.findall(readme.read_text()):
        there = (readme.parent / path) if path else readme
        assert there.exists(), path
        if anchor:
            assert anchor in {slug(heading) for heading in sections(there.read_text())}, f"{path}#{anchor}"


def slug(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("package", PACKAGES, ids=of)
def test_a_package_that_lists_its_files_lists_them_all(package: Path) -> None:
    """A line `name.py  what it is`; a folder's ends with a slash and may be left out."""
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    lines = [found[1].split(", ") for line in docstring.splitlines() if (found := LISTED.match(line))]
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    words = {word for line in lines for word in line}
    assert {word for word in words if f"{word}.py" in modules} == set(), "a file is listed with its .py"
    listed = {word for word in words if word.endswith(".py")}
    assert listed in (set(), modules)
    assert all((package / word).is_dir() for word in words if word.endswith("/"))


def test_what_a_docstring_points_to_exists() -> None:
    rooms = "|".join(path.name for path in (ROOT / "edgefashion").iterdir() if path.is_dir())
    reference = re.compile(rf"`(?:edgefashion\.)?((?:{rooms})\.[a-zA-Z_.]+)`")
    for source in [path for package in PACKAGES for path in package.glob("*.py")]:
        for name in reference.findall(source.read_text()):
            found = (exists(folder, name) for folder in (source.parent, ROOT / "edgefashion"))
            assert any(found), f"{of(source)}: {name}"


def exists(folder: Path, name: str) -> bool:
    """Whether there is a module of this name in `folder`, or one that holds the rest of its name."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        path = folder.joinpath(*parts[:count])
        module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module.exists():
            return all(re.search(rf"\b{part}\b", module.read_text()) for part in parts[count:])
    return False


def test_every_tool_is_named_beside_the_tools_and_every_named_tool_exists() -> None:
    tools = {of(path) for path in (ROOT / "tools").rglob("*") if path.is_file() and os.access(path, os.X_OK)}
    assert tools - set(TOOL.findall((ROOT / "tools/README.md").read_text())) == set()
    named = {name for readme in READMES for name in TOOL.findall(readme.read_text())}
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_test_command_is_named() -> None:
    assert "tools/test" in (ROOT / "README.md").read_text()
