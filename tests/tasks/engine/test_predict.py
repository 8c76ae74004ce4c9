"""One record for each input, in step; nothing is computed or drawn twice."""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tasks
from data.pictures.files import OutputError
from data.splits import DataError
from tasks.engine.config import SettingError
from tasks.engine.items import Item
from tasks.engine.outcome import InputsError, Outcome, Tally
from tasks.engine.predict import outcomes

ROOT = Path(__file__).parents[3]
DIGIT = str(ROOT / "tasks/mnist/example.png")


@dataclass
class Counted:
    """A network that counts its calls and the rows of each."""

    network: object
    rows: list

    def __call__(self, signature, *arrays):
        self.rows.append(len(arrays[0]))
        return self.network(signature, *arrays)


def counted(pipeline):
    """Return a pipeline whose network counts, and the list of the rows of its calls."""
    rows = []
    return replace(pipeline, network=Counted(pipeline.network, rows)), rows


@pytest.fixture(scope="module")
def digits():
    return tasks.load("mnist")


@pytest.fixture(scope="module")
def reviews():
    return tasks.load("sentiment")


@pytest.fixture(scope="module")
def enlarger():
    return tasks.load("upscale")


def found(pipeline, values, out=None):
    return list(outcomes(pipeline, [Item(str(value)) for value in values], out, False))


def tally_of(pipeline, given):
    tally = Tally(pipeline.task)
    for outcome in given:
        tally.add(outcome)
    return tally


BAD = {
    "missing": "nowhere.png",
    "folder": ".",
    "empty": "",
    "blank": "  ",
    "words": "words.png",
    "truncated": "truncated.png",
    "zero byte": "a\0b.png",
    "long name": "x" * 5000 + ".png",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with damaged pictures, as the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.png").write_text("only words")
    (tmp_path / "truncated.png").write_bytes(Path(DIGIT).read_bytes()[:60])
    Image.fromarray(np.full((12, 14, 3), 90, "uint8")).save(tmp_path / "photo.png")
    return tmp_path


@pytest.mark.parametrize("name", BAD)
def test_one_bad_picture_is_an_error_in_its_place_and_the_others_are_answered(name, digits, folder):
    one, two, three = found(digits, [DIGIT, BAD[name], DIGIT])
    assert one.answer == three.answer == digits.predict([DIGIT])[0]
    record = two.record()
    assert set(record) == {"input", "error"}
    assert record["input"] == BAD[name]
    assert record["error"].endswith(".")
    assert len(record["error"]) > 10


@pytest.mark.parametrize("name", BAD)
def test_one_bad_picture_to_enlarge_is_an_error_in_its_place(name, enlarger, folder):
    one, two = found(enlarger, [BAD[name], "photo.png"])
    assert set(one.record()) == {"input", "error"}
    assert two.answer["image"] == "photo-x2.png"


@pytest.mark.parametrize("text", ["", " \t", "\n", "\u200b", "<br />", "caf\udce9"])
def test_one_bad_text_is_an_error_in_its_place(text, reviews):
    one, two, three = found(reviews, ["A great film.", text, "A dull film."])
    assert (one.answer["label"], three.answer["label"]) == ("pos", "neg")
    assert set(two.record()) == {"input", "error"}
    two.line(False).encode()
    assert two.plain() == ""


def test_nothing_is_computed_twice_and_bad_inputs_not_at_all(digits, folder):
    pipeline, rows = counted(digits)
    found(pipeline, [DIGIT, "no.png", DIGIT, "", DIGIT])
    assert rows == [3]
    found(pipeline, ["no.png", ""])
    assert rows == [3]


def test_each_text_is_computed_once_whatever_stands_beside_it(reviews):
    pipeline, rows = counted(reviews)
    texts = ["A great film.", "", "A dull film.", " "] * 3
    assert [bool(outcome.error) for outcome in found(pipeline, texts)] == [False, True, False, True] * 3
    assert sum(rows) == 6


def test_each_answer_is_drawn_once(folder):
    translator = tasks.load("translate", alignment_file=folder / "look.png")
    given = found(translator, ["A dog runs.", "", "A man sings."])
    assert ["error" in outcome.record() for outcome in given] == [False, True, False]
    assert sorted(path.name for path in folder.glob("look*")) == ["look-2.png", "look.png"]


def test_a_plain_answer_is_one_line_whatever_is_in_it():
    outcome = Outcome(Item("a"), {"translation": "one\ntwo\r\nthree\u2028four\x0bfive\x85six", "score": 1.0})
    assert outcome.line(True) == "one two three four five six"
    assert Outcome(Item("a"), error=DataError("No.")).line(True) == ""
    assert Outcome(Item("a"), {"translation": ""}).line(True) == ""


def test_what_stands_beside_an_input_stays_beside_its_answer():
    about = {"row": 701, "id": "x7"}
    assert (
        Outcome(Item("a", about=about), {"label": "pos"}).record() == {"input": "a", "answer": {"label": "pos"}} | about
    )
    assert Outcome(Item("a", about=about), error=DataError("No.")).record() == {"input": "a", "error": "No."} | about


def test_a_name_that_is_not_in_utf_8_is_printed():
    row = json.loads(Outcome(Item("caf\udce9.png"), {"label": "3"}).line(False).encode())
    assert row["input"] == "caf\ufffd.png"


def outcome(error=None, row=None):
    about = {} if row is None else {"row": row}
    return Outcome(Item("a", about=about), {"label": "pos"}, error)


@pytest.mark.parametrize(
    ("errors", "code", "said"),
    [
        ([FileNotFoundError("Gone.")], 66, "Gone."),
        ([FileNotFoundError("Gone."), FileNotFoundError("Lost.")], 66, "for 2 of 2 inputs; the first: Gone."),
        ([FileNotFoundError("Gone."), None], 65, "for 1 of 2 inputs; the first: Gone."),
        ([FileNotFoundError("Gone."), DataError("Bad.")], 65, "for 2 of 2 inputs; the first: Gone."),
        ([FileExistsError("It exists.")] * 3, 73, "for 3 of 3 inputs; the first: It exists."),
        ([None, OutputError("Full."), None], 65, "for 1 of 3 inputs; the first: Full."),
    ],
)
def test_the_exit_code_is_65_or_the_one_that_all_inputs_share(errors, code, said, reviews):
    tally = tally_of(reviews, [outcome(error) for error in errors])
    with pytest.raises(InputsError, match=said) as caught:
        tally.check()
    assert caught.value.exit_code == code


def test_the_first_bad_row_is_named_by_its_number(reviews):
    with pytest.raises(InputsError, match=r"for 1 of 1,200 inputs; the first, row 701: Bad\.$"):
        tally_of(reviews, [outcome(DataError("Bad.") if n == 700 else None, n + 1) for n in range(1200)]).check()
    tally_of(reviews, [outcome()]).check()
    tally_of(reviews, []).check()


def test_several_pictures_for_one_file_are_refused_before_any_is_read(enlarger, folder):
    with pytest.raises(SettingError, match=r"is the file '.*one\.png', and there are 2 pictures; give a folder"):
        found(enlarger, ["photo.png", "photo.png"], folder / "one.png")
    assert not (folder / "one.png").exists()


def test_an_output_file_that_exists_is_an_error_of_its_own_picture_alone(enlarger, folder):
    (folder / "out").mkdir()
    Image.open("photo.png").save("other.png")
    (folder / "out/photo.png").write_text("kept")
    one, two = found(enlarger, ["photo.png", "other.png"], folder / "out")
    assert isinstance(one.error, FileExistsError)
    assert "exists" in one.record()["error"]
    assert (folder / "out/photo.png").read_text() == "kept"
    assert two.answer["image"] == str(folder / "out/other.png")
    with pytest.raises(InputsError) as caught:
        tally_of(enlarger, [one, two]).check()
    assert caught.value.exit_code == 65


def test_a_folder_that_cannot_be_written_ends_all(enlarger, folder):
    with pytest.raises(OutputError, match="cannot be written"):
        found(enlarger, ["photo.png", "photo.png"], folder / "photo.png/below")


class Column:
    """What a column of a data frame has."""

    ndim = 1

    def __init__(self, values):
        self.values, self.shape = values, (len(values),)

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)


