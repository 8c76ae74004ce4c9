"""The addresses of a server, and what it does for each request."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

import tasks
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.task import TEXT
from tasks.serving.bodies import Asked, asked_pictures, asked_texts
from tasks.serving.errors import RefusedError, refusal
from tasks.serving.metrics import Metrics
from tasks.serving.queue import ClosedError, FullError, Job, LateError
from tasks.serving.schema import described, request_schema
from tasks.serving.service import Found, Limits, Served
from tasks.serving.settings import chosen

PAGE = Path(__file__).parent / "page"
TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml",
}  # fmt: skip
LEFT = 499  # status in the log of a request whose client has left
ENDING = "The server is ending."
FAILED = RefusedError(503, "failed", "The server failed at this request.")  # by a fault that nobody foresaw


class PageFile(NamedTuple):
    """A file of the page."""

    content: bytes
    kind: str
    mark: str


class State:
    """What a server holds.

    Attributes:
        ready: Whether every run has answered once.
        closing: Whether the server is ending.
    """

    def __init__(self, served: dict[str, Served], limits: Limits, metrics: Metrics) -> None:
        self.served, self.limits, self.metrics = served, limits, metrics
        self.ready = self.closing = False

    def close(self) -> None:
        """Refuse what waits and what comes."""
        self.closing = True
        for served in self.served.values():
            served.queue.close()


def build(state: State, has_token: bool = False) -> FastAPI:
    """Return the application; its schema says whether it takes a token."""
    app = FastAPI(title="fourlayers", version=tasks.__version__, docs_url=None, redoc_url=None)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        return JSONResponse(error.state(), error.status, error.headers)

    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = {404: "There is nothing at this address.", 405: "This address has another method."}
        about = RefusedError(error.status_code, "address", said.get(error.status_code, str(error.detail)))
        return JSONResponse(about.state(), error.status_code, error.headers)

    async def left(request: Request, error: Exception) -> Response:
        return Response(status_code=LEFT)  # which is not sent

    async def failed(request: Request, error: Exception) -> Response:  # the gate logs it
        return JSONResponse(FAILED.state(), FAILED.status)

    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(ClientDisconnect, left)
    app.add_exception_handler(Exception, failed)
    app.add_exception_handler(HTTPException, unknown)
    for name, file in page_files().items():
        app.add_api_route(
            "/" if name == "index.html" else f"/{name}", page_route(file), methods=["GET", "HEAD"],
            include_in_schema=False,
        )  # fmt: skip

    @app.get("/health", summary="Tell that the server runs.")
    async def health() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/ready", summary="Tell whether every run has answered once.")
    async def ready() -> Response:
        is_ready = state.ready and not state.closing
        return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)

    @app.get("/metrics", summary="Requests, times, waiting inputs and batches, for Prometheus.")
    async def metrics() -> Response:
        waiting = {name: len(served.queue) for name, served in state.served.items()}
        return Response(state.metrics.text(waiting), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/v1/tasks", summary="Tell the tasks that are served, their runs and their settings.")
    async def served_tasks() -> Response:
        limits = {"max_bytes": state.limits.size, "max_inputs": state.limits.inputs}
        return JSONResponse({"tasks": [one.state for one in state.served.values()], **limits})

    for path, route in (("/health", health), ("/ready", ready), ("/metrics", metrics), ("/v1/tasks", served_tasks)):
        app.add_api_route(path, route, methods=["HEAD"], include_in_schema=False)
    for name, served in state.served.items():
        about = request_schema(served, state.limits)
        app.add_api_route(
            f"/v1/{name}", task_route(state, served), methods=["POST"], summary=tasks.summary(name), openapi_extra=about
        )
    plain = app.openapi
    app.openapi = lambda: described(plain(), has_token)  # type: ignore[method-assign]
    return app


def page_files() -> dict[str, PageFile]:
    """Return the files of the page by name; nothing else is ever read from disk for a client."""
    found = {}
    for path in sorted(PAGE.iterdir()):
        if path.suffix in TYPES:
            content = path.read_bytes()
            found[path.name] = PageFile(content, TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return found


def page_route(file: PageFile) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with a file of the page."""

    async def page(request: Request) -> Response:
        headers = {"ETag": file.mark, "Cache-Control": "no-cache"}
        if file.mark in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.kind, headers=headers)

    return page


def task_route(state: State, served: Served) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a request for a task."""
    asked_of = asked_texts if served.pipeline.task.accepts is TEXT else asked_pictures

    async def ask(request: Request) -> Response:
        start = time.monotonic()
        asked = await asked_of(request, served.limits)
        found = await answered(request, state, served, asked, start)
        return response(request, served.name, found, time.monotonic() - start)

    return ask


async def answered(request: Request, state: State, served: Served, asked: Asked, start: float) -> list[Found]:
    """Return what becomes of the inputs of a request.

    Raises:
        RefusedError: There are no answers.
    """
    try:
        settings = chosen(asked.settings, served.choices)
    except SettingError as error:
        raise RefusedError(422, "setting", str(error)) from error
    job = Job(asked.inputs, json.dumps(sorted(settings.items())), start + state.limits.seconds)
    try:
        served.queue.put(job)
    except FullError as error:
        wait = {"Retry-After": str(error.seconds)}
        raise RefusedError(429, "busy", f"Too many inputs wait; try again in {error.seconds} s.", wait) from error
    except ClosedError as error:
        raise RefusedError(503, "ending", ENDING, {"Retry-After": "5"}) from error
    answers: asyncio.Future[Any] = asyncio.wrap_future(job.answers)
    leaving: asyncio.Future[Any] = asyncio.ensure_future(client_left(request))
    try:
        done, _ = await asyncio.wait(
            {answers, leaving},
            timeout=max(job.deadline - time.monotonic(), 0.0),
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        leaving.cancel()
    request.state.batch = job.batch
    if answers not in done:
        served.queue.leave(job)
        answers.cancel()  # so that nobody misses what becomes of it
        if leaving in done:
            raise RefusedError(LEFT, "left", "The client has left.")
        raise late(state)
    try:
        found = answers.result()
    except LateError as error:
        raise late(state) from error
    except ClosedError as error:
        raise RefusedError(503, "ending", ENDING, {"Retry-After": "5"}) from error
    run = served.pipeline.run.name
    return [one if isinstance(one, Found) else Found({}, one, run) for one in found]


def late(state: State) -> RefusedError:
    """Return what is said of a request that took too long."""
    return RefusedError(504, "late", f"There was no answer in {state.limits.seconds:g} seconds.")


async def client_left(request: Request) -> None:
    """Return once the client of a request, whose body has come, has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def response(request: Request, name: str, found: list[Found], seconds: float) -> Response:
    """Return the response with some answers.

    Raises:
        RefusedError: The only input has none, or none has one by the server's fault.
    """
    errors = [refusal(one.error) for one in found if one.error]
    whole = len(found) == 1 or all(error.status >= 500 or error.code == "setting" for error in errors)
    if len(errors) == len(found) and whole:
        raise errors[0]
    if len(found) == 1 and "image/png" in request.headers.get("accept", "") and "image" in found[0].answer:
        return Response(base64.b64decode(found[0].answer["image"]), media_type="image/png")
    answers = [{"error": str(refusal(one.error))} if one.error else one.answer for one in found]
    about: JsonObject = {"task": name, "run": found[0].run, "answers": answers}
    content = json.dumps(about | {"milliseconds": round(1000 * seconds, 2)}, ensure_ascii=False, allow_nan=False)
    return Response(content.encode("utf-8", "replace"), media_type="application/json")
