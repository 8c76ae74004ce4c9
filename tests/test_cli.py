"""The command line: help, precedence, answers, exit codes, one sentence for every error."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import tasks
from data.builtin import sets
from tasks.engine import runs

ROOT = Path(__file__).parent.parent
PRETRAINED = ROOT / "tasks/upscale/pretrained"
TINY = ["--data", "builtin", "--limit", "64", "--epochs", "2", "--batch-size", "16", "--filters", "4,6"]


def run(*words, cwd=ROOT, stdin=None, env=None):
    """Run the command line in a fresh process."""
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        input=stdin,
        env=os.environ | (env or {}),
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with one tiny run in it, and what training it printed."""
    folder = tmp_path_factory.mktemp("home")
    result = run("train", "mnist", *TINY, "--json", cwd=folder)
    assert result.returncode == 0, result.stderr
    Image.fromarray(255 - sets.digits()[1][0]["image"]).resize((90, 120)).save(folder / "digit.png")
    return folder, result


def one_sentence(result, code):
    """Return the error of a failed command, after checking its form; a bad input has it in place of an answer too."""
    assert result.returncode == code, result.stderr
    assert all("error" in json.loads(line) for line in result.stdout.splitlines())
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert last.endswith((".", "?", ")"))
    return last


def test_training_prints_one_object_and_nothing_else(home):
    folder, result = home
    summary = json.loads(result.stdout)
    assert set(summary) == {"task", "run", "data", "split", "examples", "metrics"}
    assert (folder / summary["run"] / "model.keras").is_file()
    assert Path(summary["run"]).parts[:2] == ("runs", "mnist")
    first, *_, last = [line.partition(" ")[0] for line in result.stderr.splitlines()]
    assert (first, last) == ("Run:", "Everything")


@pytest.mark.slow
def test_training_says_nothing_with_quiet(tmp_path):
    result = run("train", "mnist", *TINY, "--quiet", "--run", tmp_path / "run")
    assert (result.returncode, result.stderr) == (0, "")
    assert "95 % interval" in result.stdout


def test_a_prediction_is_one_object_a_line(home):
    folder, _ = home
    result = run("predict", "mnist", "digit.png", "-", cwd=folder, stdin="digit.png\n\ndigit.png\n")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["input"] for row in rows] == ["digit.png", "digit.png", "", "digit.png"]
    assert rows[0] == rows[1] == rows[3]
    assert result.returncode == 65
    assert set(rows[0]["answer"]) == {"label", "probability", "probabilities"}
    assert result.stderr.startswith("Run: runs/mnist/")


def test_a_bad_input_has_an_error_in_step_and_the_others_are_answered(home):
    folder, _ = home
    result = run("predict", "mnist", "digit.png", "no.png", "digit.png", cwd=folder)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["input"] for row in rows] == ["digit.png", "no.png", "digit.png"]
    assert rows[1] == {"input": "no.png", "error": "There is no file 'no.png'."}
    said = "Error: There is no answer for 1 of 3 inputs; the first: There is no file 'no.png'."
    assert (result.returncode, result.stderr.splitlines()[-1]) == (65, said)


def test_plain_answers_are_lines_in_step(home):
    folder, _ = home
    result = run("predict", "mnist", "--plain", "digit.png", "no.png", "digit.png", cwd=folder)
    one, empty, other = result.stdout.splitlines()
    assert (one, empty) == (other, "")
    assert one in "0123456789"
    assert result.returncode == 65


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x", "--keep", "id"], "`--keep` adds columns"),
        (["--file", "t.csv", "--keep", "id", "--plain"], "`--keep` adds columns"),
        *((["--file", "t.csv", "--keep", name], f"a column '{name}'") for name in ("input", "answer", "error", "row")),
        (["--file", "t.csv", "--keep", "ids"], "no column 'ids' to keep; its columns are: id, text"),
        (["--file", "t.csv", "--columns", "text=9"], "has no column '9'; its columns are: id, text"),
        (["--file", "t.csv", "--columns", "text"], "must be like name=value"),
        (["--file", "t.csv", "--encoding", "utf-99"], "No encoding is named 'utf-99'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_of_predict_that_do_not_fit_are_wrong_use(words, said, tmp_path):
    (tmp_path / "t.csv").write_text("id,text\n7,Great film.\n")
    result = run("predict", "sentiment", *words, cwd=tmp_path)
    assert said in one_sentence(result, 2)


def test_rows_and_columns_of_a_file_stay_with_their_answers(tmp_path):
    (tmp_path / "t.csv").write_text('id,text,date\n7,Great film.,May\n8,"",June\n9,"Bad, dull.",July\n')
    result = run("predict", "sentiment", "--file", "t.csv", "--keep", "id,3", cwd=tmp_path)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["row"], row["id"], row["3"]) for row in rows] == [(1, "7", "May"), (2, "8", "June"), (3, "9", "July")]
    assert ["error" in row for row in rows] == [False, True, False]
    assert result.returncode == 65


