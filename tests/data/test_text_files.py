"""Text files of any encoding and compression are read rightly, or refused with the likely encoding."""

import bz2
import gzip
import logging
import lzma
import zipfile

import pytest

from data.encodings import head_encoding, likely_encoding
from data.splits import DataError, OptionError
from data.text_files import (
    content_name,
    content_suffix,
    decoded_lines,
    named_encoding,
    open_text,
    read_text,
    text_lines,
    zip_members,
)

RUSSIAN = "Очень хороший фильм, рекомендую всем друзьям.\n"
JAPANESE = "とても良い映画でした。おすすめです。\n"
WESTERN = "Größe, naïve café, señor.\n"
CURLY = "It\u2019s a \u201cgreat\u201d film \u2013 café.\n"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy.\n"
POLISH = "Był to bardzo piękny i świetny wieczór, żółty płaszcz.\n"


def zipped(path, *names, content="text\n"):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_a_file_is_read_whatever_compresses_it(suffix, pack, tmp_path):
    path = tmp_path / f"a.TXT{suffix.upper()}"
    path.write_bytes(pack("naïve\n".encode()))
    assert (content_name(path), content_suffix(path)) == ("a.TXT", ".txt")
    assert list(text_lines(path)) == ["naïve"]


def test_a_zip_of_one_visible_file_is_that_file(tmp_path):
    path = zipped(tmp_path / "a.zip", "in/b.csv", "__MACOSX/in/._b.csv", "in/.DS_Store")
    assert (content_name(path), zip_members(path), read_text(path)) == ("b.csv", ["in/b.csv"], "text\n")


def test_a_zip_of_several_files_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"a\.zip' holds 2 files, not one; unzip it"):
        read_text(zipped(tmp_path / "a.zip", "b.csv", "c.csv"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(b"text" * 1000, mtime=0)[:-9]),
        ("a.csv.gz", b"not gzip"),
        ("a.csv.bz2", bz2.compress(b"text" * 1000)[:-9]),
        ("a.csv.bz2", b"not bzip2"),
        ("a.csv.xz", b"not xz"),
        ("a.csv.zip", b"not a zip"),
    ],
)
def test_a_damaged_file_is_named(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{tmp_path}/{name}' is damaged"):
        list(text_lines(tmp_path / name))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*nowhere\.txt"):
        list(text_lines(tmp_path / "nowhere.txt"))


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"one", ["one"]),
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\rtwo\r", ["one", "two"]),
        ("one\u2028still one\x0b\x0c\x1c\x85\ntwo".encode(), ["one\u2028still one\x0b\x0c\x1c\x85", "two"]),
        (b"one\rstill one\ntwo\n", ["one\rstill one", "two"]),
    ],
)
def test_only_line_feeds_end_lines_and_carriage_returns_where_there_are_no_others(content, lines, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    assert list(text_lines(tmp_path / "a.txt")) == lines
    assert list(decoded_lines(tmp_path / "a.txt")) == lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [RUSSIAN, JAPANESE, WESTERN])
def test_utf_8_and_files_with_a_mark_need_no_option(encoding, text, tmp_path):
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert list(text_lines(tmp_path / "a.txt")) == [text.rstrip("\n")]


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_both_orders_of_bytes_are_told_by_the_mark(mark, tmp_path):
    (tmp_path / "a.txt").write_bytes(("\ufeff" + RUSSIAN).encode(mark))
    assert read_text(tmp_path / "a.txt") == RUSSIAN


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [RUSSIAN, "A film.\n", CURLY])
def test_wide_text_without_a_mark_is_refused_by_its_encoding_and_read_with_it(encoding, text, tmp_path):
    (tmp_path / "a.txt").write_bytes((text * 3).encode(encoding))
    with pytest.raises(DataError, match=rf"{tmp_path}/a\.txt' is not in UTF-8.*--encoding {encoding}\."):
        read_text(tmp_path / "a.txt")
    assert read_text(tmp_path / "a.txt", encoding) == text * 3
    assert read_text(tmp_path / "a.txt", encoding[:6]) == text * 3  # the order of bytes is told


