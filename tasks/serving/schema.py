"""What OpenAPI says of a server: requests, answers, refusals, and who may ask."""

from __future__ import annotations

from typing import Any

from tasks.engine.config import JsonObject
from tasks.engine.task import TEXT
from tasks.serving.service import Limits, Served

REFUSALS = {  # statuses without an answer, and their reasons
    400: "Not JSON, or not a form.",
    401: "The token is missing or wrong.",
    408: "The request comes too slowly.",
    413: "Too large, or too many inputs.",
    415: "Neither JSON nor a picture.",
    421: "The name of another server.",
    422: "An input that cannot be read, or a setting out of range.",
    429: "Too much waits, or is sent at once.",
    503: "The server is ending or has failed.",
    504: "No answer in time.",
}
TOKEN = 401
GENERAL = (421, 429, 503)  # refusals of addresses that ask nothing of a task
OPEN = ("/health", "/ready")  # addresses that always answer, and take no token
UNASKED = (421, 503)  # their refusals
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
ANSWER = {
    "type": "object",
    "required": ["task", "run", "answers", "milliseconds"],
    "properties": {
        "task": {"type": "string"},
        "run": {"type": "string"},
        "answers": {"type": "array", "items": {"type": "object"}},
        "milliseconds": {"type": "number"},
    },
}
ANSWERS = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
READY = {"type": "object", "required": ["ready"], "properties": {"ready": {"type": "boolean"}}}
SHAPES: dict[str, JsonObject] = {  # of answers, by their address; others are any object
    "/metrics": {"text/plain": {"schema": {"type": "string"}}},
    "/ready": {"application/json": {"schema": READY}},
}
SHAPE = {"application/json": {"schema": {"type": "object"}}}


def described(schema: JsonObject, has_token: bool) -> JsonObject:
    """Return the schema of an application with its answers, its refusals and, if it has one, its token."""
    parts = {"schemas": {"Error": ERROR, "Answer": ANSWER}}
    if has_token:
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    paths = {path: described_path(path, methods, has_token) for path, methods in schema["paths"].items()}
    return schema | {"paths": paths, "components": parts}


def described_path(path: str, methods: JsonObject, has_token: bool) -> JsonObject:
    """Return the operations of an address with their answers and refusals."""
    takes_token, found = has_token and path not in OPEN, {}
    for method, about in methods.items():
        is_asked = method == "post"
        content = about["responses"]["200"]["content"] | ANSWERS if is_asked else SHAPES.get(path, SHAPE)
        statuses = REFUSALS if is_asked else UNASKED if path in OPEN else GENERAL
        refused = [status for status in statuses if status != TOKEN] + [TOKEN] * takes_token
        responses = {"200": {"description": "The answer.", "content": content}}
        responses |= {str(status): refusal_schema(status) for status in sorted(refused)}
        if path == "/ready":
            responses["503"] = {"description": "Not yet, or not any more.", "content": content}
        found[method] = about | {"responses": responses} | ({"security": [{"token": []}]} if takes_token else {})
    return found


def refusal_schema(status: int) -> JsonObject:
    """Return what OpenAPI says of a refusal."""
    shape = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    found: JsonObject = {"description": REFUSALS[status], "content": shape}
    if status == 429:
        about = {"description": "Seconds after which there may be room.", "schema": {"type": "integer"}}
        found["headers"] = {"Retry-After": about}
    return found


def request_schema(served: Served, limits: Limits) -> JsonObject:
    """Return what OpenAPI says of a request for a task."""
    kinds: dict[str, Any] = {}
    for choice in served.choices.values():
        kind: JsonObject = {"type": "string", "enum": list(choice.choices)} if choice.choices else {"type": choice.kind}
        kinds[choice.name] = kind | {"description": choice.help, "default": choice.default}
        ends = {"minimum": choice.low, "maximum": choice.high}
        kinds[choice.name] |= {name: value for name, value in ends.items() if value is not None}
    if served.pipeline.task.accepts is TEXT:
        inputs = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": limits.inputs}
        schema = {"type": "object", "properties": {"input": {"type": "string"}, "inputs": inputs, **kinds}}
        return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    file = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": {"image": {"type": "array", "items": file}, **kinds}, "required": ["image"]}
    content = {
        "image/*": {"schema": file},
        "application/octet-stream": {"schema": file},
        "multipart/form-data": {"schema": form},
    }
    query = [{"name": name, "in": "query", "required": False, "schema": kind} for name, kind in kinds.items()]
    about: JsonObject = {"requestBody": {"required": True, "content": content}, "parameters": query}
    if served.pipeline.task.write:  # a single answer may be sent as the picture that it is
        about["responses"] = {"200": {"content": {"image/png": {"schema": file}}}}
    return about
