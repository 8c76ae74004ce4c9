"""Readers of data under random damage: no exception but those that are documented, and what is read is usable.

A few examples of each property run with all tests; with FOURLAYERS_SOAK=1, 5,000 of each.
"""

import bz2
import contextlib
import gzip
import io
import itertools
import json
import lzma
import os
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from data import values
from data.columns import named_columns, unique_names
from data.delimited import table_rows
from data.encodings import head_encoding, likely_encoding, wide_encoding
from data.labels import label_names, plain_label
from data.limits import raised_limits
from data.pictures.caption_json import json_caption_rows
from data.pictures.caption_places import path_parts
from data.pictures.caption_tables import listed_texts
from data.pictures.captions import captioned_pictures
from data.pictures.containers import Entry, file_tree
from data.pictures.files import MemoryFile
from data.pictures.idx import idx_array
from data.pictures.labelled_pictures import labelled_pictures
from data.pictures.photo import photo_of, read_photo, square_pixels
from data.pictures.pixel_arrays import file_arrays
from data.pictures.pixel_tables import is_pixel_table, pixel_inputs
from data.pictures.png import kept_chunks
from data.records import json_records, json_rows, parquet_records
from data.splits import DataError, OptionError, part_of
from data.tables import TableFormat, example_rows, input_rows
from data.text_files import decoded_lines, read_text, text_lines
from data.texts.frames import text_parts
from data.texts.labelled_texts import labelled_texts
from data.texts.languages import language_code
from data.texts.markup import text_without_markup
from data.texts.segment_files import segments
from data.texts.sentence_pairs import all_pairs
from data.texts.sentences import sentence_spans
from data.texts.text import caption_text, caption_words, clean_text, plain_marks, text_words
from data.texts.text_items import text_items
from data.texts.translation_memories import memory_units
from data.texts.wrapping import joined_breaks
from tasks.engine.config import SettingError, named_values, read_settings
from tasks.engine.terminal import visible, visible_json
from tests.faults import bad_files as bad

DOCUMENTED = (DataError, OptionError, FileNotFoundError)
SOAK = os.environ.get("FOURLAYERS_SOAK") == "1"
COUNT = int(os.environ.get("FOURLAYERS_EXAMPLES", "5000" if SOAK else "12"))
fuzzed = settings(
    max_examples=COUNT,
    derandomize=not SOAK,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
NAMES = {"text": ["text"], "label": ["label"]}
FORM = TableFormat()
TEXT = st.text(max_size=60) | st.text("<>&;/!-[]\"'= abc\n\r\t#xscript", max_size=80) | st.text(
    st.characters(min_codepoint=0x80, max_codepoint=0x10FFFF), max_size=30
)  # fmt: skip
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["text", "label", "0", "1", "data", "columns"]) | TEXT, inner, max_size=4),  # noqa: E501
    max_leaves=12,
)  # fmt: skip
EDIT = st.tuples(
    st.sampled_from(["flip", "cut", "insert", "splice", "double"]),
    st.floats(0, 1),
    st.floats(0, 1),
    st.binary(min_size=1, max_size=8),
)
EDITS = st.lists(EDIT, min_size=1, max_size=4)


def damaged(content: bytes, edits) -> bytes:
    """Return content with bytes flipped, cut off, put in, moved or doubled."""
    for kind, first, second, other in edits:
        one, two = sorted((int(first * len(content)), int(second * len(content))))
        if kind == "flip" and content:
            place = min(one, len(content) - 1)
            content = content[:place] + bytes([content[place] ^ other[0]]) + content[place + 1 :]
        elif kind == "cut":
            content = content[:two] if two > one else content[:one]
        elif kind == "insert":
            content = content[:one] + other + content[one:]
        elif kind == "splice":
            content = content[:one] + content[two:]
        elif kind == "double":
            content = content[:two] + content[one : min(two, one + 500)] + content[two:]
    return content


@cache
def pair_files() -> bytes:
    return bad.zip_of({"train.en": b"A dog runs.\nA cat.\n" * 5, "train.de": b"Ein Hund.\nEine Katze.\n" * 5})


@cache
def album() -> bytes:
    return bad.zip_of(
        {"1.png": bad.png(), "0/2.png": bad.picture("PNG"), "captions.csv": b"image,caption\n1.png,A dog\n"}
    )


