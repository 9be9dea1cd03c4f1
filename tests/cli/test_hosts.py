"""What is said of other machines, without any."""

import pytest

from edgefashion.cli import main
from edgefashion.hosts import environment


@pytest.mark.parametrize(("removed", "what"), [(True, "removed"), (False, "there is no")])
def test_what_is_forgotten_and_what_stays_is_said(
    removed: bool, what: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "forget", lambda _: removed)
    with pytest.raises(SystemExit):
        main(["bench", "--host", "a", "--forget"])
    said = capfd.readouterr().err
    assert f"a: {what} ~/.cache/edgefashion/hosts; data that a training fetched there stays" in said
