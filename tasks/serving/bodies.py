"""What a request asks: its inputs and its settings, read within limits."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from tasks.engine.strict_json import parsed
from tasks.serving.errors import RefusedError
from tasks.serving.service import Limits

FIELDS = 32  # of a form, beside its files
CLOSE = {"Connection": "close"}  # what is left of a body is not read
ESCAPED = 12  # bytes of a character of JSON at most, as two escapes
REST = 100_000  # bytes of JSON beside its texts
LARGE = 50_000  # bytes of JSON that are parsed beside the loop that takes requests
PICTURES = ("image/", "application/octet-stream")


class Asked(NamedTuple):
    """What a request asks."""

    inputs: list[Any]
    settings: dict[str, Any]


async def body_of(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Raises:
        RefusedError: It is too large, or too slow to come.
        ClientDisconnect: The client has left.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.size:
        raise too_large(limits)
    end, parts, size = time.monotonic() + limits.seconds, list[bytes](), 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(max(end - time.monotonic(), 0.0)):
                part = await anext(stream)
        except StopAsyncIteration:
            return b"".join(parts)
        except TimeoutError as error:
            raise RefusedError(
                408, "slow", f"The request did not come in {limits.seconds:g} seconds.", CLOSE
            ) from error
        size += len(part)
        if size > limits.size:
            raise too_large(limits)
        parts.append(part)


def too_large(limits: Limits) -> RefusedError:
    """Return what is said of a body that is too large."""
    return RefusedError(413, "too_large", f"A request may have at most {limits.size / 1e6:g} MB.", CLOSE)


async def asked_texts(request: Request, limits: Limits) -> Asked:
    """Return what a request for texts asks, in JSON: `input` or `inputs`, and settings.

    Raises:
        RefusedError: It is not such a request.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "type", "Texts are asked for with Content-Type application/json.")
    content = await body_of(request, limits._replace(size=min(limits.size, ESCAPED * limits.characters + REST)))
    try:
        value = parsed(content) if len(content) < LARGE else await asyncio.to_thread(parsed, content)
    except (ValueError, RecursionError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error) or "it is not JSON"
        raise RefusedError(400, "json", f"The request is not the JSON that is read here: {reason[:200]}.") from error
    if not isinstance(value, dict) or ("input" in value) == ("inputs" in value):
        raise RefusedError(422, "inputs", "The request must be an object with either `input` or `inputs`.")
    inputs = [value.pop("input")] if "input" in value else value.pop("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, str) for one in inputs):
        raise RefusedError(422, "inputs", "`input` must be a text, and `inputs` a list of texts.")
    if sum(map(len, inputs)) > limits.characters:
        raise RefusedError(413, "too_large", f"A request may have at most {limits.characters:,} characters of text.")
    return checked(Asked(inputs, value), limits)


async def asked_pictures(request: Request, limits: Limits) -> Asked:
    """Return what a request for pictures asks: a file as the body, or a form with files named `image`.

    Raises:
        RefusedError: It is not such a request.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    settings: dict[str, Any] = dict(request.query_params)
    if kind == "multipart/form-data":
        inputs, more = await form_of(request, limits)
        return checked(Asked(inputs, settings | more), limits)
    if not kind.startswith(PICTURES):
        raise RefusedError(
            415, "type", "A picture is sent as it is, with Content-Type image/*, or in a form, as multipart/form-data."
        )
    content = await body_of(request, limits)
    if not content:
        raise RefusedError(422, "inputs", "The request has no picture.")
    return checked(Asked([content], settings), limits)


async def form_of(request: Request, limits: Limits) -> tuple[list[bytes], dict[str, str]]:
    """Return the files and the other fields of a form."""
    content = await body_of(request, limits)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    again = Request(request.scope, receive)
    try:
        async with again.form(max_files=limits.inputs, max_fields=FIELDS, max_part_size=limits.size) as form:
            items = [(name, value) for name, value in form.multi_items()]
            files = [await value.read() for name, value in items if isinstance(value, UploadFile) and name == "image"]
            fields = {name: value for name, value in items if isinstance(value, str)}
    except (MultiPartException, HTTPException, ValueError, LookupError) as error:  # the second is made of the first
        raise unread_form(str(getattr(error, "detail", "")), limits) from error
    if len(files) != sum(isinstance(value, UploadFile) for _, value in items) or "image" in fields:
        raise RefusedError(422, "inputs", "The files of a form must be named `image`.")
    return files, fields


def unread_form(reason: str, limits: Limits) -> RefusedError:
    """Return what is said of a form that is not read; `reason` is what the parser says."""
    if reason.startswith("Too many files"):
        return too_many(limits)
    if reason.startswith("Too many fields"):
        return RefusedError(413, "too_many", f"A form may have at most {FIELDS} fields beside its files.")
    return RefusedError(400, "form", "The request is not a form that can be read.")


def too_many(limits: Limits) -> RefusedError:
    """Return what is said of a request with too many inputs."""
    return RefusedError(413, "too_many", f"A request may have at most {limits.inputs} inputs.")


def checked(asked: Asked, limits: Limits) -> Asked:
    """Return what a request asks.

    Raises:
        RefusedError: It has no input, or too many.
    """
    if not asked.inputs:
        raise RefusedError(422, "inputs", "The request has no input.")
    if len(asked.inputs) > limits.inputs:
        raise too_many(limits)
    return asked