LINED = b"".join(b'{"text": "a film %d", "label": "%s"}\n' % (n, (b"pos", b"neg")[n % 2]) for n in range(20))
WHOLE = json.dumps([json.loads(line) for line in LINED.splitlines()]).encode()
COCO = json.dumps(
    {"images": [{"id": 1, "file_name": "1.png"}], "annotations": [{"image_id": 1, "caption": "A dog"}]}
).encode()
SGML = b'<srcset lang="en"><doc docid="a"><seg id="1">A &amp; b</seg><seg id="2">c</seg></doc></srcset>'
XLIFF = b'<xliff><file source-language="en" target-language="de"><trans-unit><source>a</source><target>b</target></trans-unit></file></xliff>'  # noqa: E501
PIXELS = b"label," + b",".join(b"p%d" % n for n in range(16)) + b"\n" + (b"1" + b",200" * 16 + b"\n") * 5
IDX = b"\0\0\x08\x03\0\0\0\2\0\0\0\4\0\0\0\4" + bytes(32)
NPZ = io.BytesIO()
np.savez_compressed(NPZ, x_train=np.zeros((4, 8, 8), "uint8"), y_train=np.arange(4))
QUOTED = b'text,label\n"a ""good"", film",pos\n' * 9


def rows(path: Path) -> object:
    return example_rows(path, NAMES, FORM)


def entries(path: Path) -> object:
    return [entry.file.open().read() for entry in file_tree(path)]


def texts(path: Path) -> object:
    return labelled_texts(path, NAMES, FORM, 0.2, 1)


def captions(path: Path) -> object:
    return captioned_pictures(path, {"image": ["image"], "caption": ["caption"]}, FORM)


