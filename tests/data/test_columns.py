"""Columns are found by name or number, and every guess is said."""

import pytest

from data.columns import (
    ColumnError,
    GivenColumnError,
    are_names,
    column_places,
    header_columns,
    named_columns,
    place_of,
    split_column,
    unique_names,
)
from data.splits import DataError, OptionError

NAMES = {"text": ("text", "sentence", "review"), "label": ("label", "class", "sentiment")}


def header(*rows, **given):
    return header_columns(rows, NAMES, given, "/in/a.csv")


def places(*columns, order=(), **given):
    return column_places(columns, NAMES, given, "/in/a.csv", order)


def test_a_first_row_with_a_usual_name_has_the_names(caplog):
    assert header([" Review", "Sentiment "], ["a", "b"]) == ["Review", "Sentiment"]
    assert header(["\ufefftext", "x"], ["a", "b"]) == ["text", "x"]
    assert header(["review", "2"]) == ["review", "2"]
    assert not caplog.records


def test_a_first_row_of_data_is_data():
    assert header(["4", "1467810369", "Mon Apr 06", "NO_QUERY", "A film."], ["4", "2", "x", "NO_QUERY", "Bad."]) is None
    assert header(["1", "text"], ["2", "text"]) is None
    assert header(["A film, really good!", "pos"], ["Bad.", "neg"]) is None
    assert header(["good", "review"], ["bad", "review"]) is None  # a value that comes again is data
    assert header(["content", "I am fine."], ["content", "So am I."]) is None


def test_unknown_names_are_names_if_they_look_so():
    assert header(["id", "comment_text"], ["1", "A film."]) == ["id", "comment_text"]
    assert are_names(["Überschrift", "Bewertung (1-5)"], [["Gut.", "4"]])
    assert not are_names(["pos", "A film."], [["neg", "Bad."]])
    assert not are_names(["", ""], [])


def test_numbers_leave_it_to_the_first_row_and_say_how_it_is_read(caplog):
    assert header(["4", "A film."], ["0", "Bad."], text="2", label="1") is None
    assert header(["stars", "comment"], ["0", "Bad."], text="2", label="1") == ["stars", "comment"]
    assert header(["text", "label", "text"], ["a", "b", "c"], text="3", label="2") == ["text", "label", "text (2)"]
    assert caplog.messages == [
        "a.csv: its first row, '4, A film.', is read as data.",
        "a.csv: its first row, 'stars, comment', is read as names of columns.",
        "a.csv: its first row, 'text, label, text', is read as names of columns.",
    ]


def test_a_long_first_row_is_cut_in_the_notice(caplog):
    header(["4", "word " * 100], ["0", "Bad."], text="2")
    assert len(caplog.messages[0]) < 140


def test_names_are_made_unique():
    assert unique_names(["", "a", "", "a", "a"]) == ["", "a", " (2)", "a (2)", "a (3)"]


def test_usual_names_are_found_whatever_their_case_and_blanks(caplog):
    assert places("id", "TEXT", " Label ") == {"text": "TEXT", "label": " Label "}
    assert caplog.messages == ["a.csv: column 'TEXT' is read as text, column ' Label ' is read as label."]


def test_a_less_usual_name_is_said(caplog):
    assert places("review", "label") == {"text": "review", "label": "label"}
    assert caplog.messages == ["a.csv: column 'review' is read as text."]


def test_given_names_and_numbers_are_taken_without_a_word(caplog):
    assert places("id", "my text", "stars", text="My Text", label="3") == {"text": "my text", "label": "stars"}
    assert places("2", "1", text="2", label="1") == {"text": "2", "label": "1"}  # names come before numbers
    assert not caplog.records


def test_a_missing_column_is_refused_with_the_columns_and_the_way_out():
    with pytest.raises(ColumnError, match=r"'/in/a\.csv' has no column 'label'; .* id, text\. .*--columns label=NAME"):
        places("id", "text")
    with pytest.raises(GivenColumnError, match=r"'/in/a\.csv' has no column 'stars'; its columns are: id, text"):
        places("id", "text", label="stars")
    with pytest.raises(GivenColumnError, match=r"'/in/a\.csv' has no column '3'; its columns are: id, text"):
        places("id", "text", label="3")
    with pytest.raises(OptionError, match=r"'/in/a\.csv' has no column '0'"):
        places("id", "text", label="0")


def test_many_columns_are_not_all_listed():
    with pytest.raises(ColumnError, match="17, 18 and 980 more"):
        places("text", "id", *map(str, range(1, 999)))


def test_columns_without_names_are_refused_with_an_example():
    with pytest.raises(
        ColumnError, match=r"its first row looks like data: .* of its 3 columns .*--columns text=1,label=2"
    ):
        column_places(["1", "2", "3"], NAMES, {}, "/in/a.csv", (), ["4", "x", "A film."])
    assert places("1", "2", "3", text="3", label="1") == {"text": "3", "label": "1"}


def test_an_order_without_names_is_said(caplog):
    assert places("1", "2", order=("text", "label")) == {"text": "1", "label": "2"}
    assert caplog.messages == ["a.csv has no names of columns; it reads column 1 as text, column 2 as label."]
    with pytest.raises(ColumnError):
        column_places(["1"], NAMES, {}, "/in/a.csv", ("text", "label"), ["A film."])


def test_a_column_that_is_there_twice_is_chosen_by_number():
    with pytest.raises(DataError, match=r"'/in/a\.csv' has the column 'text' more than once; .*--columns text=1 or 3"):
        places("text", "label", "text (2)")
    assert places("text", "label", "text (2)", text="3")["text"] == "text (2)"
    assert places("text", "label", "text (2)", text="1")["text"] == "text"


def test_a_column_for_two_fields_is_refused():
    with pytest.raises(OptionError, match=r"'/in/a\.csv': the column 'text' is named for two fields"):
        places("text", "label", label="text")


def test_columns_to_keep_have_the_names_that_the_user_gave():
    assert named_columns(["id", "text", "Date"], ["date", "1"], "/in/a.csv") == {"date": "Date", "1": "id"}
    with pytest.raises(OptionError, match=r"'/in/a\.csv' has no column 'when' to keep; its columns are: id, text"):
        named_columns(["id", "text"], ["when"], "/in/a.csv")


def test_a_column_of_splits_is_found_by_name_or_by_its_values():
    def found(*columns, value="train", **given):
        return split_column(columns, given, [dict.fromkeys(columns, value)], "/in/a.csv")

    assert found("text", "SPLIT") == "SPLIT"
    assert found("text", "split", value="7") == "split"
    assert found("text", "type") == found("text", "type", value="Test") == "type"
    assert found("text", "type", value="drama") is None
    assert found("text", "type", value="") is None
    assert found("text", "part", split="part") == "part"
    with pytest.raises(OptionError, match=r"'/in/a\.csv' has no column 'fold'; its columns are: text"):
        found("text", split="fold")
    assert split_column(["text", "subset"], {}, [], "/in/a.csv") is None


def test_a_number_is_a_place_unless_a_column_is_called_so():
    assert place_of(["a", "b"], "text", {"text": "2"}) == "b"
    assert place_of(["2", "b"], "text", {"text": "2"}) == "2"
    assert place_of(["a"], "text", {"text": "2"}) is None
