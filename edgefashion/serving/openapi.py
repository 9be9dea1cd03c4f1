"""What programs may ask, as OpenAPI 3.1 describes it."""

from typing import Any

from edgefashion.pictures.decoding import KINDS
from edgefashion.version import __version__

REFUSED = {
    400: "Not a request of HTTP, or an option that there is not",
    403: "From a page of another site, or for another host",
    411: "No Content-Length",
    413: "Too many bytes or pixels",
    415: f"Not a {KINDS} picture that can be opened",
    429: "Too many pictures of this address are waiting",
    500: "The models failed at this picture",
    503: "Too much is waiting, or the models took too long",
}


def describe(model: str, classes: int) -> dict[str, Any]:
    """The description of a server of this model."""
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{model}, served by edgefashion", "version": __version__},
        "paths": {"/predict": {"post": _predict()}},
        "components": {"schemas": {"Answer": _answer(classes), "Refusal": _REFUSAL}},
    }


def _predict() -> dict[str, Any]:
    binary = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    refused = {str(status): _json(words, "Refusal") for status, words in REFUSED.items()}
    return {
        "operationId": "predict",
        "summary": "Classify a picture",
        "description": "The picture is made fit as those were that the models learned from.",
        "parameters": [
            _option(
                "invert",
                "Of clothing: whether it is dark on bright; without it, whether the border is bright",
            ),
            _option("pixels", "Also give the image that the models saw"),
        ],
        "requestBody": {
            "description": f"The bytes of a {KINDS} file; its content says which",
            "required": True,
            "content": {"image/*": binary, "application/octet-stream": binary},
        },
        "responses": {"200": _json("The classes and their probabilities", "Answer"), **refused},
    }


def _option(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": words, "schema": {"type": "boolean"}}


def _json(words: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": words, "content": content}


def _record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(of: dict[str, Any], size: int | None = None) -> dict[str, Any]:
    sizes = {} if size is None else {"minItems": size, "maxItems": size}
    return {"type": "array", "items": of, **sizes}


def _answer(classes: int) -> dict[str, Any]:
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    picture = _record(size=_list(_WHOLE, 2), steps=_TEXT, us={**_TIME, "description": "Decoding and fitting"})
    model = _record(
        **{"file": _TEXT, "class": _TEXT},
        label=_WHOLE,
        none_of_these={"type": ["boolean", "null"], "description": "Whether no class fits; null: not known"},
        probabilities=_list(probability, classes),
        inference_us={**_TIME, "description": "The inference itself"},
    )
    seen = _record(shape=_list(_WHOLE, 3), base64={**_TEXT, "contentEncoding": "base64"})
    found = _record(schema=_WHOLE, classes=_list(_TEXT, classes), picture=picture, models=_list(model))
    found["properties"]["seen"] = {**seen, "description": "With pixels=true: height, width, channels; bytes"}
    return found


_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_TIME = {"type": "number"}
_REFUSAL = _record(status=_WHOLE, error=_TEXT)