READERS = {  # reader -> name and content of a good file, and what reads it
    "rows of CSV": ("a.csv", QUOTED, rows),
    "rows of TSV": ("a.tsv", bad.ROWS.replace(b",", b"\t")[:600], rows),
    "cells": ("a.csv", QUOTED, lambda path: list(table_rows(path, None))),
    "cells in Latin-1": ("a.csv", QUOTED + b"\xe9\xe8,\xff\n", lambda path: list(table_rows(path, "latin-1"))),
    "cells in UTF-16": ("a.csv", QUOTED.decode().encode("utf-16"), lambda path: list(table_rows(path, None))),
    "rows of JSON lines": ("a.jsonl", LINED, rows),
    "rows of JSON": ("a.json", WHOLE, rows),
    "records of JSON": ("a.json", WHOLE, lambda path: list(json_records(path, None))),
    "rows of Parquet": ("a.parquet", bad.parquet(), lambda path: list(parquet_records(path, None))),
    "rows of Excel": ("a.xlsx", bad.workbook(), rows),
    "gzipped rows": ("a.csv.gz", gzip.compress(QUOTED), rows),
    "bzipped rows": ("a.csv.bz2", bz2.compress(QUOTED), rows),
    "rows in xz": ("a.csv.xz", lzma.compress(QUOTED), rows),
    "zipped rows": ("a.zip", bad.zip_of({"a.csv": QUOTED}), rows),
    "rows zipped by LZMA": ("a.zip", bad.zip_of({"a.csv": QUOTED}, bad.zipfile.ZIP_LZMA), rows),
    "rows zipped by bzip2": ("a.zip", bad.zip_of({"a.csv": QUOTED}, bad.zipfile.ZIP_BZIP2), rows),
    "inputs of a table": ("a.csv", QUOTED, lambda path: list(input_rows(path, {"text": ["text"]}, FORM))),
    "inputs of lines": ("a.txt", b"__label__a b\nc\n" * 5, lambda path: list(input_rows(path, {"text": ["text"]}, FORM))),  # noqa: E501
    "lines": ("a.txt", "a\r\nä\nb\r".encode() * 5, lambda path: list(text_lines(path))),
    "decoded lines": ("a.txt", "a\r\nä\nb\r".encode() * 5, lambda path: list(decoded_lines(path, "cp1252"))),
    "whole text": ("a.txt", "a\r\nä\nb\r".encode("utf-32") * 5, read_text),
    "labelled texts": ("a.csv", bad.ROWS[:700], texts),
    "labelled lines": ("a.txt", b"__label__a good\n__label__b bad\n" * 9, texts),
    "TMX": ("a.tmx", bad.memory("a <ph>x</ph> &lt; dog"), lambda path: list(memory_units(path, None))),
    "XLIFF": ("a.xlf", XLIFF, lambda path: list(memory_units(path, None))),
    "segments": ("a.sgm", SGML, lambda path: segments(path, lambda role, language: True, None)),
    "pairs in a zip": ("a.zip", pair_files(), lambda path: all_pairs(path, "en", "de", FORM)),
    "pairs in TMX": ("a.tmx", bad.memory("a dog"), lambda path: all_pairs(path, "en", "de", FORM)),
    "pairs in a table": ("a.tsv", b"en\tde\na dog\tein Hund\n" * 4, lambda path: all_pairs(path, "en", "de", FORM)),
    "files in a zip": ("a.zip", album(), entries),
    "captions in a zip": ("a.zip", album(), captions),
    "captions of COCO": ("a.json", COCO, lambda path: json_caption_rows(path, None)),
    "digits in a zip": ("a.zip", bad.zip_of({"1/a.png": bad.png(), "0/b.png": bad.png()}), labelled_pictures),
    "digits in a table": ("a.csv", PIXELS, labelled_pictures),
    "digits in arrays": ("a.npz", NPZ.getvalue(), labelled_pictures),
    "arrays": ("a.npz", NPZ.getvalue(), lambda path: file_arrays(Entry((path.name,), path))),
    "pixels to answer": ("a.csv", PIXELS, lambda path: list(pixel_inputs(path, FORM)) if is_pixel_table(path) else []),
    "IDX": ("a", IDX, lambda path: idx_array(path.read_bytes(), "a")),
    "gzipped IDX": ("a", gzip.compress(IDX), lambda path: idx_array(path.read_bytes(), "a")),
    "chunks of PNG": ("a.png", bad.png(between=bad.chunk(b"tEXt", b"a\0b")), lambda path: kept_chunks(io.BytesIO(path.read_bytes()))),  # noqa: E501
    "settings": ("a.json", b'{"settings": {"epochs": 3}}', read_settings),
    "settings in TOML": ("a.toml", b'epochs = 3\nname = "a"\n[b]\nc = 1.5\n', read_settings),
}  # fmt: skip
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "ICO", "PPM")
PICTURES = {form: bad.picture(form, (48, 40)) for form in FORMATS}
PICTURES |= {
    "PNG of 16 bits": bad.png(bits=16, kind=2),
    "interlaced TIFF": bad.picture("TIFF", compression="tiff_lzw"),
    "JPEG with EXIF": bad.jpeg_with_exif(bad.exif_of(274, 3, 1, 6) + bytes(60)),
}


@pytest.mark.parametrize("kind", READERS)
def test_damaged_files_raise_what_is_documented(kind, tmp_path):
    name, good, read = READERS[kind]
    path = tmp_path / name

    @fuzzed
    @given(EDITS)
    def holds(edits):
        path.write_bytes(damaged(good, edits))
        try:
            read(path)
        except (*DOCUMENTED, SettingError) as error:
            assert str(error)  # noqa: PT017

    holds()


@pytest.mark.parametrize("form", PICTURES)
def test_damaged_pictures_are_read_or_refused(form):
    @fuzzed
    @given(EDITS)
    def holds(edits):
        file = MemoryFile(f"a.{form}", damaged(PICTURES[form], edits))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                photo = read_photo(file)
                assert photo.pixels.dtype in (np.uint8, np.uint16)
                assert photo.pixels.ndim == 3
                assert square_pixels(file, 16).shape == (16, 16, 3)
            except DataError as error:
                assert file.name in str(error)  # noqa: PT017

    holds()


