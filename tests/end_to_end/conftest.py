"""Verbs as a user types them, in this process: TensorFlow is opened once for all of them."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from edgefashion.cli import main
from edgefashion.data import locate


class Done(NamedTuple):
    """What a verb printed, and what it said on stderr."""

    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The one line that says what is wrong, after whatever progress there was."""
        (line,) = [line for line in self.stderr.splitlines() if line.startswith("edgefashion: ")]
        return line


VERBS = """
import json, sys
from edgefashion.cli import main
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as end:
        if end.code:
            raise
    print("ended", flush=True)
"""
"""Types verbs, one after the other."""
Typed = Callable[..., Done]


@pytest.fixture(scope="session")
def verbs() -> str:
    """A script for Pythons elsewhere, which types the verbs that JSON has in its one argument."""
    return VERBS


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """typed("bench", file, code=2): a verb, which has to end with this code and without a traceback."""
    monkeypatch.delenv(locate.VARIABLE, raising=False)

    def call(*words: object, code: int = 0) -> Done:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        done = Done(*capsys.readouterr())
        assert (ended.value.code or 0) == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call