@pytest.mark.parametrize(
    ("text", "encoding", "likely"),
    [
        (WESTERN, "latin-1", "latin-1"),
        (CURLY, "cp1252", "cp1252"),
        (CZECH, "cp1250", "cp1250"),
        (POLISH, "cp1250", "cp1250"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (JAPANESE, "shift_jis", "shift-jis"),
        (JAPANESE, "euc_jp", "euc-jp"),
        ("这部电影非常好看、推荐给大家。\n", "gbk", "gb18030"),
        ("這部電影非常好看、推薦給大家。\n", "big5", "big5"),
        ("정말 좋은 영화였습니다. 추천합니다.\n", "euc-kr", "cp949"),
        ("Πολύ καλή ταινία, τη συνιστώ.\n", "cp1253", "cp1253"),
        ("Çok güzel bir film, şiddetle öneririm, doğru.\n", "cp1254", "cp1254"),
    ],
)
def test_the_likely_encoding_is_named_and_reads_the_file(text, encoding, likely, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"plain\n" + (text * 5).encode(encoding))
    assert likely_encoding((text * 5).encode(encoding)) == likely
    with pytest.raises(DataError, match=rf"{path}': line 2 is not in UTF-8 \(byte 0x..\); .*--encoding {likely}\."):
        list(decoded_lines(path))
    with pytest.raises(DataError, match=rf"{path}': line 2 is not in UTF-8 .*--encoding {likely}\."):
        read_text(path)
    assert read_text(path, likely) == "plain\n" + text * 5


def test_the_likely_encoding_is_that_of_the_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes((WESTERN + CURLY * 3).encode("cp1252"))
    with pytest.raises(DataError, match=r"line 1 is not in UTF-8 .*--encoding cp1252"):
        list(decoded_lines(path))


def test_latin_1_has_curly_quotes_as_in_browsers(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CURLY.encode("cp1252") + b"\x81\n")
    assert list(text_lines(path, "latin-1")) == [CURLY.rstrip(), "\x81"]
    assert list(text_lines(path, "ISO-8859-1")) == list(text_lines(path, "cp1252"))


@pytest.mark.parametrize("given", ["latin-1", "cp1251", "shift_jis", "utf-16"])
def test_a_wrong_name_for_utf_8_is_noticed_and_not_used(given, tmp_path, caplog):
    path = tmp_path / "a.txt"
    path.write_text(WESTERN * 2, encoding="utf-8")
    assert read_text(path, given) == WESTERN * 2
    (said,) = warnings(caplog)
    assert said.startswith("a.txt is read as UTF-8, as its bytes are, and not as ")


@pytest.mark.parametrize(("text", "likely"), [(RUSSIAN, "cp1251"), (JAPANESE, "shift-jis")])
def test_western_names_for_other_scripts_are_noticed(text, likely, tmp_path, caplog):
    path = tmp_path / "a.txt"
    path.write_bytes((text * 3).encode(likely))
    read_text(path, "latin-1")
    assert warnings(caplog) == [f"a.txt is read as cp1252, and looks like {likely}; see that its letters are right."]
    caplog.clear()
    path.write_bytes(WESTERN.encode("latin-1"))
    read_text(path, "latin-1")
    assert not caplog.records


def test_a_mark_counts_more_than_a_name(tmp_path, caplog):
    path = tmp_path / "a.txt"
    path.write_text(WESTERN, encoding="utf-16")
    for given in ("utf-16", "utf-16-le"):
        assert read_text(path, given) == WESTERN
    assert not caplog.records
    assert read_text(path, "latin-1") == WESTERN
    assert "its byte-order mark tells" in caplog.text
    path.write_text(WESTERN, encoding="utf-8-sig")
    assert read_text(path, "utf-8") == WESTERN


def test_an_unknown_encoding_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    for name in ("klingon", "base64"):
        with pytest.raises(OptionError, match=rf"No encoding is named '{name}'; name one such as utf-8, latin-1"):
            read_text(tmp_path / "a.txt", name)
    assert named_encoding("UTF8") == "utf-8"


def test_a_byte_that_is_not_in_the_named_encoding_is_refused_by_line(tmp_path):
    (tmp_path / "a.txt").write_bytes(JAPANESE.encode("shift_jis") * 2 + b"ab\xff\n")
    with pytest.raises(DataError, match=r"line 3 is not in shift_jis \(byte 0xff\)"):
        list(decoded_lines(tmp_path / "a.txt", "shift_jis"))
    with pytest.raises(DataError, match=r"line 3 is not in shift_jis \(byte 0xff\); remove what is damaged"):
        read_text(tmp_path / "a.txt", "shift_jis")
    with pytest.raises(DataError, match=r"line 1 is not in utf-8 \(byte 0x82\); .* likely --encoding shift-jis"):
        read_text(tmp_path / "a.txt", "utf-8")
    (tmp_path / "b.txt").write_bytes(RUSSIAN.encode("utf-16")[:-1])
    with pytest.raises(DataError, match=r"b\.txt' is not in utf-16: "):
        read_text(tmp_path / "b.txt")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04docx", "a zip or an Office document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Office document"),
        (b"%PDF-1.7\n", "a PDF"),
        (gzip.compress(b"text", mtime=0), "gzip data; name it with .gz"),
        (b"PAR1\x15\x04", "a Parquet table"),
        (b"a" * 257 + b"ustar\0", "a tar archive; unpack it"),
    ],
)
def test_files_of_other_kinds_are_refused_by_what_they_are(content, what, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.txt' is not text but {what}"):
        list(text_lines(tmp_path / "a.txt"))


def test_a_single_zero_byte_is_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a" * 100 + b"\0")
    assert len(read_text(tmp_path / "a.txt")) == 101


def test_a_sign_at_the_end_of_the_first_part_is_not_taken_for_damage():
    assert head_encoding(("é" * 20).encode()[:-1], "cp1252", "/a.txt", "a.txt") == "utf-8"


def test_bytes_that_are_not_in_the_encoding_do_not_stop_a_reader(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\nna\xefve\ntwo\n")
    with open_text(tmp_path / "a.txt") as file:
        assert len(file.readlines()) == 3
