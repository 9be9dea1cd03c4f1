"""Requests and responses, as the rest of the server sees them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from edgefashion.files import json_text

JSON = "application/json"
WAIT_S = "1"
"""Seconds after which one who was told to wait may come again."""


class Head(NamedTuple):
    """A request without its body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By their names in lower case; several of one name are one, with commas between."""
    address: str
    """Of who asks."""


class Response(NamedTuple):
    """What is answered."""

    status: int
    content: bytes
    kind: str = JSON
    headers: Mapping[str, str] = {}


class Refusal(Exception):
    """A request that is not done: an HTTP status, and why in words."""

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if status in (429, 503):
            self.headers["Retry-After"] = WAIT_S

    def response(self) -> Response:
        """The same, as it is sent."""
        return Response(self.status, to_json({"status": self.status, "error": str(self)}), JSON, self.headers)


def to_json(content: Any) -> bytes:
    """As it is sent."""
    return json_text(content).encode()
