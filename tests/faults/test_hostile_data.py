"""Hostile data: each file is refused in one sentence, or what can be read of it is; nothing is run, written or lost."""

import json
import logging
import os
import resource
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

import tasks
from data import limits
from data.splits import DataError, OptionError
from tasks.engine import terminal
from tasks.engine.config import read_settings
from tasks.engine.items import Item
from tasks.engine.members import RunError
from tasks.engine.predict import outcomes
from tasks.translate.clauses import clauses
from tests.faults import bad_files as bad
from tests.faults.bad_files import packed, saved

ROOT = Path(__file__).parents[2]
DIGIT = ROOT / "tasks/mnist/example.png"
EXIT = (2, 65, 66)
SOAK = os.environ.get("FOURLAYERS_SOAK") == "1"
PICTURES = {  # kind -> name and content, or what makes the file
    "empty": ("a.png", b""),
    "words": ("a.png", b"only words"),
    "truncated PNG": ("a.png", bad.picture("PNG")[:900]),
    "flipped PNG": ("a.png", bad.flipped(bad.picture("PNG"))),
    "flipped head of a PNG": ("a.png", bad.flipped(bad.picture("PNG"), 25)),
    "PNG of absurd size": ("a.png", bad.png(2**31 - 1, 2**31 - 1, rows=4, bits=1)),
    "PNG without pixels": ("a.png", bad.png(0, 0)),
    "PNG of an unknown depth": ("a.png", bad.png(bits=7)),
    "1-bit bomb": ("a.png", bad.png(30_000, 30_000, bits=1, rows=4)),
    "16-bit bomb": ("a.png", bad.png(6_000, 5_000, bits=16, rows=4)),
    "palette bomb": ("a.png", bad.png(30_000, 3_000, bits=1, kind=3, rows=4, between=bad.chunk(b"PLTE", bytes(6)))),
    "text bomb": (
        "a.png",
        bad.png(between=bad.chunk(b"zTXt", b"a\0\0" + bad.zlib.compress(bytes(8_000_000), 9))),
    ),
    "international text bomb": (
        "a.png",
        bad.png(between=bad.chunk(b"iTXt", b"a\0\1\0\0\0" + bad.zlib.compress(bytes(8_000_000), 9))),
    ),
    "profile bomb": ("a.png", bad.png(between=bad.chunk(b"iCCP", b"a\0\0" + bad.zlib.compress(bytes(8_000_000), 9)))),
    "chunk of 4 GB": ("a.png", bad.png(between=bad.chunk(b"tEXt", b"a\0b", 2**32 - 20))),
    "GIF of absurd size": (
        "a.gif",
        b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\0;",
    ),
    "BMP of absurd size": (
        "a.bmp",
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0),
    ),
    "BMP with its pixels far away": (
        "a.bmp",
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 2**32 - 1, 40, 64, 64, 1, 24, 0, 0, 0, 0, 0, 0),
    ),
    "TIFF of absurd size": ("a.tif", bad.tiff_of(bad.tiff_tags(2**31, 2**31))),
    "TIFF with a tag of 4 GB": ("a.tif", bad.tiff_of(bad.tiff_tags(20, 20, (270, 2, 2**32 - 1, 8)))),
    "TIFF with strips nowhere": ("a.tif", bad.tiff_of(bad.tiff_tags(20, 20, (273, 4, 1, 2**31)))),
    "TIFF with 9999 samples": ("a.tif", bad.tiff_of(bad.tiff_tags(20, 20, (277, 3, 1, 9999)))),
    "TIFF without tags": ("a.tif", bad.tiff_of([])),
    "TIFF of unknown compression": ("a.tif", bad.tiff_of(bad.tiff_tags(20, 20, (259, 3, 1, 999)))),
    "truncated JPEG": ("a.jpg", bad.picture("JPEG")[:1500]),
    "JPEG of absurd size": ("a.jpg", bad.jpeg_of(65_000, 65_000)),
    "JPEG without tables": (
        "a.jpg",
        b"\xff\xd8\xff\xc0\0\x0b\x08\0\x20\0\x20\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\0\xff\xd9",
    ),
    "JPEG without end": ("a.jpg", b"\xff\xd8" + b"\xff\xe0\xff\xff" * 200),
    "truncated WebP": ("a.webp", bad.picture("WEBP")[:200]),
    "WebP of absurd size": ("a.webp", bad.flipped(bad.picture("WEBP", lossless=True), 22)),
    "truncated AVIF": ("a.avif", bad.picture("AVIF")[:300]),
    "truncated JPEG 2000": ("a.jp2", bad.picture("JPEG2000")[:120]),
    "icon with a bomb": ("a.ico", bad.icon_of(bad.png(12_000, 12_000, bits=1, rows=4))),
    "icon with an icon": ("a.ico", bad.icon_of(bad.icon_of(bad.png()))),
    "icon with entries nowhere": ("a.ico", bad.icon_of(b"")[:20]),
    "PPM of absurd size": ("a.ppm", b"P6 99999999 99999999 255\n" + bytes(100)),
    "PPM without end": ("a.ppm", b"P3 " + b"9" * 5000),
    "PostScript": (
        "a.png",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(out.txt) (w) file closefile showpage\n",
    ),
    "PDF": ("a.jpg", b"%PDF-1.4\n1 0 obj <</OpenAction <</S /Launch>>>> endobj"),
    "SVG": ("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
    "Windows metafile": ("a.png", b"\xd7\xcd\xc6\x9a" + bytes(60)),
    "gzip": ("a.png", packed(bad.picture("PNG"))),
    "pipe": ("a.png", bad.pipe),
    "socket": ("a.png", bad.socket_file),
    "link to a device": ("a.png", lambda path: bad.link(path, "/dev/zero")),
    "link to nothing": ("a.png", lambda path: bad.link(path, "nowhere.png")),
    "link to itself": ("a.png", lambda path: bad.link(path, "a.png")),
    "folder": ("a.png", lambda path: (path.mkdir(), path)[1]),
    "escape sequence in its name": ("\x1b]0;x\x07\x9b2J.png", b"?"),
    "right to left in its name": ("a\u202egnp.png", b"?"),
}
ODD_PICTURES = {  # kinds that may be read: what they say beside their pixels is damaged
    "PNG with few rows": ("a.png", bad.png(60, 60, rows=4)),
    "EXIF of nothing": ("a.jpg", bad.jpeg_with_exif(b"")),
    "EXIF of noise": ("a.jpg", bad.jpeg_with_exif(bytes(range(200)))),
    "EXIF cut": ("a.jpg", bad.jpeg_with_exif(bad.exif_of(274, 3, 1, 6)[:12])),
    "EXIF tag of 4 GB": ("a.jpg", bad.jpeg_with_exif(bad.exif_of(270, 2, 2**32 - 1, 26))),
    "EXIF of itself": ("a.jpg", bad.jpeg_with_exif(bad.exif_of(34665, 4, 1, 8))),
    "EXIF orientation as a fraction": ("a.jpg", bad.jpeg_with_exif(bad.exif_of(274, 5, 1, 26))),
    "EXIF orientation of many": ("a.jpg", bad.jpeg_with_exif(bad.exif_of(274, 3, 2, 65542))),
    "EXIF of an unknown kind": ("a.jpg", bad.jpeg_with_exif(bad.exif_of(274, 99, 1, 1))),
    "EXIF camera nowhere": ("a.jpg", bad.jpeg_with_exif(bad.exif_of(34665, 4, 1, 2**31))),
    "TIFF in a circle": ("a.tif", bad.tiff_of(bad.tiff_tags(20, 20), following=8)),
    "TIFF resolution by zero": ("a.tif", bad.tiff_of(bad.tiff_tags(20, 20, (282, 5, 1, 300)))),
    "JPEG with a damaged profile": ("a.jpg", bad.picture("JPEG", icc_profile=b"\xff" * 70_000)),
    "GIF of many frames": (
        "a.gif",
        bad.picture("GIF", save_all=True, append_images=[Image.new("RGB", (64, 48), n) for n in range(256)]),
    ),
    "link to a picture": ("a.png", lambda path: bad.link(path, str(DIGIT))),
}
MANY = b"text,label\n" + b"a good film,pos\na bad film,neg\n" * 200
LINED = b"".join(b'{"text": "a good film %d", "label": "%s"}\n' % (n, (b"pos", b"neg")[n % 2]) for n in range(400))
LIMITED = {limits.VARIABLE: "line=100KB,field=50KB,columns=1000,cells=500K"}
TABLES = {
    "empty": ("a.csv", b""),
    "quote that swallows the file": ("a.csv", b'text,label\n"a good film,pos\n' + MANY),
    "long field": ("a.csv", MANY + b'"' + b"a," * 30_000 + b'",pos\n'),
    "long line": ("a.txt", b"a good film\n" + b"a" * 300_000 + b"\n"),
    "long line of JSON": ("a.jsonl", LINED + b'{"text": "' + b"a" * 300_000 + b'"}\n'),
    "many columns": ("a.csv", b"text,label" + b",a" * 5000 + b"\nb,c\n"),
    "zero bytes": ("a.csv", MANY.replace(b"film", b"\0\0\0\0")),
    "zero bytes alone": ("a.txt", bytes(100_000)),
    "sparse file": ("a.csv", lambda path: (path.touch(), os.truncate(path, 1 << 40), path)[2]),
    "deep JSON": ("a.json", b"[" * 100_000),
    "deep objects": ("a.json", b'{"a":' * 100_000),
    "JSON that goes on": ("a.json", b'[{"text": "a", "label": "b"}'),
    "huge number": ("a.json", b'[{"text": ' + b"9" * 5000 + b', "label": "a"}]'),
    "columns that are none": ("a.json", b'{"columns": 5, "data": 3}'),
    "rows that are none": ("a.json", b'{"columns": ["text"], "data": [5]}'),
    "bare JSON": ("a.json", b"17"),
    "truncated gzip": ("a.csv.gz", packed(bad.ROWS)[:100]),
    "flipped gzip": ("a.csv.gz", bad.flipped(packed(MANY))),
    "flipped sum of gzip": ("a.csv.gz", bad.flipped(packed(MANY), -6)),
    "gzip of noise": ("a.csv.gz", b"\x1f\x8b\x08\0" + bytes(range(256))),
    "not gzip": ("a.csv.gz", MANY),
    "flipped bzip2": ("a.csv.bz2", bad.flipped(packed(MANY, "bz2"))),
    "truncated xz": ("a.csv.xz", packed(MANY, "xz")[:90]),
    "flipped xz": ("a.csv.xz", bad.flipped(packed(MANY, "xz"))),
    "gzip bomb": ("a.csv.gz", bad.late(bad.packed_bomb, "gz", b"a,b\n")),
    "bzip2 bomb": ("a.csv.bz2", bad.late(bad.packed_bomb, "bz2", b"a,b\n")),
    "xz bomb": ("a.txt.xz", bad.late(bad.packed_bomb, "xz", b"\n")),
    "gzip bomb of JSON": ("a.json.gz", bad.late(bad.packed_bomb, "gz", b"[" + b" " * 15)),
    "encrypted zip": ("a.zip", bad.patched_zip(bad.zip_of({"a.csv": MANY}), 6, 8, 1)),
    "zip of unknown compression": ("a.zip", bad.patched_zip(bad.zip_of({"a.csv": MANY}), 8, 10, 99)),
    "flipped zip": ("a.zip", bad.flipped(bad.zip_of({"a.csv": MANY}), 60)),
    "flipped zip of LZMA": ("a.zip", bad.flipped(bad.zip_of({"a.csv": MANY}, bad.zipfile.ZIP_LZMA), 60)),
    "flipped zip of bzip2": ("a.zip", bad.flipped(bad.zip_of({"a.csv": MANY}, bad.zipfile.ZIP_BZIP2), 60)),
    "truncated zip": ("a.zip", bad.zip_of({"a.csv": MANY})[:-30]),
    "zip bomb": ("a.zip", bad.late(bad.zip_bomb, "a.csv")),
    "zip that leads out": ("a.zip", bad.zip_of({"../a.csv": MANY})),
    "zip of an absolute name": ("a.zip", bad.zip_of({"/tmp/a.csv": MANY})),
    "zip of backslashes": ("a.zip", bad.zip_of({"..\\..\\a.csv": MANY})),
    "zip of overlapping members": ("a.zip", bad.overlapping_zip()),
    "zip of two equal names": ("a.zip", bad.doubled_zip()),
    "zip of a link": ("a.zip", bad.linked_zip("/etc/passwd")),
    "zip in a zip": ("a.zip", bad.zip_of({"b.zip": bad.zip_of({"a.csv": MANY})})),
    "truncated Parquet": ("a.parquet", bad.parquet()[:300]),
    "Parquet without end": ("a.parquet", bad.parquet()[:-20]),
    "flipped Parquet": ("a.parquet", bad.flipped(bad.parquet(), 60)),
    "Parquet of more cells than are read": ("a.parquet", bad.late(bad.repeated_parquet, 300_000)),
    "not Parquet": ("a.parquet", b"PAR1" + bytes(90) + b"PAR1"),
    "not Excel": ("a.xlsx", b"PK\x03\x04"),
    "Excel without sheets": ("a.xlsx", bad.zip_of({"a.xml": b"<a/>"})),
    "Excel with damaged XML": ("a.xlsx", bad.workbook(sheet="<worksheet><sheetData><row><c")),
    "Excel of entities": ("a.xlsx", bad.workbook(sheet=bad.LAUGHS + bad.SHEET.format("<row><c><v>&a9;</v></c></row>"))),
    "Excel strings of entities": ("a.xlsx", bad.workbook(strings=bad.LAUGHS + "<sst><si><t>&a9;</t></si></sst>")),
    "Excel bomb": ("a.xlsx", bad.late(bad.workbook, sheet=bad.SHEET.format(" " * 20_000_000))),
    "Excel column nowhere": (
        "a.xlsx",
        bad.workbook(sheet=bad.SHEET.format('<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>')),
    ),
    "Excel row that is none": (
        "a.xlsx",
        bad.workbook(sheet=bad.SHEET.format('<row r="x"><c r="A1"><v>1</v></c></row>')),
    ),
    "Excel string nowhere": (
        "a.xlsx",
        bad.workbook(sheet=bad.SHEET.format('<row r="1"><c r="A1" t="s"><v>999</v></c></row>')),
    ),
    "pipe": ("a.csv", bad.pipe),
    "socket": ("a.csv", bad.socket_file),
    "link to a device": ("a.csv", lambda path: bad.link(path, "/dev/zero")),
    "link to nothing": ("a.csv", lambda path: bad.link(path, "nowhere.csv")),
}
ODD_TABLES = {  # kinds of which rows are read
    "surrogates in JSON": ("a.jsonl", LINED + b'{"text": "a \\ud800 film", "label": "pos"}\n'),
    "surrogates in a name": ("a.jsonl", LINED.replace(b"}", b', "\\udc9b": "\\ud83d"}')),
    "numbers without end": ("a.jsonl", LINED + b'{"text": Infinity, "label": NaN}\n{"text": 1e999, "label": "pos"}\n'),
    "deep value": ("a.jsonl", LINED + b'{"text": ' + b"[" * 300 + b"]" * 300 + b', "label": "pos"}\n'),
    "deep object": (
        "a.jsonl",
        LINED + b'{"text": "a", "label": "pos", "c": ' + b'{"a":' * 300 + b"1" + b"}" * 301 + b"\n",
    ),
    "huge number in a line": ("a.jsonl", LINED + b'{"text": ' + b"9" * 5000 + b', "label": "a"}\n'),
    "row far below in Excel": (
        "a.xlsx",
        bad.workbook(
            sheet=bad.SHEET.format(
                '<row r="1"><c r="A1" t="str"><v>text</v></c><c r="B1" t="str"><v>label</v></c></row>'
                + "".join(
                    f'<row r="{n}"><c r="A{n}" t="str"><v>a film {n}</v></c><c r="B{n}"><v>{n % 2}</v></c></row>'
                    for n in range(2, 60)
                )
                + '<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>'
            )
        ),
    ),
    "escape sequences": ("a.csv", MANY + b"\x1b]0;x\x07\x1b[2J a film \xc2\x9b2J,pos\n"),
}
SENTENCES = b"A dog runs.\nA cat sleeps.\n" * 60
PAIRS = {
    "entities": ("a.tmx", bad.memory("&a9;", bad.LAUGHS)),
    "entity of a file": ("a.tmx", bad.memory("&x;", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>')),
    "entity of a parameter": (
        "a.tmx",
        bad.memory("&x;", '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://x.invalid/a"> %x;]>'),
    ),
    "unknown entity": ("a.tmx", bad.memory("&nothing;")),
    "deep XML": ("a.tmx", b"<tmx>" + b"<a>" * 400_000),
    "damaged XML": ("a.tmx", bad.memory("a dog")[:700]),
    "XML of zeros": ("a.tmx", bytes(5000)),
    "flipped gzip of XML": ("a.tmx.gz", bad.flipped(packed(bad.memory("a dog")))),
    "bomb of XML": ("a.tmx.gz", bad.late(bad.packed_bomb, "gz", b"<a></a> ")),
    "zip bomb of text": ("a.zip", bad.late(bad.zip_bomb, "train.en")),
    "zip that leads out": ("a.zip", bad.zip_of({"../train.en": SENTENCES, "../train.de": SENTENCES})),
    "pipe": ("a.tmx", bad.pipe),
}
ARRAYS = {
    "objects": ("a.npy", bad.object_array()),
    "huge array": ("a.npy", bad.npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 28, 28)}")),
    "negative shape": ("a.npy", bad.npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-5, 28, 28)}", bytes(99))),
    "head that is not a head": ("a.npy", bad.npy("__import__('os').system('touch run')")),
    "objects in a zip": ("a.npz", bad.zip_of({"x_train.npy": bad.object_array(), "y_train.npy": bad.object_array()})),
    "bomb of arrays": ("a.npz", bad.late(bad.zip_bomb, "x_train.npy")),
    "flipped arrays": ("a.npz", bad.flipped(bad.zip_of({"x_train.npy": bytes(3000)}), 50)),
    "huge IDX": ("train-images-idx3-ubyte", b"\0\0\x08\x03" + b"\xff" * 12 + bytes(100)),
    "IDX of no kind": ("train-images-idx3-ubyte", b"\0\0\x77\x03" + bytes(100)),
    "IDX of 255 axes": ("train-images-idx3-ubyte", b"\0\0\x08\xff" + b"\xff" * 1020),
    "flipped IDX": ("train-images-idx3-ubyte.gz", bad.flipped(packed(b"\0\0\x08\x03" + bytes(9000)), 20)),
    "bomb of IDX": ("train-images-idx3-ubyte.gz", bad.late(bad.packed_bomb, "gz", b"\0\0\x08\x03" + b"\xff" * 12)),
    "zip of pictures that leads out": ("a.zip", bad.zip_of({"../../1/a.png": bad.png()})),
    "zip of a bomb": (
        "a.zip",
        bad.zip_of({f"{n % 2}/{n}.png": bad.png(30_000, 30_000, bits=1, rows=4) for n in range(4)}),
    ),
    "pipe": ("a.npz", bad.pipe),
}


