"""What a machine lacks is said before anything is sent there."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgefashion.diagnosis import Check
from edgefashion.errors import HostError
from edgefashion.hosts import environment, probe
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote
from edgefashion.shelf import diagnosis
from edgefashion.shelf.machines import Machines
from edgefashion.version import __version__

if TYPE_CHECKING:
    from sshd import Shelf


def diagnose(folder: Path, python: str | None = None) -> diagnosis.Diagnosis:
    remote = Remote(Host.parse("a"))
    return diagnosis.diagnose(remote, python, folder / "report.json", lambda *_: None, Machines())


def test_of_one_that_has_this_edgefashion_its_own_doctor_tells(shelf: "Shelf", tmp_path: Path) -> None:
    (host,) = shelf("a")
    host.login("printf '\\033]0;pi\\007'")
    found = diagnose(tmp_path, sys.executable)
    topics = {finding.topic for finding in found.findings}
    assert {"ssh", "edgefashion", "python", "LiteRT", "ONNX Runtime", "memory"} <= topics
    assert found.to_dict()["fit"] == found.fit


def test_one_without_a_python_that_serves_is_not_fit(shelf: "Shelf", tmp_path: Path) -> None:
    shelf("a")
    found = diagnose(tmp_path, "/nowhere/python")
    assert not found.fit and "/nowhere/python does not serve" in found.table()
    assert diagnosis.to_dict([found], [HostError("b", "why", "mend")])["failed"] == [
        {"host": "b", "why": "why", "mend": "mend"}
    ]


@pytest.mark.parametrize(
    ("text", "mend", "shown"),
    [
        ("not on this machine: needed", "edgefashion data", ("not there: needed", None)),
        ("not possible here: x", "pip install 'a.whl[train]'", ("not possible there: x", None)),
        ("in /home/here/data", "sudo x", ("in /home/here/data", "there: sudo x")),
        ("hot", "let it cool down", ("hot", "let it cool down")),
    ],
)
def test_what_its_doctor_says_of_itself_is_said_of_another_machine(
    text: str, mend: str, shown: tuple[str, str | None]
) -> None:
    told = diagnosis._told(Check("note", "x", text, mend))
    assert (told.text, told.mend) == shown


def test_of_a_damaged_environment_all_else_is_told(shelf: "Shelf", tmp_path: Path) -> None:
    (host,) = shelf("a")
    found = probe.look(Remote(Host.parse("a")))
    made = host.home / ".cache/edgefashion/hosts" / environment._name(found)
    (made / "bin").mkdir(parents=True)
    (made / "bin/python").write_text("#!/bin/sh\necho No module named x >&2; exit 1\n")
    (made / "bin/python").chmod(0o755)
    for ready, told in (("2 files of 9 bytes", "--host a makes it anew"), ("0 files of 0 bytes", "--forget")):
        (made / "ready").write_text(ready)
        seen = diagnose(tmp_path)
        assert not seen.fit and seen.findings[0].topic == "ssh"
        assert re.search("its environment (is|may be) damaged", seen.table()) and told in seen.table()


def test_what_its_doctor_says_is_shown_and_does_nothing(shelf: "Shelf", tmp_path: Path) -> None:
    shelf("a")
    check = {"level": "ok", "topic": "x", "text": "fine\nok      forged  \x1b[2J", "mend": "\x1b[31m"}
    for findings, shown in (([check], True), ([{**check, "level": "?"}], False)):
        report = json.dumps({"device": {}, "state": {}, "findings": findings})
        lines = [{"type": "part", "text": report}, {"type": "done", "characters": len(report)}]
        said = "\n".join(map(json.dumps, lines))
        python = tmp_path / "python"
        python.write_text(
            '#!/bin/sh\ncase "$*" in *"edgefashion is"*) '
            f'echo "edgefashion is {__version__} $0"; exit;; esac\n'
            f"cat <<'EOF'\n{said}\nEOF\ncat > /dev/null\n"
        )
        python.chmod(0o755)
        if shown:
            table = diagnose(tmp_path, str(python)).table()
            assert "\x1b" not in table and "\nok      forged" not in table and "fine\\nok" in table
        else:
            with pytest.raises(HostError, match="its answer is damaged"):
                diagnose(tmp_path, str(python))
