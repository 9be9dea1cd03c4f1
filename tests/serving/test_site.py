"""What is answered, to whom, and in which words."""

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgefashion import zoo
from edgefashion.pictures import UNNAMED, image_of
from edgefashion.runtimes.loaded import LoadedModel
from edgefashion.serving import limits, openapi
from edgefashion.stats import log_softmax

if TYPE_CHECKING:
    from conftest import Served

Encoded = Callable[..., bytes]
POST = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def test_a_picture_is_answered_as_the_runtime_itself_answers_it(served: "Served", shoe: bytes) -> None:
    (model,) = zoo.open_zoo().artifacts("zoo:cnn-64k-int8-qat.tflite")
    assert model.task
    pixels = image_of(shoe, UNNAMED, model.task)
    loaded = LoadedModel(model.path)
    loaded.start()
    loaded.load(threads=1)
    shares = np.exp(log_softmax(loaded.predict(pixels[np.newaxis])))[0]
    answer = served.predict(shoe, "?pixels=true")
    assert answer.status == 200
    found = answer.json
    assert found["classes"] == list(model.task.classes)
    (own,) = found["models"]
    assert own["probabilities"] == [round(share, 6) for share in shares.tolist()]
    assert (own["class"], own["label"]) == ("Sandal", 5)
    assert own["none_of_these"] is False
    assert own["inference_us"] > 0 and found["picture"]["us"] > 0
    assert found["picture"]["size"] == [112, 112] and "inverted" in found["picture"]["steps"]
    assert found["seen"]["shape"] == [28, 28, 1]
    assert base64.b64decode(found["seen"]["base64"]) == pixels.tobytes()
    assert "seen" not in served.predict(shoe).json