def made(folder: Path, row) -> Path:
    """Write the file of a row of a table."""
    name, content = row
    path = folder / name
    return content(path) if callable(content) else saved(path, content)


def picture_tasks(kinds):
    """Return pairs of a kind and a task: mnist for each, and the slower tasks for a quarter, or with SOAK for all."""
    slow = [*kinds] if SOAK else [*kinds][::4]
    return [*((kind, "mnist") for kind in kinds), *((kind, task) for task in ("upscale", "caption") for kind in slow)]


@pytest.fixture(scope="module")
def pipelines():
    return {name: tasks.load(name) for name in ("mnist", "upscale", "caption", "sentiment", "translate")}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return an empty folder, as the current one, which must not change beside the hostile file."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def answered(pipeline, values):
    return list(outcomes(pipeline, [Item(str(value)) for value in values], None, False))


def check_refusal(error: Exception, name: str) -> None:
    """Check the exit code and the form of a refusal: one sentence that names the file."""
    assert terminal.exit_code(error) in EXIT, repr(error)
    said = terminal.sentence(error)
    assert said.rstrip(".").rpartition("/")[2] or said
    assert "Traceback" not in said
    assert name in said or repr(name)[1:-1] in said, said
    assert "\n" not in terminal.visible(said)
    assert "\x1b" not in terminal.visible(said)


