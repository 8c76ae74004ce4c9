"""Rows come out as they were written: no row is merged, split or lost without a word."""

import csv
import logging
import random

import pytest

from data.delimited import table_rows
from data.splits import DataError


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a file and returns its rows of cells, or of errors."""

    def rows(content, name="a.csv", encoding=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [row.error or row.cells for row in table_rows(path, encoding)]

    return rows


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.tab", "a.txt"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_and_said_where_the_name_promises_another(sign, name, read, caplog):
    rows = [["text", "label"], *([f"A film, really; a good one {number}", "pos"] for number in range(5))]
    text = "".join(sign.join(f'"{cell}"' if sign in cell else cell for cell in row) + "\n" for row in rows)
    assert read(text, name) == rows
    promised = {"a.csv": ",", "a.tsv": "\t", "a.tab": "\t"}.get(name, sign)
    assert [record.getMessage() for record in caplog.records] == (
        [] if promised == sign else [caplog.records[0].getMessage()]
    )
    if promised != sign:
        assert caplog.records[0].getMessage().startswith(f"{name} is read with a")


def test_one_column_needs_no_delimiter(read, caplog):
    assert read("text\nA film; good.\nBad\n") == [["text"], ["A film; good."], ["Bad"]]
    assert read("text\none\n\ntwo\n") == [["text"], ["one"], [""], ["two"]]  # an empty line is an empty cell
    assert not caplog.records


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", "\ufeffsep=;\n"])
def test_the_line_that_names_the_delimiter_is_no_row(first, read, caplog):
    assert read(f"{first}a;b\n1;2,3\n4;5;6\n") == [
        ["a", "b"],
        ["1", "2,3"],
        "line 4 has 3 fields, and the first row has 2; put text with a delimiter or a line break in double quotes",
    ]
    assert not caplog.records


def test_blank_lines_and_trailing_delimiters_do_not_count(read):
    rows = [["a", "b"], ["1", "2"]]
    assert read("\n\na,b\n\n   \n1,2\n\n\n") == rows
    assert read("a,b\n1,2,\n") == rows
    assert read("a,b,\n1,2\n") == [["a", "b", ""], ["1", "2", ""]]
    assert read("a,b\r1,2\r") == rows
    assert read("") == []


def test_rows_that_do_not_fit_are_named_by_line(read):
    _, few, _, many = read('a,b\n1\n"x\ny",2\n1,2,3\n')
    assert few.startswith("line 2 has 1 fields, and the first row has 2")
    assert many.startswith("line 5 has 3 fields")


def test_quotes_inside_cells_are_doubled_or_escaped(read):
    rows = [["text", "label"], ['the "best", really', "pos"], ["one\ntwo", "neg"], [r"C:\new", "neg"]]
    assert read('text,label\n"the ""best"", really",pos\n"one\ntwo",neg\nC:\\new,neg\n') == rows
    assert read('text,label\n"the \\"best\\", really",pos\n"one\ntwo",neg\n"C:\\new",neg\n') == rows


def test_a_backslash_before_a_closing_quote_escapes_nothing_in_a_file_of_doubled_quotes(read):
    assert read('a,b\n"C:\\",1\n"the ""best""",2\n') == [["a", "b"], ["C:\\", "1"], ['the "best"', "2"]]


def test_a_long_sample_that_ends_inside_a_cell_is_not_taken_for_another_dialect(read):
    lines = "".join(f'"say \\""a{number}\\"" now",1\n' for number in range(990))
    rows = read("text,label\n" + lines + '"' + "long\n" * 50 + '",1\n')
    assert rows[1] == ['say \\"a0\\" now', "1"]
    assert len(rows) == 992


def test_misplaced_quotes_are_named_with_all_their_lines(read):
    rows = read('text,label\n"good" film,yes\nfine,no\n"open,no\nlost,no\n"shut" x,no\nlast,yes\n')
    assert [type(row) for row in rows] == [list, str, list, str, list]
    assert rows[1].startswith("misplaced quotes in line 2 (")
    assert rows[3].startswith("misplaced quotes in lines 4 to 6 (")


def test_a_quote_that_is_never_closed_is_refused_with_its_line(read, tmp_path):
    with pytest.raises(DataError, match=rf"'{tmp_path}/a\.csv', line 3: misplaced quotes.*never closed"):
        read('text,label\nfine,yes\n"never closed,no\nand more,no\n')


def test_rows_that_stray_quotes_merge_in_a_csv_are_an_error(read):
    text = 'text,label\n"Sharp picture,pos\nDim picture,neg\nGood tablet 9",pos\nWarm,pos\nCold,neg\n'
    _, merged, *rest = read(text)
    assert merged.startswith("lines 2 to 4 are several rows between two double quotes")
    assert rest == [["Warm", "pos"], ["Cold", "neg"]]