def test_slow_input_is_answered_line_by_line(tmp_path):
    words = [sys.executable, str(ROOT / "cli.py"), "predict", "sentiment", "-", "--plain", "--quiet"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    waits = []
    for text in ("Great film.", "Dull and bad.", "Fine."):
        begin = time.monotonic()
        process.stdin.write(f"{text}\n")
        process.stdin.flush()
        assert process.stdout.readline() in ("pos\n", "neg\n")  # it comes although the input has not ended
        waits.append(time.monotonic() - begin)
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    assert min(waits[1:]) < 1  # the first one waits for the network to load


def test_a_fast_input_is_answered_line_for_line_and_each_line_once(tmp_path):
    lines = [("Great film.", "", "Dull and bad.", "  ")[number % 4] for number in range(1200)]
    result = run("predict", "sentiment", "-", "--plain", "--quiet", cwd=tmp_path, stdin="\n".join(lines))
    assert result.stdout.splitlines() == ["pos", "", "neg", ""] * 300
    assert "for 600 of 1,200 inputs; the first: " in one_plain_sentence(result, 65)


def one_plain_sentence(result, code):
    """Return the error of a failed command that printed bare answers."""
    assert result.returncode == code, result.stderr
    (said,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return said


def test_standard_input_between_words_keeps_the_order(tmp_path):
    words = ("predict", "sentiment", "First.", "-", "Last.", "--quiet")
    rows = [json.loads(line) for line in run(*words, cwd=tmp_path, stdin="One.\n\nTwo.\n").stdout.splitlines()]
    assert [row["input"] for row in rows] == ["First.", "One.", "", "Two.", "Last."]
    assert ["error" in row for row in rows] == [False, False, True, False, False]


def test_an_encoding_of_standard_input_that_nobody_knows_is_wrong_use(tmp_path):
    result = run("predict", "sentiment", "-", "--encoding", "utf-99", cwd=tmp_path, stdin="Great.\n")
    assert "No encoding is named 'utf-99'" in one_sentence(result, 2)


def test_a_folder_or_nothing_in_a_line_is_an_error_and_no_other_picture(photo):
    result = run("predict", "upscale", "-", "--quiet", cwd=photo.parent, stdin=".\n\nphoto.jpg\n")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["input"] for row in rows] == [".", "", "photo.jpg"]
    assert ["error" in row for row in rows] == [True, True, False]
    assert result.returncode == 65


def test_all_inputs_that_fail_alike_have_their_own_exit_code(home):
    folder, _ = home
    result = run("predict", "mnist", "no.png", "not.png", cwd=folder)
    assert "for 2 of 2 inputs; the first: There is no file 'no.png'." in one_sentence(result, 66)
    (folder / "words.png").write_text("only words")
    assert "for 2 of 2 inputs" in one_sentence(run("predict", "mnist", "no.png", "words.png", cwd=folder), 65)


def test_answers_in_a_file_are_in_step_too_and_a_wrong_use_leaves_no_file(tmp_path):
    (tmp_path / "t.csv").write_text('id,text\n7,Great film.\n8,""\n')
    wrong = run("predict", "sentiment", "--file", "no.csv", "--out", "a.jsonl", cwd=tmp_path)
    assert "no.csv" in one_sentence(wrong, 66)
    assert not (tmp_path / "a.jsonl").exists()
    result = run("predict", "sentiment", "--file", "t.csv", "--keep", "id", "--out", "a.jsonl", cwd=tmp_path)
    assert "for 1 of 2 inputs; the first, row 2: " in one_sentence(result, 65)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(row["row"], row["id"], "error" in row) for row in rows] == [(1, "7", False), (2, "8", True)]


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_a_command_quietly(home):
    folder, _ = home
    words = [sys.executable, str(ROOT / "cli.py"), "predict", "mnist", *["digit.png"] * 600]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder) as process:
        assert json.loads(process.stdout.readline())["input"] == "digit.png"
        process.stdout.close()
        assert "Error" not in process.stderr.read()
        assert process.wait() == 141


