"""The signature of a TFLite file: by name, the image and the logits, which some tools of others ask for."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

KEY = "serving_default"
INPUT, OUTPUT = "image", "logits"


def sign(model: Any) -> None:
    """Give a model, as LiteRT's schema unpacks it, the signature `serving_default`: `image` to `logits`."""
    graph = model.subgraphs[0]
    model.signatureDefs = [
        schema.SignatureDefT(
            signatureKey=KEY,
            inputs=[schema.TensorMapT(name=INPUT, tensorIndex=int(graph.inputs[0]))],
            outputs=[schema.TensorMapT(name=OUTPUT, tensorIndex=int(graph.outputs[0]))],
        )
    ]
