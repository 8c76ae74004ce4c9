"""Hostile files: each function writes one and returns its path."""

import bz2
import gzip
import io
import lzma
import os
import socket
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

ROWS = b"text,label\n" + b"".join(b"a good film %d,pos\na bad film %d,neg\n" % (n, n) for n in range(40))
ZEROS = 40_000_000  # bytes of a bomb


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def late(make, *given, **how):
    """Return what writes a file whose content is made only then."""
    return lambda path: saved(path, make(*given, **how))


def flipped(content: bytes, place: int | None = None) -> bytes:
    place = len(content) // 2 if place is None else place
    return content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :]


def chunk(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    length = len(content) if size is None else size
    return struct.pack(">I", length) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width=20, height=20, bits=8, kind=0, between=b"", rows=None) -> bytes:
    """Return a PNG file of zeros, without holding its pixels."""
    depth = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    press, size = zlib.compressobj(9), 1 + (width * depth * bits + 7) // 8
    rows = height if rows is None else rows
    data = b"".join(press.compress(bytes(size * min(256, rows - top))) for top in range(0, rows, 256)) + press.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + between + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def picture(form: str, size=(64, 48), **how) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (*size[::-1], 3), "uint8")
    Image.fromarray(pixels).save(buffer, form, **how)
    return buffer.getvalue()


def jpeg_with_exif(exif: bytes) -> bytes:
    return picture("JPEG", exif=b"Exif\0\0" + exif)


def exif_of(tag: int, kind: int, count: int, value: int) -> bytes:
    return b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, tag, kind, count, value) + b"\0\0\0\0"


def jpeg_of(width: int, height: int) -> bytes:
    """Return a JPEG whose head tells another size."""
    content = picture("JPEG")
    place = content.index(b"\xff\xc0")
    return content[: place + 5] + struct.pack(">HH", height, width) + content[place + 9 :]


def tiff_of(tags: list[tuple[int, int, int, int]], following=0) -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + bytes(400)


def tiff_tags(width: int, height: int, *more) -> list[tuple[int, int, int, int]]:
    plain = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    found = {tag[0]: tag for tag in [*plain, (273, 4, 1, 200), (277, 3, 1, 1), (278, 4, 1, height), *more]}
    return list(found.values())


def icon_of(inner: bytes) -> bytes:
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inner), 22) + inner


def zip_of(members: dict[str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def patched_zip(content: bytes, local: int, central: int, value: int) -> bytes:
    """Return a zip with another 16-bit number in the head of its first member and in its directory."""
    found = bytearray(content)
    found[local : local + 2] = found[(start := content.index(b"PK\x01\x02") + central) : start + 2] = struct.pack(
        "<H", value
    )
    return bytes(found)


def doubled_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    return buffer.getvalue().replace(b"b.csv", b"a.csv")


def overlapping_zip() -> bytes:
    """Return a zip whose members are all the same bytes."""
    info, body = zipfile.ZipInfo("00.csv"), ROWS * 200
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(info, body, zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entries = b"".join(content[start:end].replace(b"00.csv", b"%02d.csv" % number) for number in range(90))
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 90, 90, len(entries), start, 0)
    return content[:start] + entries + tail


def linked_zip(target: str) -> bytes:
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, target)
    return buffer.getvalue()


def zip_bomb(name: str, size=ZEROS) -> bytes:
    buffer, block = io.BytesIO(), b"a" * (1 << 20)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as file:
        for _ in range(size >> 20):
            file.write(block)
    return buffer.getvalue()


def packed_bomb(kind: str, block: bytes, size=ZEROS) -> bytes:
    """Return a compressed file of many equal parts, each compressed by itself."""
    press = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind]
    return press(block * ((1 << 20) // len(block))) * (size >> 20)


def workbook(sheet: str | None = None, strings: str | None = None) -> bytes:
    """Return an Excel file, with another sheet or other strings as XML."""
    from openpyxl import Workbook

    book = Workbook()
    for row in [("text", "label"), *[(f"a good film {n}", "pos") for n in range(20)]]:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    other = {"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings}
    return zip_of(members | {name: text.encode() for name, text in other.items() if text is not None})


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
LAUGHS = '<!DOCTYPE a [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS += "]>"


def memory(text: str, before="") -> bytes:
    unit = f'<tu><tuv xml:lang="en"><seg>{text}</seg></tuv><tuv xml:lang="de"><seg>Hund</seg></tuv></tu>'
    return f'<?xml version="1.0"?>{before}<tmx version="1.4"><body>{unit * 20}</body></tmx>'.encode()


def parquet(rows=50) -> bytes:
    import pyarrow
    from pyarrow import parquet as form

    buffer = io.BytesIO()
    table = pyarrow.table({"text": [f"a good film {n}" for n in range(rows)], "label": ["pos", "neg"] * (rows // 2)})
    form.write_table(table, buffer)
    return buffer.getvalue()


def repeated_parquet(rows: int) -> bytes:
    import pyarrow
    from pyarrow import parquet as form

    buffer = io.BytesIO()
    values = pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.zeros(rows, "int32")), pyarrow.array(["good film"]))
    form.write_table(pyarrow.table({"text": values, "label": values}), buffer, row_group_size=rows)
    return buffer.getvalue()


def npy(head: str, body=b"") -> bytes:
    text = head.ljust(118) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + body


def object_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], object), allow_pickle=True)
    return buffer.getvalue()


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def socket_file(path: Path) -> Path:
    kept = os.getcwd()
    os.chdir(path.parent)  # a name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(kept)
    return path


def link(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


def packed(content: bytes, kind="gz") -> bytes:
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind](content)
