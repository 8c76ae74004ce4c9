"""The application of a server by itself: what becomes of requests in its hard moments."""

import asyncio
import gc
import json
import logging
import threading
from types import SimpleNamespace

import httpx
import pytest

import tasks.serving.bodies as bodies_module
import tasks.serving.gate as gate_module
from tasks.engine.config import SettingError
from tasks.engine.members import RunError
from tasks.engine.task import TEXT
from tasks.serving.app import State, build
from tasks.serving.gate import Gate
from tasks.serving.log import JsonLines
from tasks.serving.metrics import Metrics
from tasks.serving.queue import Queue
from tasks.serving.server import with_origins
from tasks.serving.service import Found, Limits
from tasks.serving.settings import Choice

BEAM = Choice("beam", "integer", "beam", 5, 1, 10, (), "Width.")


class Stub:
    """A task that repeats texts, once it is let go; some texts are errors."""

    def __init__(self, limits):
        self.name, self.limits, self.choices, self.state = "mnist", limits, {"beam": BEAM}, {"task": "mnist"}
        self.pipeline = SimpleNamespace(task=SimpleNamespace(accepts=TEXT), run=SimpleNamespace(name="stub"))
        self.go, self.began, self.computed = threading.Event(), threading.Event(), []
        self.go.set()
        self.queue = Queue(self.answer, limits.waiting, limits.batch, limits.window)

    def answer(self, key, inputs):
        self.began.set()
        assert self.go.wait(10)
        self.computed += inputs
        errors = {"bug": ZeroDivisionError("secret"), "run": RunError("secret"), "pair": SettingError("No such pair.")}
        if "crash" in inputs:
            raise MemoryError
        return [Found({"said": text}, errors.get(text), "stub") for text in inputs]


class House:
    """An application with a stub, and how to ask it."""

    def __init__(self, names=None, token=None, logs=False, origins=(), **limits):
        self.stub = Stub(Limits(**({"seconds": 5.0} | limits)))
        self.state = State({"mnist": self.stub}, self.stub.limits, Metrics())
        self.gate = Gate(build(self.state), self.state, names, token, logs)
        self.app = with_origins(self.gate, origins)

    def client(self):
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost")

    def ask(self, method, path, **words):
        async def one():
            async with self.client() as client:
                return await client.request(method, path, **words)

        return asyncio.run(one())

    def post(self, *texts, **settings):
        return self.ask("POST", "/v1/mnist", json={"inputs": list(texts), **settings})


@pytest.fixture
def house():
    made = []

    def build_one(**words):
        made.append(House(**words))
        return made[-1]

    yield build_one
    for one in made:
        one.stub.go.set()
        one.stub.queue.close()
        one.stub.queue.thread.join(5)


def code_of(response):
    return response.status_code, response.json()["error"]["code"]


async def until(holds):
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


def test_what_is_too_late_is_refused_and_not_computed(house):
    one = house(seconds=0.2)
    one.stub.go.clear()

    async def ask():
        async with one.client() as client:
            begun = asyncio.create_task(client.post("/v1/mnist", json={"input": "first"}))
            await until(one.stub.began.is_set)
            return await asyncio.gather(begun, client.post("/v1/mnist", json={"input": "second"}))

    assert [code_of(response) for response in asyncio.run(ask())] == [(504, "late")] * 2
    one.stub.go.set()
    assert one.post("third").json()["answers"] == [{"said": "third"}]
    assert one.stub.computed == ["first", "third"]


def test_what_becomes_of_an_abandoned_request_is_no_loss(house):
    one, lost = house(seconds=0.2), []
    answer = one.stub.answer

    def answer_wanted(key, inputs):
        found = answer(key, inputs)
        one.stub.queue.check_wanted()
        return found

    one.stub.queue.answer = answer_wanted
    one.stub.go.clear()

    async def ask():
        asyncio.get_running_loop().set_exception_handler(lambda loop, about: lost.append(about["message"]))
        async with one.client() as client:
            refused = await client.post("/v1/mnist", json={"input": "first"})
            one.stub.go.set()
            answered = await client.post("/v1/mnist", json={"input": "next"})  # the thread has forgotten the first
            gc.collect()
            return refused, answered

    refused, answered = asyncio.run(ask())
    assert code_of(refused) == (504, "late")
    assert answered.status_code == 200
    assert lost == []