@pytest.mark.parametrize(
    ("query", "headers", "body", "status", "words"),
    [
        ("", {}, b"", 415, "there is no picture in this request"),
        ("", {}, b"no picture at all", 415, "is not a JPEG, PNG, WebP, BMP or TIFF picture"),
        ("", {}, b"\x89PNG\r\n\x1a\n" + bytes(40), 415, "picture"),
        ("", {"Content_Type": "multipart/form-data; boundary=x"}, b"--x", 415, "bytes alone as the body"),
        ("?pixels=yes", {}, b"x", 400, "/predict takes invert=true or false and pixels=true or false"),
        ("?path=/etc/passwd", {}, b"x", 400, "/predict takes"),
        ("?pixels", {}, b"x", 400, "/predict takes"),
        (
            "",
            {"Host": "attacker.example"},
            b"x",
            403,
            "goes by its address and by the name of its machine only",
        ),
        ("", {"Host": "127.0.0.1.attacker.example"}, b"x", 403, "goes by its address"),
        ("", {"Host": "localhost@attacker.example"}, b"x", 403, "goes by its address"),
        ("", {"Origin": "http://attacker.example"}, b"x", 403, "pages of other sites may not ask here"),
        ("", {"Origin": "null"}, b"x", 403, "pages of other sites"),
        ("", {"Origin": "https://127.0.0.1"}, b"x", 403, "pages of other sites"),
        ("", {"Sec_Fetch_Site": "cross-site"}, b"x", 403, "pages of other sites"),
        ("", {"Sec_Fetch_Site": "same-site"}, b"x", 403, "pages of other sites"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(
    query: str, headers: dict[str, str], body: bytes, status: int, words: str, served: "Served"
) -> None:
    answer = served.predict(body, query, **headers)
    assert (answer.status, answer.json["status"]) == (status, status)
    assert words in answer.json["error"]
    assert answer.headers["Content-Type"] == "application/json"


def test_its_own_page_and_its_own_names_may_ask(served: "Served", shoe: bytes) -> None:
    own = f"127.0.0.1:{served.port}"
    assert served.predict(shoe, Origin=f"http://{own}", Sec_Fetch_Site="same-origin").status == 200
    for host in ("localhost", f"localhost:{served.port}", "[::1]:8000", "192.168.1.5"):
        assert served.predict(shoe, Host=host).status == 200


def test_nothing_but_a_few_paths_is_there(served: "Served") -> None:
    inside = ("/site.py", "/../site.py", "/page/app.js", "/%2e%2e/site.py", "/app.js/", "/..%2fsite.py")
    for path in (*inside, "/etc/passwd", "//etc/passwd", "http://127.0.0.1/", "/index.html"):
        answer = served.ask("GET", path)
        assert answer.status == 404 and "there is nothing here but /, " in answer.json["error"]
    assert served.ask("GET", "/predict").headers["Allow"] == "POST"
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        answer = served.ask(method, "/")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_page_loads_nothing_but_its_own_parts(served: "Served") -> None:
    page = served.ask("GET", "/")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
    assert not [name for name in page.headers if name.lower().startswith("access-control")]
    for path, kind in {
        "/app.js": "text/javascript",
        "/style.css": "text/css",
        "/icon.svg": "image/svg+xml",
    }.items():
        answer = served.ask("GET", path)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    whole, head = page, served.ask("HEAD", "/")
    assert head.content == b"" and head.headers["Content-Length"] == str(len(whole.content))


def test_it_says_what_is_served(served: "Served") -> None:
    found = served.ask("GET", "/about.json").json
    assert found["model"] == "cnn-64k-qat" and found["paper"] == 0
    assert found["task"]["image_shape"] == [28, 28, 1] and len(found["task"]["classes"]) == 10
    (model,) = found["models"]
    assert model["file"] == "cnn-64k-int8-qat.tflite" and model["runtime"] == "LiteRT"


def test_the_description_is_of_what_is_answered(served: "Served", shoe: bytes) -> None:
    found = served.ask("GET", "/openapi.json").json
    assert found == openapi.describe("cnn-64k-qat", 10)
    (path,), schemas = found["paths"], found["components"]["schemas"]
    assert path == "/predict" and list(found["paths"][path]) == ["post"]
    conforms(served.predict(shoe, "?pixels=true").json, schemas["Answer"])
    conforms(served.predict(b"x").json, schemas["Refusal"])
    named = [each["name"] for each in found["paths"][path]["post"]["parameters"]]
    assert served.predict(shoe, "?" + "&".join(f"{name}=false" for name in named)).status == 200


def conforms(value: Any, schema: dict[str, Any]) -> None:
    """Fail for a value that is not of the schema, or has a property that it does not name."""
    kinds: dict[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    kinds |= {"number": (int, float), "null": type(None)}
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert any(isinstance(value, kinds[each]) for each in types)
    if isinstance(value, dict):
        assert set(schema["required"]) <= value.keys() <= schema["properties"].keys()
        for name, each in value.items():
            conforms(each, schema["properties"][name])
    elif isinstance(value, list):
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        for each in value:
            conforms(each, schema["items"])


def test_a_picture_of_too_many_bytes_or_pixels_is_refused(served: "Served", encoded: Encoded) -> None:
    announced = POST + f"Content-Length: {limits.BODY_BYTES + 1}\r\n\r\n".encode()
    assert b" 413 " in served.raw(announced) and b"20 MiB at most" in served.raw(announced)
    answer = served.predict(encoded(np.zeros((5000, 5000), bool)))
    assert answer.status == 413 and "25,000,000 pixels" in answer.json["error"]


@pytest.mark.parametrize("length", [b"", b"Content-Length: 3\r\n"])
@pytest.mark.parametrize("first", [b"POST /predict", b"GET /", b"HEAD /about.json"])
def test_a_body_of_unknown_length_is_refused_wherever_it_comes_and_whatever_it_claims(
    first: bytes, length: bytes, served: "Served"
) -> None:
    head = first + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + length + b"Transfer-Encoding: chunked\r\n\r\n"
    for body in (b"0\r\n\r\n", b"2\r\nab\r\n0\r\n\r\n"):
        answer = served.raw(head + body + POST)
        assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 411 ")
        assert first.startswith(b"HEAD") or b"with its Content-Length" in answer


def test_a_page_is_asked_for_without_a_body_that_would_keep_others_waiting(served: "Served") -> None:
    announced = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
    assert b" 413 " in served.raw(announced % (limits.BODY_BYTES + 1))


def test_names_of_classes_reach_programs_as_they_are_and_invert_is_heeded(
    served: "Served", shoe: bytes
) -> None:
    as_it_is = served.predict(shoe, "?invert=false").json
    assert "not inverted (as asked)" in as_it_is["picture"]["steps"]


def test_many_clients_at_once_get_their_own_answers(served: "Served", shoe: bytes) -> None:
    barrier = threading.Barrier(6)

    def ask(number: int) -> Any:
        barrier.wait()
        return served.predict(shoe if number % 2 else b"no picture").status

    with ThreadPoolExecutor(6) as clients:
        assert list(clients.map(ask, range(6))) == [415, 200] * 3
    assert json.loads(served.predict(shoe).content)["models"][0]["class"] == "Sandal"
