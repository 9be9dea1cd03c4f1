"""What is said while edgefashion is brought to another machine."""

import pytest

from edgefashion.hosts.there import shortened


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Collecting markdown-it-py>=2.2.0 (from rich)", "markdown-it-py>=2.2.0"),
        (
            "Processing /home/pi/.cache/x/rich-14.0-py3-none-any.whl (from edgefashion)",
            "rich-14.0-py3-none-any.whl",
        ),
        ("Installing collected packages: click, rich", "collected packages"),
    ],
)
def test_a_line_of_pip_says_what_is_installed(line: str, said: str) -> None:
    assert shortened(f"{line}\n") == f"installing: {said}"