def test_what_is_too_much_is_refused_with_a_time(house):
    one = house(waiting=1)
    one.stub.go.clear()

    async def ask():
        async with one.client() as client:
            begun = asyncio.create_task(client.post("/v1/mnist", json={"input": "first"}))
            await until(one.stub.began.is_set)
            waiting = asyncio.create_task(client.post("/v1/mnist", json={"input": "second"}))
            await until(lambda: len(one.stub.queue))
            refused = await client.post("/v1/mnist", json={"input": "third"})
            one.stub.go.set()
            return refused, *await asyncio.gather(begun, waiting)

    refused, *answered = asyncio.run(ask())
    assert code_of(refused) == (429, "busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert [response.status_code for response in answered] == [200, 200]


def test_at_its_end_what_is_begun_is_answered_and_what_waits_or_comes_is_told(house):
    one = house()
    one.stub.go.clear()

    async def ask():
        async with one.client() as client:
            begun = asyncio.create_task(client.post("/v1/mnist", json={"input": "first"}))
            await until(one.stub.began.is_set)
            waiting = asyncio.create_task(client.post("/v1/mnist", json={"input": "second"}))
            await until(lambda: len(one.stub.queue))
            one.state.close()
            refused, ready = await waiting, await client.get("/ready")
            late = await client.post("/v1/mnist", json={"input": "third"})
            one.stub.go.set()
            return await begun, refused, late, ready

    begun, refused, late, ready = asyncio.run(ask())
    assert begun.json()["answers"] == [{"said": "first"}]
    assert code_of(refused) == code_of(late) == (503, "ending")
    assert ready.status_code == 503


@pytest.mark.parametrize(("text", "code"), [("bug", "failed"), ("run", "run"), ("crash", "failed")])
def test_a_failure_is_told_in_no_detail(house, text, code):
    response = house().post(text)
    assert code_of(response) == (503, code)
    assert "secret" not in response.text


def test_the_failure_of_one_input_is_no_matter_for_the_others(house):
    answers = house().post("good", "bug").json()["answers"]
    assert answers[0] == {"said": "good"}
    assert set(answers[1]) == {"error"}


def test_settings_that_do_not_fit_are_refused_as_a_whole(house):
    response = house().post("pair", "pair")
    assert code_of(response) == (422, "setting")
    assert response.json()["error"]["message"] == "No such pair."


def test_texts_are_limited_together(house):
    one = house(characters=10)
    assert one.post("12345", "67890").status_code == 200
    assert code_of(one.post("12345", "67890x")) == (413, "too_large")


def test_the_json_of_texts_has_a_limit_of_its_own_and_a_large_one_is_parsed_beside_the_loop(house, monkeypatch):
    one, threads = house(), []
    parse = bodies_module.parsed
    monkeypatch.setattr(
        bodies_module, "parsed", lambda content: threads.append(threading.current_thread()) or parse(content)
    )
    content, kind = json.dumps({"input": "\U0001f600" * 99_000}), {"Content-Type": "application/json"}
    assert len(content) > 12 * 99_000  # two escapes a character
    assert one.ask("POST", "/v1/mnist", content=content, headers=kind).status_code == 200
    assert one.post("a").status_code == 200
    assert threads[0] is not threading.current_thread()
    assert threads[1] is threading.current_thread()
    refused = one.post("a" * 1_400_000)
    assert code_of(refused) == (413, "too_large")
    assert "1.3 MB" in refused.json()["error"]["message"]
    assert len(threads) == 2


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/v1/tasks"])
def test_what_tells_of_the_server_may_be_asked_for_its_head(house, path):
    one = house()
    one.state.ready = True
    assert one.ask("HEAD", path).status_code == one.ask("GET", path).status_code == 200


def test_an_error_outside_of_a_task_is_a_sentence_and_a_line_of_the_log(house, capsys):
    one = house(logs=True)
    one.state.metrics.text = lambda waiting: 1 / 0
    response = one.ask("GET", "/metrics")
    assert code_of(response) == (503, "failed")
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["path"], line["status"], line["error"]) == ("/metrics", 503, "ZeroDivisionError")


def test_the_log_has_nothing_of_what_is_asked(house, capsys):
    one = house(logs=True, token="hidden")
    one.ask("POST", "/v1/mnist?name=private", json={"input": "private"}, headers={"Authorization": "Bearer hidden"})
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert set(line) == {"time", "method", "task", "status", "ms", "batch"}
    assert "private" not in str(line)
    assert "hidden" not in str(line)