class Frame(Column):
    """What a data frame has; it gives the names of its columns."""

    ndim = 2

    def __init__(self, values):
        super().__init__(values)
        self.shape = (len(values), 1)


TEXTS = ["A great film.", "A dull film."]


@pytest.mark.parametrize(
    "given",
    [
        TEXTS,
        tuple(TEXTS),
        (text for text in TEXTS),
        iter(TEXTS),
        dict.fromkeys(TEXTS).keys(),
        np.array(TEXTS),
        np.array(TEXTS, object),
        Column(TEXTS),
        map(str, TEXTS),
    ],
    ids=lambda given: type(given).__name__,
)
def test_every_kind_of_list_is_answered_once_for_each_text(given, reviews):
    assert [answer["label"] for answer in reviews.predict(given)] == ["pos", "neg"]


@pytest.mark.parametrize(
    "given",
    ["A great film.", b"A great film.", Path("film.txt"), {"text": TEXTS}, np.array([TEXTS]), Frame(TEXTS)],
    ids=lambda given: type(given).__name__,
)
def test_a_single_input_and_a_table_are_no_list_of_inputs(given, reviews):
    with pytest.raises(TypeError, match="`inputs` must be a list of inputs"):
        reviews.predict(given)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, r"Input 1 is missing \(None\)"),
        (float("nan"), r"Input 1 is missing \(nan\)"),
        (np.float64("nan"), r"Input 1 is missing \(nan\)"),
        (7, "Input 1 is 7; a text must be a string"),
        (b"bytes", r"Input 1 is b'bytes'; a text must be a string"),
        (["a", "b"], "a text must be a string"),
    ],
)
def test_a_missing_value_and_one_of_another_kind_are_refused_by_place(value, said, reviews):
    with pytest.raises(DataError, match=said):
        reviews.predict(["A great film.", value])
    with pytest.raises(DataError, match=said):
        reviews.predict(Column(["A great film.", value]))


def test_an_array_of_pictures_is_several_and_one_picture_is_refused(digits):
    image = np.zeros((28, 28), "uint8")
    image[4:24, 13:16] = 255
    alone = digits.predict([image])
    assert digits.predict(np.stack([image] * 5)) == alone * 5
    for single in (image, np.zeros((28, 28, 3), "uint8"), np.zeros((28, 28, 4), "uint8")):
        with pytest.raises(TypeError, match="`inputs` must be a list of inputs"):
            digits.predict(single)
    with pytest.raises(TypeError, match="`inputs` must be a list of inputs"):
        digits.predict(DIGIT)
    assert len(digits.predict([Path(DIGIT), DIGIT, image])) == 3


def test_marks_are_said_once_with_their_number(reviews, caplog):
    name, said = next(iter(reviews.task.remarks.items()))
    marked = Outcome(Item("a"), {"label": "pos", name: name != "confident"})
    with caplog.at_level(logging.WARNING, "tasks"):
        tally_of(reviews, [marked, outcome(), marked]).check()
    assert [record.getMessage() for record in caplog.records] == [said.format(count=2, total=3)]