def test_a_cell_of_several_lines_with_delimiters_is_one_cell(read):
    text = 'text,label\n"Nice, film\nGood, cast",pos\n"Well\n\nmade, too",neg\n"a\nb",pos\n'
    assert read(text) == [
        ["text", "label"], ["Nice, film\nGood, cast", "pos"], ["Well\n\nmade, too", "neg"], ["a\nb", "pos"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "texts",
    [
        ['"Sharp picture, loud', "Dim", 'Good tablet, 9"', "Warm"],
        ['Good tablet, 9"', '"Sharp', "Dim"],
        ['"Sharp', "Dim", '"Good" tablet'],
        ['"Open', "Dim"],
        ['Good 9"', 'The 10" one'],
    ],
)
@pytest.mark.parametrize("label_first", [False, True])
def test_stray_quotes_in_a_tsv_are_characters(texts, label_first, read, caplog):
    rows = [["text", "label"], *([text, "pos"] for text in texts)]
    rows = [row[::-1] for row in rows] if label_first else rows
    assert read("".join("\t".join(row) + "\n" for row in rows), "a.tsv") == rows
    said = [record.getMessage() for record in caplog.records]
    assert all(one.startswith("a.tsv: double quotes are read as characters, since one in line ") for one in said)
    assert len(said) == any(text.startswith('"') for text in texts)


def test_well_formed_quotes_in_a_tsv_enclose_cells(tmp_path, caplog):
    rows = [["text", "label"], ['a "b"', "pos"], ["one\ttwo", "neg"], ["one\n\ntwo\tthree", "pos"], ["plain", "neg"]]
    with (tmp_path / "a.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    assert [row.cells for row in table_rows(tmp_path / "a.tsv", None)] == rows
    assert not caplog.records


def test_one_short_row_does_not_turn_the_quotes_of_a_tsv_into_characters(read):
    rows = read('text\tlabel\n"one, ""two"""\tpos\n"alone"\n"three\nfour"\tneg\n', "a.tsv")
    assert rows[1] == ['one, "two"', "pos"]
    assert rows[2].startswith("line 3 has 1 fields")
    assert rows[3] == ["three\nfour", "neg"]


def test_rows_of_a_tsv_of_one_column_are_never_merged(read):
    assert read('text\n"Sharp\nDim\nGood 9"\n', "a.tsv") == [["text"], ['"Sharp'], ["Dim"], ['Good 9"']]


def test_a_cell_that_is_not_in_the_encoding_is_an_error_with_the_likely_one(read):
    rows = read(b"text,label\nna\xefve caf\xe9,yes\nfine,no\n")
    assert rows[1] == "line 2 is not in UTF-8 (byte 0xef); give its encoding, likely --encoding latin-1"
    assert rows[2] == ["fine", "no"]
    assert read(b"text,label\nna\xefve caf\xe9,yes\n", encoding="latin-1")[1] == ["naïve café", "yes"]


def test_long_cells_and_zero_bytes_are_read(read):
    long = "word " * 100_000
    assert read(f"text,label\n{long},yes\nnul\0byte,no\n") == [["text", "label"], [long, "yes"], ["nul\0byte", "no"]]


def test_a_line_separator_inside_a_cell_ends_no_row(read):
    assert read("text,label\none\u2028two\x85,yes\n") == [["text", "label"], ["one\u2028two\x85", "yes"]]


def test_said_once(read, caplog):
    caplog.set_level(logging.INFO)
    read('text;label\n"a";b\n')
    assert len(caplog.records) == 1


def test_spaces_before_quotes_belong_to_no_cell(read):
    assert read('"text", "label"\n"good, so", "a"\n"bad", "b"\n') == [
        ["text", "label"],
        ["good, so", "a"],
        ["bad", "b"],
    ]
    assert read('text,label\nHe said, "fine, so",a\ngood, b\n')[2] == ["good", " b"]  # two rows of three


def test_backslashes_that_are_escaped_like_quotes_are_single(read):
    rows = read('a,b\n"C:\\\\new \\"x\\"","1"\n"end\\\\","2"\n')
    assert rows[1:] == [['C:\\new "x"', "1"], ["end\\", "2"]]
    assert read('a\tb\n"say \\"x\\""\t1\n"two\nlines"\t2\n', "a.tsv")[1:] == [['say "x"', "1"], ["two\nlines", "2"]]


@pytest.mark.parametrize("seed", range(200))
def test_rows_that_others_have_written_come_back(seed, tmp_path, caplog):
    draw = random.Random(seed)
    words = ["good", "film", '"', '9"', "''", ",", ";", "|", "\n", "\\", "\u2028", "a, b", "1,5", "é"]

    def row():
        return [" ".join(draw.choices(words, k=draw.randint(1, 5))).strip() or "x", draw.choice(["pos", "neg"])]

    rows = [["text", "label"], *(row() for _ in range(draw.randint(1, 30)))]
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as file:
        quoting = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        csv.writer(file, delimiter=draw.choice(",;|\t"), quoting=quoting).writerows(rows)
    assert [found.error or found.cells for found in table_rows(tmp_path / "a.csv", None)] == rows