def test_a_client_that_leaves_is_not_computed(house):
    one = house()
    one.stub.go.clear()
    parts = [{"type": "http.request", "body": b'{"input": "left"}'}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    head = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/mnist", "headers": head, "query_string": b""}

    async def ask():
        async with one.client() as client:
            begun = asyncio.create_task(client.post("/v1/mnist", json={"input": "first"}))
            await until(one.stub.began.is_set)
            await one.app(scope, receive, send)
            one.stub.go.set()
            return await begun

    assert asyncio.run(ask()).status_code == 200
    assert one.post("next").status_code == 200
    assert sent == []
    assert one.stub.computed == ["first", "next"]
    assert one.gate.count == one.gate.held == 0
    assert 'status="499"} 1' in one.state.metrics.text({})


def test_a_client_that_leaves_within_its_body_is_no_failure(house, capsys):
    one = house(logs=True)
    parts = [{"type": "http.request", "body": b'{"inp', "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return parts.pop(0)

    async def send(message):
        pass

    head = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/mnist", "headers": head, "query_string": b""}
    asyncio.run(one.app(scope, receive, send))
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line["status"] == 499
    assert "error" not in line


def test_too_many_or_too_large_requests_at_once_are_refused(house, monkeypatch):
    one = house()
    monkeypatch.setattr(gate_module, "HELD", 10)
    assert code_of(one.post("a text of more")) == (429, "busy")
    monkeypatch.setattr(gate_module, "MOST", 0)
    refused = one.ask("GET", "/v1/tasks")
    assert code_of(refused) == (429, "busy")
    assert refused.headers["Retry-After"] == "1"
    assert one.ask("GET", "/health").status_code == 200
    assert one.gate.count == one.gate.held == 0


def test_pages_of_others_may_ask_only_if_they_are_named(house):
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    closed = house().ask("OPTIONS", "/v1/mnist", headers=asked)
    assert "access-control-allow-origin" not in closed.headers
    one = house(origins=("https://a.example",), token="secret")
    assert one.ask("OPTIONS", "/v1/mnist", headers=asked).headers["Access-Control-Allow-Origin"] == "https://a.example"
    refused = one.ask("GET", "/v1/tasks", headers={"Origin": "https://a.example"})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "https://a.example"
    other = one.ask("GET", "/health", headers={"Origin": "https://b.example"})
    assert "access-control-allow-origin" not in other.headers


def test_names_of_other_hosts_are_refused(house):
    one = house(names=("localhost",))
    assert one.ask("GET", "/health", headers={"Host": "LOCALHOST:80"}).status_code == 200
    assert code_of(one.ask("GET", "/health", headers={"Host": "localhost.example"})) == (421, "host")


def test_requests_with_other_settings_are_not_answered_together(house):
    one, keys = house(), []
    answer = one.stub.answer
    one.stub.queue.answer = lambda key, inputs: keys.append((key, list(inputs))) or answer(key, inputs)
    one.stub.go.clear()

    async def ask():
        async with one.client() as client:
            asked = [
                asyncio.create_task(client.post("/v1/mnist", json={"input": f"{beam} {number}", "beam": beam}))
                for number in range(3)
                for beam in (2, 3)
            ]
            await until(lambda: len(one.stub.queue) + bool(one.stub.began.is_set()) >= 6 or len(one.stub.queue) >= 3)
            one.stub.go.set()
            return await asyncio.gather(*asked)

    found = [response.json()["answers"] for response in asyncio.run(ask())]
    assert found == [[{"said": f"{beam} {number}"}] for number in range(3) for beam in (2, 3)]
    for key, inputs in keys:
        assert all(text.startswith(str(dict(json.loads(key))["beam"])) for text in inputs)


def test_errors_of_a_task_are_logged_by_their_kind_alone(caplog):
    from tasks.serving.service import Served

    pipeline = SimpleNamespace(run=SimpleNamespace(name="stub"))
    with caplog.at_level(logging.ERROR, "serving"):
        found = Served.failed(SimpleNamespace(name="mnist"), ZeroDivisionError("secret"), pipeline)
    assert isinstance(found.error, ZeroDivisionError)
    assert [record.getMessage() for record in caplog.records] == ["mnist fails: ZeroDivisionError"]


def test_what_is_logged_is_a_line_of_json_and_what_may_quote_a_client_is_left_out(capsys):
    handler, loggers = JsonLines(), [logging.getLogger(name) for name in ("serving", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        loggers[0].warning("%s answers from %s now.", "mnist", "A\nB")
        try:
            raise ZeroDivisionError("secret")
        except ZeroDivisionError:
            loggers[1].exception("Future exception was never retrieved: %s", "secret")
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
    own, other = map(json.loads, capsys.readouterr().err.splitlines())
    assert own.items() >= {"level": "warning", "logger": "serving", "message": "mnist answers from A\nB now."}.items()
    assert (other["error"], other["place"].partition(":")[0]) == ("ZeroDivisionError", "test_app")
    assert "secret" not in str(other)


@pytest.mark.parametrize("token", [None, "secret"])
def test_the_schema_has_each_answer_and_each_refusal(house, token):
    one = house(token=token)
    schema = build(one.state, bool(token)).openapi()
    asked = schema["paths"]["/v1/mnist"]["post"]
    statuses = {"200", "400", "408", "413", "415", "421", "422", "429", "503", "504", *(["401"] if token else [])}
    assert set(asked["responses"]) == statuses
    error = {"$ref": "#/components/schemas/Error"}
    for status in statuses - {"200"}:
        assert asked["responses"][status]["content"]["application/json"]["schema"] == error
    assert "Retry-After" in asked["responses"]["429"]["headers"]
    assert asked.get("security") == ([{"token": []}] if token else None)
    assert ("securitySchemes" in schema["components"]) == bool(token)
    assert list(schema["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
    ready = schema["paths"]["/ready"]["get"]["responses"]
    assert ready["503"]["content"] == ready["200"]["content"]
    assert "401" not in ready
    assert one.ask("GET", "/openapi.json", headers={"Authorization": "Bearer secret"}).json()["openapi"]
