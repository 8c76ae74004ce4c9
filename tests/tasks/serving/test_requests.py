"""A server as its clients see it: answers as `predict` gives them, and a clear refusal of everything else."""

import base64
import io
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tasks
import tasks.serving.server as server_module
from tasks.engine.config import SettingError
from tasks.engine.options import named_runs
from tasks.engine.terminal import exit_code, sentence
from tasks.serving.server import Address, check_token
from tasks.serving.service import Limits

ROOT = Path(__file__).parents[3]
DIGIT = ROOT / "tasks/mnist/example.png"
JSON = {"Content-Type": "application/json"}
HEAD = "POST /v1/{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
PNG = {"Content-Type": "image/png"}


class Client:
    """A server in a process of its own, and how to ask it."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "cli.py", "serve", "--port", "0", *words],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.log = []
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)$", self.process.stdout.readline().strip())[1])
        until(lambda: self.ask("GET", "/ready")[0] == 200)

    def follow(self):
        self.log.extend(self.process.stderr)

    def ask(self, method, path, body=None, headers=None):
        """Return the status, the headers and the content of a response, JSON as its value."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
            is_json = response.headers.get_content_type() == "application/json"
            return response.status, response.headers, json.loads(content) if is_json else content
        finally:
            connection.close()

    def post(self, task, value, headers=JSON):
        body = json.dumps(value) if headers is JSON else value
        return self.ask("POST", f"/v1/{task}", body, headers)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self.reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def raw(self, content, wait=10.0):
        """Send bytes as they are, and return all that comes back until the server closes, or for a time."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as client:
            found = b""
            try:
                client.sendall(content)
                while part := client.recv(65536):
                    found += part
            except (TimeoutError, ConnectionError):
                pass
            return found


def until(holds, seconds=30.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server():
    client = Client("--quiet")
    yield client
    assert client.end() == 0


@pytest.fixture(scope="module")
def strict():
    """Return a server with small limits, a token and a log."""
    client = Client("mnist", "sentiment", "--timeout", "1", "--max-size", "0.1", "--token", "secret")
    yield client
    client.end()


def multipart(*files, **fields):
    """Return the body and the headers of a form."""
    mark = "boundary42"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'--{mark}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for content in files
    ]
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), {"Content-Type": f"multipart/form-data; boundary={mark}"}


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_texts_are_answered_as_predict_answers_them(server):
    texts = ["A lovely film.", "Dull, and far too long.", "A lovely film."]
    status, _, found = server.post("sentiment", {"inputs": texts})
    assert status == 200
    expected = tasks.load("sentiment", "hybrid").predict(texts)
    assert [answer["label"] for answer in found["answers"]] == ["pos", "neg", "pos"]
    for one, other in zip(found["answers"], expected, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-4)
    assert found["run"] == "hybrid"
    assert found["milliseconds"] > 0
    words = server.post("sentiment", {"input": texts[0], "explain": True})[2]["answers"][0]["words"]
    assert [word for word, _ in words] == ["A", "lovely", "film", "."]


def test_translations_have_what_is_asked_for(server):
    status, _, found = server.post("translate", {"input": "A dog runs.", "n_best": 2, "beam": 3, "alignment": True})
    (sentence,) = found["answers"][0]["sentences"]
    assert status == 200
    assert len(sentence["translations"]) == 2
    weights = np.array(sentence["alignment"]["weights"])
    assert weights.sum(-1) == pytest.approx(1, abs=0.05)


def test_pictures_come_as_they_are_or_in_forms(server):
    content = DIGIT.read_bytes()
    alone = server.post("mnist", content, PNG)[2]
    assert alone["answers"][0]["label"] == "3"
    body, headers = multipart(content, b"no picture", layers="true")
    status, _, found = server.post("mnist", body, headers)
    assert status == 200
    assert found["answers"][0]["label"] == "3"
    assert found["answers"][1]["error"].endswith(".")
    layers = found["answers"][0]["layers"]
    assert {layer["channels"] for layer in layers if "channels" in layer} == set(
        tasks.load("mnist", "small").config.filters
    )
    for layer in layers:
        if "image" in layer:
            sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(layer["image"]))))
            assert sheet.shape[1] == layer["columns"] * (layer["width"] + 1) - 1
            assert sheet.max() == 255
    read = Image.open(io.BytesIO(base64.b64decode(found["answers"][0]["read"])))
    assert read.size == (28, 28)
    captions = server.post("caption?look_alikes=2", png(np.full((64, 64, 3), 90, "uint8")), PNG)[2]["answers"][0]
    assert captions["caption"]
    assert len(captions["look_alikes"]) == 2


def test_an_enlarged_picture_is_sent_in_json_or_as_it_is(server):
    small = np.tile(np.arange(40, dtype="uint8") * 5, (30, 1))
    answer = server.post("upscale", png(small), PNG)[2]["answers"][0]
    assert (answer["width"], answer["height"]) == (80, 60)
    status, headers, content = server.post("upscale", png(small), PNG | {"Accept": "image/png"})
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert content == base64.b64decode(answer["image"])
    assert Image.open(io.BytesIO(content)).size == (80, 60)


def test_a_server_tells_what_it_serves_and_how_it_does(server):
    found = server.ask("GET", "/v1/tasks")[2]
    assert [one["task"] for one in found["tasks"]] == tasks.names()
    assert found["max_inputs"] == 64
    for one in found["tasks"]:
        assert one["run"]["score"]["value"]
        names = {setting["name"] for setting in one["settings"]}
        assert not names & {"data", "engine", "run", "out", "columns", "encoding", "alignment_file", "megapixels"}
    assert server.ask("GET", "/health")[0] == 200
    text = server.ask("GET", "/metrics")[2].decode()
    assert re.search(r'^fourlayers_requests_total\{task="mnist",status="200"\} [1-9]', text, re.MULTILINE)
    assert re.search(r'^fourlayers_batch_inputs_bucket\{task="sentiment",le="\+Inf"\} [1-9]', text, re.MULTILINE)
    schema = server.ask("GET", "/openapi.json")[2]
    properties = schema["paths"]["/v1/translate"]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "properties"
    ]
    assert properties["beam"]["maximum"] == 16
    upscale = schema["paths"]["/v1/upscale"]["post"]
    kinds = {"image/*", "application/octet-stream", "multipart/form-data"}
    assert set(upscale["requestBody"]["content"]) == kinds
    assert set(upscale["responses"]["200"]["content"]) == {"application/json", "image/png"}
    assert "image/png" not in schema["paths"]["/v1/mnist"]["post"]["responses"]["200"]["content"]


def test_the_page_comes_with_headers_that_keep_others_out(server):
    status, headers, content = server.ask("GET", "/")
    assert status == 200
    assert b"<html" in content
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    again = server.ask("GET", "/", headers={"If-None-Match": headers["ETag"]})
    assert (again[0], again[2]) == (304, b"")


def deep(depth):
    return '{"input": ' + "[" * depth + "]" * depth + "}"


REFUSED = {  # what is asked, and the status of the answer
    "no JSON": (("POST", "/v1/sentiment", "{input", JSON), 400),
    "empty": (("POST", "/v1/sentiment", "", JSON), 400),
    "cut": (("POST", "/v1/sentiment", '{"input": "A film', JSON), 400),
    "not UTF-8": (("POST", "/v1/sentiment", b'{"input": "\xff\xfe"}', JSON), 400),
    "NaN": (("POST", "/v1/sentiment", '{"input": NaN}', JSON), 400),
    "deep": (("POST", "/v1/sentiment", deep(50_000), JSON), 400),
    "half a pair": (("POST", "/v1/sentiment", '{"input": "\\ud800"}', JSON), 400),
    "long number": (("POST", "/v1/translate", '{"input": "a", "beam": 1' + "0" * 5000 + "}", JSON), 400),
    "a list": (("POST", "/v1/sentiment", "[1]", JSON), 422),
    "null": (("POST", "/v1/sentiment", "null", JSON), 422),
    "no input": (("POST", "/v1/sentiment", "{}", JSON), 422),
    "none of them": (("POST", "/v1/sentiment", '{"inputs": []}', JSON), 422),
    "both": (("POST", "/v1/sentiment", '{"input": "a", "inputs": ["b"]}', JSON), 422),
    "a number": (("POST", "/v1/sentiment", '{"input": 5}', JSON), 422),
    "numbers": (("POST", "/v1/sentiment", '{"inputs": ["a", null]}', JSON), 422),
    "too many": (("POST", "/v1/sentiment", json.dumps({"inputs": ["a"] * 65}), JSON), 413),
    "another type": (("POST", "/v1/sentiment", "A film.", {"Content-Type": "text/plain"}), 415),
    "no type": (("POST", "/v1/sentiment", '{"input": "a"}', {}), 415),
    "unknown setting": (("POST", "/v1/sentiment", '{"input": "a", "colour": 1}', JSON), 422),
    "a path": (("POST", "/v1/translate", '{"input": "a", "alignment_file": "/tmp/x.png"}', JSON), 422),
    "a path as a yes": (("POST", "/v1/translate", '{"input": "a", "alignment": "/tmp/x.png"}', JSON), 422),
    "data": (("POST", "/v1/sentiment", '{"input": "a", "data": "/etc"}', JSON), 422),
    "engine": (("POST", "/v1/sentiment", '{"input": "a", "engine": "keras"}', JSON), 422),
    "out of range": (("POST", "/v1/translate", '{"input": "a", "beam": 10000}', JSON), 422),
    "too long for a float": (("POST", "/v1/translate", json.dumps({"input": "a", "beam": "1" + "0" * 400}), JSON), 422),
    "a long word": (("POST", "/v1/translate", json.dumps({"input": "a", "beam": "9" * 90_000}), JSON), 422),
    "a long yes": (("POST", "/v1/translate", json.dumps({"input": "a", "alignment": ["a" * 90_000]}), JSON), 422),
    "more than there are": (("POST", "/v1/translate", '{"input": "a", "beam": 2, "n_best": 9}', JSON), 422),
    "yes for a number": (("POST", "/v1/translate", '{"input": "a", "beam": true}', JSON), 422),
    "no picture": (("POST", "/v1/mnist", "digit", PNG), 422),
    "empty picture": (("POST", "/v1/mnist", "", PNG), 422),
    "cut picture": (("POST", "/v1/mnist", DIGIT.read_bytes()[:200], PNG), 422),
    "name of a file": (("POST", "/v1/mnist", str(DIGIT), PNG), 422),
    "JSON for a picture": (("POST", "/v1/mnist", '{"input": "/etc/passwd"}', JSON), 415),
    "broken form": (("POST", "/v1/mnist", b"--x\r\nzzz", {"Content-Type": "multipart/form-data; boundary=x"}), 422),
    "no boundary": (("POST", "/v1/mnist", b"zzz", {"Content-Type": "multipart/form-data"}), 400),
    "too many files": (("POST", "/v1/mnist", *multipart(*[b"a"] * 65)), 413),
    "too many pictures to enlarge": (("POST", "/v1/upscale", *multipart(*[b"a"] * 5)), 413),
    "too many fields": (("POST", "/v1/mnist", *multipart(b"a", **{f"f{i}": "a" for i in range(40)})), 413),
    "text as a file": (("POST", "/v1/mnist", *multipart(image="a")), 422),
    "form without files": (("POST", "/v1/mnist", *multipart(layers="true")), 422),
    "no yes": (("POST", "/v1/mnist?layers=perhaps", DIGIT.read_bytes(), PNG), 422),
    "unknown task": (("POST", "/v1/weather", "{}", JSON), 404),
    "task in capitals": (("POST", "/v1/MNIST", "{}", JSON), 404),
    "another method": (("GET", "/v1/sentiment", None, {}), 405),
    "no method": (("DELETE", "/v1/sentiment", None, {}), 405),
    "above": (("GET", "/../cli.py", None, {}), 404),
    "above, hidden": (("GET", "/%2e%2e/%2e%2e/cli.py", None, {}), 404),
    "a module": (("GET", "/app.py", None, {}), 404),
    "another host": (("GET", "/v1/tasks", None, {"Host": "evil.example:80"}), 421),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_answered_is_refused_in_a_sentence(server, name):
    asked, status = REFUSED[name]
    found, headers, content = server.ask(*asked)
    assert found == status
    assert headers.get_content_type() == "application/json"
    assert set(content["error"]) == {"code", "message"}
    assert content["error"]["message"].endswith((".", "?"))
    assert len(content["error"]["message"]) < 300
    assert "bytes" not in content["error"]["message"]
    assert "Traceback" not in content["error"]["message"]
    assert server.ask("GET", "/health")[0] == 200


def test_a_bomb_is_refused_before_it_is_decoded(server):
    content = png(np.zeros((9000, 9000), "uint8"))
    assert len(content) < 500_000
    start = time.monotonic()
    status, _, found = server.post("mnist", content, PNG)
    assert status == 422
    assert found["error"]["message"] == "The picture has 9,000x9,000 pixels, more than this server reads."
    assert time.monotonic() - start < 5


def test_many_at_once_get_each_their_own_answer(server):
    texts = [f"{word} film number {number}." for number in range(20) for word in ("A lovely", "A dull", "An awful")]
    alone = [server.post("sentiment", {"input": text})[2]["answers"][0] for text in texts[:6]]
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda text: server.post("sentiment", {"input": text, "explain": True}), texts * 3))
    assert {status for status, *_ in found} == {200}
    for text, (_, _, content) in zip(texts * 3, found, strict=True):
        assert text.split()[:2] == [word for word, _ in content["answers"][0]["words"]][:2]
        assert text.split()[-1].rstrip(".") in [word for word, _ in content["answers"][0]["words"]]
    for one, (_, _, content) in zip(alone, found, strict=False):
        assert content["answers"][0]["probabilities"] == pytest.approx(one["probabilities"], abs=1e-3)
    text = server.ask("GET", "/metrics")[2].decode()
    batches = int(re.search(r'fourlayers_batch_inputs_count\{task="sentiment"\} (\d+)', text)[1])
    inputs = float(re.search(r'fourlayers_batch_inputs_sum\{task="sentiment"\} ([\d.]+)', text)[1])
    assert inputs > 1.5 * batches


def test_requests_in_a_row_on_one_connection_are_answered_in_order(server):
    bodies = [json.dumps({"input": f"It is {word}.", "explain": True}) for word in ("good", "bad", "dull")]
    closed = ["", "", "Connection: close\r\n"]
    asked = "".join(
        HEAD.format("sentiment", len(body)) + more + "\r\n" + body for body, more in zip(bodies, closed, strict=True)
    )
    found = server.raw(asked.encode()).decode()
    assert found.count("HTTP/1.1 200") == 3
    assert found.index('"good"') < found.index('"bad"') < found.index('"dull"')


def test_clients_that_leave_do_no_harm(server):
    body = json.dumps({"inputs": ["A man rides a horse along the beach."] * 64})
    head = HEAD.format("translate", len(body)) + "\r\n"
    for cut in (10, len(head), len(head) + 100, len(head) + len(body)):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall((head + body).encode()[:cut])
    status, _, found = server.post("translate", {"input": "A dog runs."})
    assert (status, found["answers"][0]["translation"]) == (200, "Ein Hund rennt.")


@pytest.mark.slow
def test_what_is_no_http_is_refused(server):
    assert b" 400 " in server.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n").split(b"\r\n")[0]
    endless = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 1_000_000
    assert b" 200 " not in server.raw(endless)
    assert server.ask("GET", "/health")[0] == 200


KEY = {"Authorization": "Bearer secret"}


def test_a_token_keeps_strangers_out(strict):
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer \xe9"},
        {"Authorization": "secret"},
    ):
        for path in ("/v1/tasks", "/metrics", "/openapi.json"):
            status, found, content = strict.ask("GET", path, headers=headers)
            assert (status, content["error"]["code"]) == (401, "token")
            assert found["WWW-Authenticate"] == "Bearer"
        assert strict.post("sentiment", '{"input": "a"}', JSON | headers)[0] == 401
    assert strict.ask("GET", "/v1/tasks", headers=KEY)[0] == 200
    assert strict.ask("GET", "/health")[0] == strict.ask("GET", "/")[0] == 200


def test_a_token_may_have_any_printable_character():
    for token in ("secret", "a b", "aZ09-._~+/=", "!\"#$%&'()*,:;<>?@[]^`{|}"):
        check_token(token)


def test_a_large_request_is_refused_by_its_head_and_by_its_size(strict):
    large = json.dumps({"input": "a" * 200_000})
    status, _, found = strict.ask("POST", "/v1/sentiment", large, JSON | KEY)
    assert (status, found["error"]["code"]) == (413, "too_large")
    head = HEAD.format("sentiment", 1).rsplit("Content-Length", 1)[0] + "Transfer-Encoding: chunked\r\n"
    parts = (head + "Authorization: Bearer secret\r\n\r\n").encode() + 10 * (b"c350\r\n" + b"a" * 50_000 + b"\r\n")
    answer = strict.raw(parts).split(b"\r\n")[0]
    assert b" 413 " in answer or answer == b""  # the connection may be reset before the answer is read
    head = (HEAD.format("sentiment", 99999999999) + "Authorization: Bearer secret\r\n\r\n").encode()
    start = time.monotonic()
    assert b" 413 " in strict.raw(head, wait=0.5).split(b"\r\n")[0]
    assert time.monotonic() - start < 5


def test_a_slow_request_is_given_up(strict):
    head = (HEAD.format("sentiment", 100) + "Authorization: Bearer secret\r\n\r\n{").encode()
    start = time.monotonic()
    found = strict.raw(head, wait=5)
    assert b" 408 " in found.split(b"\r\n")[0]
    assert 0.9 < time.monotonic() - start < 4.9


def test_the_log_has_no_inputs(strict):
    strict.ask("POST", "/v1/sentiment", json.dumps({"input": "Xylophonquartz."}), JSON | KEY)
    strict.ask("GET", "/Xylophonquartz?a=Xylophonquartz", headers=KEY)
    until(lambda: any("/Xyl" in line for line in strict.log))
    lines = [json.loads(line) for line in strict.log if line.startswith("{")]
    (asked,) = [line for line in lines if line.get("task") == "sentiment" and line["status"] == 200][-1:]
    assert {"time", "method", "task", "status", "ms", "batch"} == set(asked)
    assert not any("Xylophonquartz" in line and "/Xylophonquartz" not in line for line in strict.log)


def test_every_line_of_the_log_is_json_and_quotes_no_client(strict):
    strict.raw(b"Xylophonquartz\r\n\r\n")
    strict.raw(
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: WHlsb3Bob25xdWFydHo=\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    strict.ask("POST", "/v1/mnist", b"Xylophonquartz" * 9, form | KEY)
    until(lambda: any("multipart" in line for line in strict.log))
    lines = [json.loads(line) for line in strict.log if not line.startswith("Run: ")]
    found = {line["logger"]: line for line in lines if "logger" in line}
    assert found["uvicorn.error"]["level"] == "warning"
    assert any(line.get("message") == "Invalid HTTP request received." for line in lines)
    (parser,) = [line for name, line in found.items() if "multipart" in name]
    assert set(parser) == {"time", "level", "logger", "place"}
    assert not any("Xylophonquartz" in line and "/Xylophonquartz" not in line for line in strict.log)


def test_a_server_that_is_asked_to_end_answers_what_it_has_begun():
    client = Client("translate", "--quiet", "--batch", "1")
    with ThreadPoolExecutor(4) as pool:
        long = {"inputs": ["A man in a red shirt rides a brown horse along the beach in the evening."] * 60}
        found = [pool.submit(client.post, "translate", long) for _ in range(3)]
        waiting = b'fourlayers_queue_inputs{task="translate"} 120\n'
        until(lambda: waiting in client.ask("GET", "/metrics")[2])
        assert client.end() == 0
        statuses = sorted(each.result()[0] for each in found)
    assert statuses == [200, 503, 503]


def test_what_cannot_be_served_is_said_before_anything_is(tmp_path):
    def refused(*names, **others):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            server_module.serve(names, others.pop("runs", {}), Address(port=0, **others), Limits())
        return exit_code(caught.value), sentence(caught.value)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="`--port` takes another") as caught:
            server_module.serve(["mnist"], {}, Address(port=taken.getsockname()[1]), Limits())
    assert exit_code(caught.value) == 73
    assert refused("digits")[0] == 2
    assert refused("mnist", runs={"caption": Path("gru")}) == (
        2,
        "`--run` names 'caption', which is not among the tasks to serve.",
    )
    assert refused("mnist", runs={"mnist": tmp_path / "none"})[0] == 66
    code, said = refused("mnist", host="0.0.0.0")
    assert code == 2
    assert said == "'0.0.0.0' is open to other machines; `--token` keeps strangers out."
    for token in ("gehe\u00edm", "a\nb", " secret", "secret "):
        code, said = refused("mnist", token=token)
        assert (code, token in said) == (2, False)
    for word in ("small", "=small", "mnist=", "mnist=a"):
        with pytest.raises(SettingError, match="must be like mnist=RUN, once for a task"):
            named_runs(["mnist=b", word])


@pytest.mark.parametrize("head", [b"", b"POST /v1/senti", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /he"])
def test_a_connection_that_says_nothing_whole_is_closed(strict, head):
    start = time.monotonic()
    assert strict.raw(head).count(b"200 OK") == head.count(b"\r\n\r\n")
    assert time.monotonic() - start < 5