FUNCTIONS = {  # function of a text -> what must hold of its result
    "clean text": (clean_text, lambda text: not {"\n", "\x1b", "\0"} & {*text}),
    "text without markup": (text_without_markup, lambda text: isinstance(text, str)),
    "plain marks": (plain_marks, lambda text: isinstance(text, str)),
    "words": (lambda text: text_words(clean_text(text)), all),
    "words of a caption": (caption_words, all),
    "caption": (lambda text: caption_text(" ".join(caption_words(text))), lambda text: isinstance(text, str)),
    "listed texts": (listed_texts, lambda texts: all(isinstance(text, str) for text in texts)),
    "part": (part_of, lambda part: part in (None, "train", "valid", "test")),
    "path of a picture": (path_parts, lambda parts: not {"", ".", ".."} & {*parts}),
    "language": (language_code, lambda code: code is None or len(code) in (2, 3)),
    "label": (plain_label, lambda label: isinstance(label, str)),
    "visible text": (visible, lambda text: visible(text) == text and not {"\x1b", "\x9b", "\u202e"} & {*text}),
    "visible JSON": (lambda text: json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text, bool),
    "items": (lambda text: text_items(clean_text(text)), lambda items: isinstance(items, list)),
    "parts": (text_parts, lambda parts: isinstance(parts, list)),
    "breaks": (lambda text: joined_breaks(text.splitlines()), lambda breaks: isinstance(breaks, list)),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_functions_of_texts_take_any_text(kind):
    function, right = FUNCTIONS[kind]

    @fuzzed
    @given(TEXT)
    def holds(text):
        assert right(function(text))

    holds()


@fuzzed
@given(TEXT, st.sampled_from(["", "en", "de", "xx"]))
def test_spans_of_sentences_are_in_order_and_inside(text, language):
    spans = sentence_spans(text, language)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


@fuzzed
@given(VALUE)
def test_values_of_json_are_texts_that_can_be_written(value):
    values.value_text(value).encode()
    found, error = values.record_values(value)
    assert all(isinstance(text, str) for text in found.values())
    "".join([*found, *found.values(), error]).encode()


@fuzzed
@given(VALUE)
def test_json_of_any_form_has_rows_or_none(value):
    found = json_rows(json.loads(json.dumps(value)))
    assert found is None or isinstance(found, list)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder for files that are written over."""
    return tmp_path_factory.mktemp("fuzz")


@fuzzed
@given(VALUE, st.sampled_from(["a.json", "a.jsonl"]))
def test_json_of_any_form_is_read_or_refused(folder, value, name):
    path = folder / name
    path.write_text(json.dumps(value))
    with contextlib.suppress(DOCUMENTED):
        rows(path)
    json_caption_rows(path, None)


@fuzzed
@given(st.lists(st.lists(TEXT, max_size=4), max_size=8), st.sampled_from([",", ";", "\t", "|"]))
def test_tables_of_any_cells_are_read_or_refused(folder, cells, delimiter):
    path = folder / "a.csv"
    path.write_text("\n".join(delimiter.join(row) for row in cells), encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(DOCUMENTED):
        assert all(set(row) >= {"text", "label"} for row in rows(path))


@fuzzed
@given(st.binary(max_size=300))
def test_bytes_have_a_likely_encoding(content):
    content.decode(likely_encoding(content), "replace")
    assert wide_encoding(content) in (None, "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    with contextlib.suppress(DataError):
        content.decode(head_encoding(content, None, "a", "a"), "replace")


@fuzzed
@given(st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=2))
def test_columns_have_names_of_their_own(names, keep):
    found = unique_names(names)
    assert len(set(found)) == len(names)
    with contextlib.suppress(OptionError):
        named_columns(found, keep, "a")


@fuzzed
@given(st.dictionaries(TEXT, st.integers(1, 9), max_size=6))
def test_labels_keep_names_of_their_own(counts):
    found = label_names(counts)
    assert set(found) == set(counts)
    assert all(bool(name) == bool(label.strip()) for label, name in found.items())


@fuzzed
@given(TEXT | st.from_regex(r"(line|ratio)=\d{1,6}[KMG]?B?,?", fullmatch=True))
def test_limits_and_pairs_of_names_are_read_or_refused(text):
    for read in (raised_limits, lambda text: named_values("labels", text)):
        with contextlib.suppress(OptionError, SettingError):
            assert isinstance(read(text), dict)


@fuzzed
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from(["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16", "F"])
)
def test_pictures_of_any_mode_and_size_are_read(width, height, mode):
    assert photo_of(Image.new(mode, (width, height))).pixels.shape[:2] == (height, width)