@pytest.mark.parametrize("words", [["runs"], ["tasks"], ["--help"]])
def test_output_that_nobody_reads_ends_with_the_code_of_a_shell(words):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, str(ROOT / "cli.py"), *words]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:surrogateescape"])
def test_what_standard_output_cannot_encode_is_escaped(encoding):
    words, env = ["predict", "sentiment", "Größe \u4e2d \U0001f600"], {"PYTHONIOENCODING": encoding}
    words = [sys.executable, str(ROOT / "cli.py"), *words]
    done = subprocess.run(words, capture_output=True, cwd=ROOT, env=os.environ | env, check=False)
    assert done.returncode == 0, done.stderr
    line = done.stdout.decode(encoding.partition(":")[0])
    assert json.loads(line)["input"] == "Größe \u4e2d \U0001f600"
    assert "\\u4e2d \\ud83d\\ude00" in line


@pytest.fixture
def photo(tmp_path):
    """Return the file of a small photograph, in a folder of its own."""
    with Image.open(sets.photos()[1][1]) as image:
        image.crop((100, 50, 148, 90)).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def test_pictures_are_answered_with_pictures_of_the_scale_that_is_asked_for(photo):
    small = run("predict", "upscale", "photo.jpg", cwd=photo.parent)
    large = run("predict", "upscale", "photo.jpg", "--scale", 4, "--out", "big.png", cwd=photo.parent)
    for result, name, scale in ((small, "photo-x2.jpg", 2), (large, "big.png", 4)):
        assert result.returncode == 0, result.stderr
        row = json.loads(result.stdout)
        assert (row["input"], row["answer"]["image"]) == ("photo.jpg", name)
        assert f"small-x{scale}" in result.stderr
        with Image.open(photo.parent / name) as image:
            assert image.size == (48 * scale, 40 * scale) == (row["answer"]["width"], row["answer"]["height"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["photo.jpg", "--out", "photo.jpg"], 73, "'photo.jpg' exists"),
        (["photo.jpg", "--out", "photo.jpg/below"], 73, "cannot be written"),
        (["photo.jpg", "--out", "/proc/none/a.jpg"], 73, "'/proc/none/a.jpg' cannot be written"),
        (["photo.jpg", "--out", "/proc"], 73, "'/proc/photo.jpg' cannot be written"),
        (["photo.jpg", "photo.jpg", "--out", "a.png"], 2, "2 pictures; give a folder"),
        (["text.png"], 65, "'text.png' is not a picture"),
        (["."], 65, "'text.png' is not a picture"),
        (["no.png"], 66, "no.png"),
        (["photo.jpg", "--scale", "5"], 2, "5"),
        (["photo.jpg", "--scale", "3", "--run", PRETRAINED / "small-x2"], 2, "was not trained with --scale 3"),
        (["photo.jpg", "--tile", "3"], 2, "tile"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_picture_that_cannot_be_read_or_written_is_one_sentence(words, code, said, photo):
    (photo.parent / "text.png").write_text("only words")
    result = run("predict", "upscale", *words, cwd=photo.parent)
    if words == ["."]:
        assert ["error" in json.loads(line) for line in result.stdout.splitlines()] == [False, True]
        assert (result.returncode, said in result.stderr) == (code, True)
    else:
        assert said in one_sentence(result, code)
    assert {path.name for path in photo.parent.iterdir()} <= {"photo.jpg", "text.png", "photo-x2.jpg"}


def test_an_evaluation_keeps_its_report(home):
    folder, _ = home
    result = run("evaluate", "mnist", "--split", "valid", "--out", "out", "--json", cwd=folder)
    summary = json.loads(result.stdout)
    assert summary == json.loads((folder / "out/metrics.json").read_text())
    assert summary["split"] == "valid"
    assert {path.name for path in (folder / "out/figures").iterdir()} == {"confusion.png", "mistakes.png"}
    one_sentence(run("evaluate", "mnist", "--out", "out", cwd=folder), 73)


def test_an_evaluation_for_a_reader_shows_every_class(home):
    folder, _ = home
    result = run("evaluate", "mnist", "--quiet", cwd=folder)
    assert result.stderr == ""
    for word in ("accuracy", "95 % interval", "precision", "recall", "confusion"):
        assert word in result.stdout
    assert len(result.stdout.splitlines()) == 6 + 10


def test_runs_and_tasks_are_listed(home):
    folder, _ = home
    listed = run("runs", cwd=folder).stdout
    assert "builtin: accuracy 0." in listed
    own = run("runs", "mnist", cwd=folder).stdout.splitlines()
    assert own == [line for line in listed.splitlines() if line.startswith("mnist")]
    lines = run("tasks").stdout.splitlines()
    assert [line.split()[0] for line in lines] == tasks.names()
    assert "Presets: small, tiny, dense. Data: mnist." in lines[tasks.names().index("mnist")]


@pytest.mark.slow
def test_only_typed_options_override_a_preset(tmp_path):
    (tmp_path / "settings.toml").write_text('data = "builtin"\nepochs = 1\nlimit = 32\n')
    result = run(
        *("train", "mnist", "--preset", "dense", "--config", tmp_path / "settings.toml", "--units", "6,5"),
        *("--run", tmp_path / "run", "--json", "--quiet"),
    )
    assert result.returncode == 0, result.stderr
    settings = json.loads((tmp_path / "run/config.json").read_text())["settings"]
    assert settings["filters"] == tasks.presets("mnist")["dense"]["filters"] == []
    assert settings["units"] == [6, 5]
    assert (settings["epochs"], settings["limit"]) == (1, 32)
    assert settings["learning_rate"] == tasks.presets("mnist")["dense"]["learning_rate"]


@pytest.mark.slow
def test_a_limit_smaller_than_a_batch_trains(tmp_path):
    result = run(
        "train", "mnist", "--data", "builtin", "--limit", 3, "--epochs", 1, "--run", tmp_path / "run", "--json"
    )
    assert json.loads(result.stdout)["examples"] == 3


def test_help_names_every_setting_and_its_default():
    text = " ".join(run("train", "mnist", "--help").stdout.split())
    for name in ("--filters", "--kernel-size", "--dropout", "--no-frame", "[default: 20,40,72]", "--data-dir"):
        assert name in text
    runtime = run("predict", "mnist", "--help").stdout
    assert "--engine" in runtime
    assert "--epochs" not in runtime


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["train", "mnits"], 2, f"'mnits'; choose one of: {', '.join(tasks.names())}. Did you mean 'mnist'?"),
        (["runs", "mnits"], 2, "Did you mean 'mnist'?"),
        (["train", "mnist", "--preset", "smal"], 2, "Did you mean 'small'?"),
        (["train", "mnist", "--epoch", "3"], 2, "--epoch"),
        (["train", "mnist", "--epochs", "0"], 2, "epochs"),
        (["train", "mnist", "--filters", "a,b"], 2, "'a,b'"),
        (["train", "mnist", "--filters", "0"], 2, "`filters` must be in [1, 16384]; received 0."),
        (["train", "mnist", "--dropout", "1.5"], 2, "dropout"),
        (["train", "mnist", "--resume", "--preset", "tiny"], 2, "--resume"),
        (["train", "mnist", "--data", "mnits"], 69, "Did you mean 'mnist'?"),
        (["train", "mnist", "--data", "./nowhere"], 66, "nowhere"),
        (["train", "mnist", "--config", "no.toml"], 66, "no.toml"),
        (["train", "mnist", "--data", "builtin", "--run", "cli.py/x"], 73, "cli.py"),
        (["train", "mnist", "--data", "builtin", "--run", "."], 73, "not empty"),
        (["train", "mnist", "--resume", "--run", "nowhere"], 66, "nowhere"),
        (["predict", "mnist", "no.png"], 66, "no.png"),
        (["predict", "mnist", "cli.py"], 65, "cli.py"),
        (["predict", "mnist", "x.png", "--run", "nowhere"], 66, "nowhere"),
        (["predict", "mnist", "x.png", "--run", "tests"], 65, "no config.json"),
        (["evaluate", "mnist", "--split", "tets", "--data", "builtin"], 2, "'tets'"),
        (["evaluate", "mnist", "--engine", "torch"], 2, "engine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_one_sentence_with_its_exit_code(words, code, said, home):
    folder, _ = home
    uses_run = words[0] in ("predict", "evaluate") and "--run" not in words
    given = [*words, "--run", next((folder / "runs/mnist").iterdir())] if uses_run else words
    assert said in one_sentence(run(*given), code)


def test_no_network_names_the_way_out(tmp_path):
    result = run("train", "mnist", "--data-dir", tmp_path, env={"NO_GCE_CHECK": "true"})
    assert "--data builtin" in one_sentence(result, 69)
    assert result.stderr.count("\n") == 1
    assert not (ROOT / "runs" / tmp_path.name).exists()


def test_a_traceback_shows_with_debug_only(home):
    folder, _ = home
    assert "Traceback" in run("--debug", "predict", "mnist", "no.png", cwd=folder).stderr


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stopped_training_goes_on_where_it_was(number, code, tmp_path):
    long = ["--data", "builtin", "--limit", "64", "--epochs", "20", "--batch-size", "16", "--filters", "4"]
    command = ["env", "--default-signal", sys.executable, str(ROOT / "cli.py"), "train", "mnist", *long, "--run", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not (tmp_path / "run/history.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    state = json.loads(max((tmp_path / "run/checkpoint").glob("*/state.json")).read_text())
    again = "`python cli.py train mnist --resume --run run` goes on there."
    where = f"epoch {state['epoch'] + 1} is kept up to step {state['step']}"
    assert stderr.splitlines()[-1] == f"Error: Stopped; {where}, and {again}"
    assert 1 <= state["epoch"] < 20
    if number != signal.SIGINT:
        return
    (tmp_path / "run/checkpoint/00001-0000001").mkdir(exist_ok=True)
    (tmp_path / "run/checkpoint/00001-0000001/.part-model.keras").write_text("half")
    with runs.lock(tmp_path / "run"):
        busy = run("train", "mnist", "--resume", "--run", "run", cwd=tmp_path)
    assert "another process" in one_sentence(busy, 75)
    changed = run("train", "mnist", "--resume", "--run", "run", "--units", "5", cwd=tmp_path)
    assert "`units` cannot change" in one_sentence(changed, 2)
    result = run("train", "mnist", "--resume", "--run", "run", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert not list((tmp_path / "run").rglob(".part-*"))
    history = (tmp_path / "run/history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history[1:]] == [str(epoch) for epoch in range(1, 21)]


@pytest.mark.slow
def test_a_diverged_training_ends_with_its_own_code_and_the_command_that_goes_on(tmp_path):
    bad = ["--learning-rate", "1e30", "--normalization", "none", "--run", "run"]
    said = one_sentence(run("train", "mnist", *TINY, *bad, cwd=tmp_path), 3)
    command = said.partition("with `python cli.py ")[2].rstrip("`.").split()
    assert command[:-1] == ["train", "mnist", "--resume", "--run", "run", "--learning-rate"]
    result = run(*command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert f"largest step size of {command[-1]} instead of 1e+30" in result.stderr


def test_shell_completion_is_clicks_own():
    result = run(env={"_CLI_PY_COMPLETE": "bash_source", "COMP_WORDS": "", "COMP_CWORD": "0"})
    assert "_CLI_PY_COMPLETE=bash_complete" in result.stdout
    words = run(env={"_CLI_PY_COMPLETE": "bash_complete", "COMP_WORDS": "cli.py train mn", "COMP_CWORD": "2"})
    assert words.stdout.split() == ["plain,mnist"]