@pytest.mark.parametrize(("kind", "task"), picture_tasks(PICTURES))
def test_a_hostile_picture_is_an_error_in_its_place(kind, task, home, pipelines):
    path = made(home, PICTURES[kind])
    small = saved(home / "good.png", bad.png(12, 10))
    one, two, three = answered(pipelines[task], [small, path, DIGIT])
    assert one.answer
    assert three.answer or task == "upscale"  # its answer lies beside the input
    check_refusal(two.error, path.name)
    for plain in (True, False):
        assert terminal.visible(two.line(plain)) == two.line(plain)
    assert {entry.name for entry in home.iterdir()} <= {path.name, "good.png", "good-x2.png"}


@pytest.mark.parametrize(("kind", "task"), picture_tasks(ODD_PICTURES))
def test_a_picture_with_damaged_data_beside_its_pixels_is_read_or_refused(kind, task, home, pipelines):
    path = made(home, ODD_PICTURES[kind])
    (found,) = answered(pipelines[task], [path])
    if found.error:
        check_refusal(found.error, path.name)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Return a folder of 120 small digits of two classes."""
    folder = tmp_path_factory.mktemp("album")
    with Image.open(DIGIT) as digit:
        small = digit.convert("L").resize((28, 28))
    for number in range(120):
        (folder / str(number % 2)).mkdir(exist_ok=True)
        small.save(folder / f"{number % 2}/{number}.png")
    return folder


@pytest.mark.parametrize("kind", [*PICTURES, *ODD_PICTURES])
def test_a_hostile_picture_among_many_stops_no_training(kind, album):
    path = made(album / "0", PICTURES.get(kind) or ODD_PICTURES[kind])
    try:
        splits = tasks.get("mnist").load(tasks.configure("mnist", data=str(album)))
    finally:
        path.rmdir() if path.is_dir() else path.unlink()
    assert sum(map(len, splits)) in (120, 121)


def loaded(task: str, data: Path, **settings):
    """Return all examples of the user's own data, in reach of training."""
    config = tasks.configure(task, data=str(data), **settings)
    splits = tasks.get(task).load(config)
    return [*splits.train, *splits.valid, *splits.test]


