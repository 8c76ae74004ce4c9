"""Encodings of text files: told by a mark, named by the user, or guessed so that a refusal can name the likely one."""

import codecs
import logging
import re

from data.splits import DataError

LOG = logging.getLogger("tasks")
CONTROLS = "fourlayers-controls"  # name of the error handler below
MARKS = {  # byte-order mark -> encoding; the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SIGNATURES = {  # first bytes -> what such a file is, and the way out
    b"PK\x03\x04": "a zip or an Office document; name it .zip or .xlsx if it is one, or save its text",
    b"\xd0\xcf\x11\xe0": "an old Office document; save it as .xlsx or .csv",
    b"%PDF-": "a PDF; save its text",
    b"\x1f\x8b": "gzip data; name it with .gz at the end",
    b"BZh": "bzip2 data; name it with .bz2 at the end",
    b"\xfd7zXZ\0": "xz data; name it with .xz at the end",
    b"PAR1": "a Parquet table; name it with .parquet at the end",
    b"SQLite format 3\0": "a data base; export a table of it as .csv",
}
TAR = b"ustar"  # at byte 257 of an archive
ASIAN = ("cp949", "gb18030", "big5")
CANDIDATES = ("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp1250", "cp1252", "cp1254", *ASIAN)
WESTERN = ("ascii", "cp1250", "cp1252")
CENTRAL = re.compile(rb"[a-z][\x9d\x9f\xb3\xb9\xbf][a-z]|[\xec\xf8].*[\x9a\x9e]|[\x9a\x9e].*[\xec\xf8]", re.DOTALL)
KANA = re.compile("[\u3041-\u30fe]")


def controls(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that cp1252 leaves open as control characters, as browsers do."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(map(chr, error.object[error.start : error.end])), error.end


codecs.register_error(CONTROLS, controls)


def head_encoding(head: bytes, given: str | None, path: str, name: str) -> str:
    """Return the encoding of a file: that of its mark, or the one given, or else UTF-8.

    Text that is UTF-8 by its form is read so, whatever is given, with a notice.

    Args:
        head: The first bytes of the file.
        given: Python's name of the encoding that the user gave.
        path: Path of the file, for errors.
        name: Name of the file, for notices.

    Raises:
        DataError: The file is not text, or is UTF-16 without a mark and none is given.
    """
    marked = next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), None)
    if marked is None:
        check_signature(head, path)
    found = marked or ("utf-8" if given is None or is_utf8(head) else given)
    if given is None:
        check_zeros(head, found, path)
    elif family(found) != family(given):
        why = "its byte-order mark tells" if marked else "its bytes are"
        LOG.warning("%s is read as %s, as %s, and not as %s.", name, family(found).upper(), why, given)
    elif found == "cp1252" and (likely := other_script(head)):
        LOG.warning("%s is read as %s, and looks like %s; see that its letters are right.", name, given, likely)
    return wide_encoding(head) or found if found in ("utf-16", "utf-32") and not marked else found


def other_script(head: bytes) -> str | None:
    """Return the likely encoding of text with more signs beyond ASCII than Western languages have, or `None`."""
    lines = b"\n".join(line for line in head.split(b"\n") if not line.isascii())[: 1 << 14]
    beyond = len(lines) - len(lines.translate(None, bytes(range(128, 256))))
    likely = likely_encoding(lines) if beyond > len(lines) / 4 else "cp1252"
    return None if likely in ("latin-1", "cp1252") else likely


def family(encoding: str) -> str:
    """Return the name of an encoding without the order of its bytes."""
    return re.sub(r"(utf-\d+).*", r"\1", encoding)


def is_utf8(head: bytes) -> bool:
    """Return whether bytes can only be UTF-8: they have signs of several bytes, all well formed, and no zeros."""
    if head.isascii() or b"\0" in head:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def check_signature(head: bytes, path: str) -> None:
    """Raise `DataError` if the first bytes of a file are those of another kind than text."""
    what = next((what for mark, what in SIGNATURES.items() if head.startswith(mark)), None)
    if head[257:262] == TAR:
        what = "a tar archive; unpack it, and give the folder"
    if what:
        raise DataError(f"{path!r} is not text but {what}.")


def check_zeros(head: bytes, found: str, path: str) -> None:
    """Raise `DataError` if a file that is to be UTF-8 has so many zero bytes that it is not."""
    if found.startswith("utf-8") and head.count(b"\0") > len(head) / 50:
        raise DataError(
            f"{path!r} is not in UTF-8: it has zero bytes. If it is text, give --encoding {wide_encoding(head)}."
        )


def wide_encoding(head: bytes) -> str | None:
    """Return the encoding that the places of zero bytes tell, `None` if there are no zero bytes.

    Example:
        >>> wide_encoding("Film".encode("utf-16-be"))
        'utf-16-be'
    """
    zeros = [head[place::4].count(b"\0") for place in range(4)]
    if not any(zeros):
        return None
    for order, pair in (("le", zeros[2:]), ("be", zeros[:2])):
        if min(pair) > len(head) / 4 * 0.9:
            return f"utf-32-{order}"
    return f"utf-16-{'le' if zeros[1] + zeros[3] > zeros[0] + zeros[2] else 'be'}"


def likely_encoding(raw: bytes) -> str:
    """Return the name of the encoding that some bytes are likely in, `latin-1` if nothing speaks for another.

    Example:
        >>> likely_encoding("Größe, naïve café, señor".encode("latin-1"))
        'latin-1'
    """
    from charset_normalizer import from_bytes

    for name in ("shift_jis", "euc_jp"):
        text = raw.decode(name, "replace")
        if len(KANA.findall(text)) > len(text.encode("ascii", "ignore")) / 20 + text.count("\ufffd") * 20:
            return name.replace("_", "-")
    best = from_bytes(raw, cp_isolation=list(CANDIDATES)).best()
    if best and best.encoding not in WESTERN:
        return best.encoding.replace("_", "-")
    if CENTRAL.search(raw):
        return "cp1250"
    return "cp1252" if re.search(rb"[\x80-\x9f]", raw) else "latin-1"
