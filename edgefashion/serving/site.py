"""What stands at which path: a few files, read once, two descriptions, and the models."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

from edgefashion.errors import EdgefashionError, OutOfTime, PictureError, PictureTooLarge
from edgefashion.serving import limits, openapi, origins
from edgefashion.serving.about import About
from edgefashion.serving.messages import Head, Refusal, Response, to_json
from edgefashion.serving.pool import Pool
from edgefashion.version import __version__

SCHEMA = 1
PAGE = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of the page: nothing but its own parts is loaded, and no other site shows it."""
PREDICT = "/predict"
OPTIONS = ("invert", "pixels")
_WHOLE = "send the picture as a whole, with its Content-Length"
_CRASHED = "the models failed at this picture; others are answered"
_SLOW = "the models gave no answer in time; other pictures are answered"


class Site:
    """Answers requests, by workers. `report` is told what its user cannot see: why models failed."""

    def __init__(self, pool: Pool, about: About, names: set[str], report: Callable[[str], None]) -> None:
        self._pool, self._names, self._report = pool, names, report
        self._classes = list(about.task.classes)
        bounds = {"body_bytes": limits.BODY_BYTES, "workers": pool.count}
        described = {"schema": SCHEMA, "edgefashion": __version__, **about.to_dict(), "limits": bounds}
        self._files = {f"/{path.name}": _file(path) for path in PAGE.iterdir()}
        self._files["/"] = self._files.pop("/index.html")
        self._files["/about.json"] = Response(200, to_json(described))
        self._files["/openapi.json"] = Response(
            200, to_json(openapi.describe(about.model, len(self._classes)))
        )

    def check(self, head: Head) -> None:
        """Raise Refusal for a request whose body is not worth waiting for."""
        origins.check_host(head, self._names)
        allowed = "POST" if head.path == PREDICT else "GET, HEAD"
        if head.path != PREDICT and head.path not in self._files:
            raise Refusal(404, f"there is nothing here but {', '.join(sorted([*self._files, PREDICT]))}")
        if head.method not in allowed.split(", "):
            raise Refusal(405, f"{head.path} takes {allowed}", Allow=allowed)
        _check_size(head)
        if head.path == PREDICT:
            origins.check_site(head)
            _options(head.query)
            _check_body(head)

    def respond(self, head: Head, body: bytes) -> Response:
        """The answer to a request that was checked. Raises Refusal."""
        return self._predict(head, body) if head.path == PREDICT else self._files[head.path]

    def _predict(self, head: Head, body: bytes) -> Response:
        try:
            found = self._pool.classify(body, head.address, **_options(head.query))
        except PictureTooLarge as error:
            raise Refusal(413, str(error)) from None
        except PictureError as error:
            raise Refusal(415, str(error)) from None
        except OutOfTime as error:
            self._report(str(error))
            raise Refusal(503, _SLOW) from None
        except EdgefashionError as error:
            self._report(str(error))
            raise Refusal(500, _CRASHED) from None
        return Response(200, to_json({"schema": SCHEMA, "classes": self._classes, **found}))


def _file(path: Path) -> Response:
    headers = PAGE_HEADERS if path.suffix == ".html" else {}
    return Response(200, path.read_bytes(), KINDS[path.suffix], headers)


def _options(query: str) -> dict[str, bool]:
    """The options in a query. Raises Refusal for others."""
    try:
        found = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=len(OPTIONS)
        )
    except ValueError:
        found = [("", "")]
    if any(name not in OPTIONS or value not in ("true", "false") for name, value in found):
        raise Refusal(400, f"{PREDICT} takes {' and '.join(f'{name}=true or false' for name in OPTIONS)}")
    return {name: value == "true" for name, value in found}


def _check_size(head: Head) -> None:
    """Raise Refusal for a body that is too large, or of which that is not known: chunks have their own ends,
    whatever a Content-Length says beside them.
    """
    if "transfer-encoding" in head.headers:
        raise Refusal(411, _WHOLE)
    if int(head.headers.get("content-length", 0)) > limits.BODY_BYTES:
        raise Refusal(413, f"a picture is {limits.BODY_BYTES >> 20} MiB at most: make it smaller")


def _check_body(head: Head) -> None:
    length, kind = head.headers.get("content-length"), head.headers.get("content-type", "")
    if length is None:
        raise Refusal(411, _WHOLE)
    if int(length) == 0:
        raise Refusal(415, "there is no picture in this request: send its bytes as the body")
    if kind.lower().startswith("multipart/"):
        raise Refusal(415, "send the picture's bytes alone as the body, not in a form")