def check_data(task: str, path: Path, **settings) -> None:
    """Check that data is refused in one sentence."""
    with pytest.raises((DataError, OptionError, OSError)) as caught:
        loaded(task, path, **settings)
    check_refusal(caught.value, path.name)


@pytest.mark.parametrize("kind", TABLES)
def test_a_hostile_table_is_refused_as_data(kind, home, monkeypatch):
    monkeypatch.setenv(*next(iter(LIMITED.items())))
    path = made(home, TABLES[kind])
    if kind in ("long field", "zero bytes", "long line"):  # its other rows are good, or it is a list of lines
        settings = {}
        try:
            loaded("sentiment", path, **settings)
        except (DataError, OptionError, OSError) as error:
            check_refusal(error, path.name)
    else:
        check_data("sentiment", path)
    assert [entry.name for entry in home.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ODD_TABLES)
def test_the_good_rows_of_an_odd_table_are_read(kind, home):
    path = made(home, ODD_TABLES[kind])
    rows = loaded("sentiment", path)
    assert len(rows) > 30
    json.dumps([[row["text"], row["label"]] for row in rows], ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize("kind", PAIRS)
def test_hostile_pairs_are_refused(kind, home):
    path = made(home, PAIRS[kind])
    check_data("translate", path, source="en", target="de")
    assert [entry.name for entry in home.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ARRAYS)
def test_hostile_arrays_are_refused(kind, home):
    path = made(home, ARRAYS[kind])
    if path.name.startswith("train-images"):
        saved(home / path.name.replace("images-idx3", "labels-idx1"), b"\0\0\x08\x01\0\0\0\x05" + bytes(5))
    check_data("mnist", path)
    assert not (home / "run").exists()


@pytest.mark.parametrize("task", ["mnist", "upscale", "caption"])
@pytest.mark.parametrize(
    "kind", [kind for kind in TABLES if "zip" in kind and "gzip" not in kind and "bzip" not in kind]
)
def test_a_hostile_zip_is_refused_by_every_task_with_pictures(kind, task, home):
    check_data(task, made(home, TABLES[kind]))


@pytest.mark.parametrize("task", ["mnist", "upscale", "caption", "sentiment", "translate"])
@pytest.mark.parametrize("place", ["/dev/zero", "/dev/stdin", "pipe", "socket"])
def test_devices_and_pipes_are_refused_as_data_and_as_test_data(task, place, home):
    path = {"pipe": bad.pipe, "socket": bad.socket_file}.get(place, lambda _: Path(place))(home / "a.csv")
    if place == "/dev/stdin" and not path.resolve().is_char_device():
        path = Path("/dev/null")
    check_data(task, path)
    with pytest.raises((DataError, OSError), match=r"is a (device|pipe|socket)"):
        loaded(task, Path("builtin"), test=str(path))


def ended(home: Path, *words, env=None, stdin=None, before=None):
    """Run the command line in a fresh process, with the most memory that it had in MB, and its seconds of a core."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, cwd=home,
        env=os.environ | (env or {}), preexec_fn=before,  # noqa: PLW1509
    )  # fmt: skip
    with suppress(BrokenPipeError):
        process.stdin.write(stdin or b"")
    with suppress(BrokenPipeError):
        process.stdin.close()
    out, error = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close(), process.stderr.close()
    return process.returncode, out.decode(), error.decode(), used.ru_maxrss / 1024, used.ru_utime + used.ru_stime


BOMBS = {  # the first is always tried
    "gzip": (
        "sentiment",
        ("--file",),
        "a.txt.gz",
        lambda: bad.packed_bomb("gz", b"a" * 16, 400_000_000),
        packed(b"a good film\n"),
    ),
    "1-bit picture": ("mnist", (), "a.png", lambda: bad.png(7_000, 7_000, bits=1), bad.png(28, 28)),
    "1-bit picture to tell of": ("caption", (), "a.png", lambda: bad.png(7_000, 7_000, bits=1), bad.png(28, 28)),
    "zip": (
        "sentiment",
        ("--file",),
        "a.zip",
        lambda: bad.zip_bomb("a.csv", 250_000_000),
        bad.zip_of({"a.csv": bad.ROWS}),
    ),
}


@pytest.mark.parametrize("kind", [*BOMBS] if SOAK else [*BOMBS][:1])
def test_a_bomb_takes_little_more_time_and_memory_than_a_good_file(kind, home):
    task, option, name, content, good = BOMBS[kind]
    path = home / name
    _, _, _, memory, seconds = ended(home, "predict", task, *option, saved(path, good))
    code, _, error, most, longest = ended(home, "predict", task, *option, saved(path, content()))
    assert "Traceback" not in error
    assert code in (0, 65)
    assert most < memory + 200
    assert longest < seconds + 1


def test_an_endless_line_on_standard_input_is_refused(home):
    env = {limits.VARIABLE: "line=1MB"}
    code, _, error, *_ = ended(home, "predict", "sentiment", "-", env=env, stdin=b"a good film\n" + b"a" * 3_000_000)
    assert code == 65
    assert "'standard input' has a line above the limit of 1,000,000" in error
    assert "FOURLAYERS_LIMITS=line=2000000" in error


def test_a_limit_is_raised_by_the_user(monkeypatch, home):
    path = saved(home / "a.csv", MANY + b'"' + b"a " * 40_000 + b'",pos\n')
    monkeypatch.setenv(limits.VARIABLE, "field=50KB")
    few = len(loaded("sentiment", path))
    monkeypatch.setenv(limits.VARIABLE, "field=1M")
    assert len(loaded("sentiment", path)) >= few
    monkeypatch.setenv(limits.VARIABLE, "fields=1M")
    with pytest.raises(OptionError, match="'fields=1M'; write for example line=128MB"):
        loaded("sentiment", path)


def test_no_escape_sequence_reaches_the_terminal(home):
    saved(home / "a.jsonl", b'{"text": "\\u001b[2J\\u009b1m good \\u202e film"}\n' * 2 + b'{"text": ""}\n')
    for option in ((), ("--plain",)):
        code, out, error, *_ = ended(home, "predict", "sentiment", "--file", "a.jsonl", *option)
        assert code == 65
        assert not {*"\x1b\x9b\u202e"} & {*(out + error)}
    code, out, error, *_ = ended(home, "predict", "mnist", "\x1b]0;x\x07.png")
    assert code == 66
    assert not {*"\x1b\x07"} & {*(out + error)}


def test_notices_show_control_characters(caplog):
    record = logging.LogRecord("tasks", logging.WARNING, "", 1, "%s: left out\n", ("\x1b[2J\x9b\u202e",), None)
    assert terminal.Visible().format(record) == r"\x1b[2J\x9b\u202e: left out\n"


def full(size: int):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_is_named(home):
    rows = saved(home / "a.txt", b"a good film\n" * 500)
    code, _, error, *_ = ended(home, "predict", "sentiment", "--file", rows, "--out", "b.jsonl", before=full(4096))
    assert (code, "b.jsonl" in error, "name another place" in error) == (73, True, True), error
    with open("/dev/full", "wb") as nowhere:
        found = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), "predict", "sentiment", "A good film."],
            stdout=nowhere, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert found.returncode == 73
    assert b"standard output cannot be written: no space is left" in found.stderr
    assert b"Exception ignored" not in found.stderr


def test_a_picture_that_the_disk_does_not_hold_is_named(home):
    saved(home / "a.png", bad.picture("PNG"))
    code, _, error, *_ = ended(home, "predict", "upscale", "a.png", "--out", "b.png", before=full(4096))
    assert code == 73
    assert "b.png" in error
    assert not (home / "b.png").exists()
    code, _, error, *_ = ended(
        home, "predict", "translate", "A dog runs.", "--alignment-file", "b.png", before=full(4096)
    )
    assert (code, "b.png" in error) == (73, True), error


@pytest.fixture
def small_disk(tmp_path):
    """Return a mounted file system of 64 kB, or skip the test where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_file_system_and_a_read_only_one_are_named(home, small_disk):
    rows = saved(home / "a.txt", b"a good film\n" * 2000)
    place = small_disk / "b.jsonl"
    code, _, error, *_ = ended(home, "predict", "sentiment", "--file", rows, "--out", place)
    assert (code, str(place) in error, "free some space" in error) == (73, True, True), error
    assert "answer" in json.loads(place.read_text().splitlines()[0])  # what was written is whole up to there
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    code, _, error, *_ = ended(home, "predict", "sentiment", "--file", rows, "--out", small_disk / "c.jsonl")
    assert (code, "c.jsonl" in error) == (73, True), error


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
@pytest.mark.parametrize("name", ["a.json", "a.toml"])
def test_settings_are_read_from_plain_files_alone(kind, name, home):
    path = {"pipe": bad.pipe, "socket": bad.socket_file}.get(kind, lambda path: bad.link(path, "/dev/zero"))(
        home / name
    )
    with pytest.raises((RunError, OSError)) as caught:
        read_settings(path)
    check_refusal(caught.value, path.name)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_weights_of_an_encoder_are_read_from_plain_files_alone(kind, home):
    from tasks.caption.encoder import load_weights

    path = {"pipe": bad.pipe, "socket": bad.socket_file}.get(kind, lambda path: bad.link(path, "/dev/zero"))(home / "a")
    with pytest.raises(DataError, match=r"is a (device|pipe|socket)"):
        load_weights(None, str(path))


def seconds_of(read, text: str) -> float:
    """Return the seconds of a core in which a text is read, the best of three."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        with suppress(DataError):
            read(text)
        spent.append(time.process_time() - start)
    return min(spent)


@pytest.mark.parametrize("kind", ["word", "marks"])
def test_reading_a_long_word_takes_time_in_proportion_to_its_length(kind, pipelines):
    sign = {"word": "a", "marks": "\u0301"}[kind]
    short, long = (seconds_of(pipelines["sentiment"].codec.read, "a" + sign * size) for size in (250_000, 500_000))
    assert long < 3 * short + 0.05


def test_cutting_a_long_text_takes_time_in_proportion_to_its_length():
    def cut(text):
        clauses(text, 20, "en", lambda word: [0] * (len(word) // 2 + 1))

    short, long = (seconds_of(cut, "a" * size + " b," * size) for size in (5_000, 20_000))
    assert long < 8 * short + 0.05
