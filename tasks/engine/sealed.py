"""Sealed zips: members stored as they are, with check sums, in one form down to the last byte. Standard library only.

A sealed zip has the members in the order of their names, and after them `SHA256SUMS`. All programs read it, and
`sha256sum -c` checks it once it is unpacked. Anything that `write_sealed` does not write is refused: compression,
encryption, links, comments, bytes between the members, names that are there twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from struct import Struct
from typing import BinaryIO, NamedTuple
from zlib import crc32

SUMS = "SHA256SUMS"
MOST = 1000  # members
LARGEST_SUMS = 1 << 18  # bytes of the list of check sums
LARGEST = (1 << 32) - 1  # bytes of a zip without the fields of ZIP64
CHUNK = 1 << 20  # bytes that are read at once
DATE = 0x21  # 1 January 1980, at midnight: the first that a zip can say
PLAIN = 0o100644 << 16  # a plain file of Unix
LOCAL, CENTRAL, END = Struct("<4sHHHHHIIIHH"), Struct("<4sHHHHHHIIIHHHHHII"), Struct("<4sHHHHIIH")
SUM = re.compile(r"([0-9a-f]{64})  ([!-~]+)", re.ASCII)


class SealError(ValueError):
    """A zip that is not whole, or not sealed; the text says why, without a full stop."""


class Member(NamedTuple):
    """A member of a sealed zip: where its bytes are, and their check sums, SHA-256 and CRC-32."""

    offset: int
    size: int
    checksum: str
    crc: int


def local_header(name: bytes, size: int, crc: int) -> bytes:
    """Return what stands in a sealed zip before the bytes of a member."""
    return LOCAL.pack(b"PK\3\4", 10, 0, 0, 0, DATE, crc, size, size, len(name), 0) + name


def central_header(name: bytes, size: int, crc: int, offset: int) -> bytes:
    """Return what stands in the directory of a sealed zip for a member."""
    facts = (crc, size, size, len(name), 0, 0, 0, 0, PLAIN, offset)
    return CENTRAL.pack(b"PK\1\2", 3 << 8 | 10, 10, 0, 0, 0, DATE, *facts) + name


def end_record(count: int, size: int, offset: int) -> bytes:
    """Return the end of a sealed zip: the number of members, and where its directory stands."""
    return END.pack(b"PK\5\6", 0, 0, count, count, size, offset, 0)


def write_sealed(file: BinaryIO, names: Iterable[str], content: Callable[[str], bytes]) -> None:
    """Write a sealed zip; the same members give the same bytes.

    Args:
        names: Names of the members, in ASCII and without blanks.
        content: Gives the bytes of a member; it is called once for each.

    Raises:
        SealError: The zip would have 4 GiB or more, or too many members.
    """
    directory, sums, place = [], [], 0

    def write(name: str, data: bytes) -> None:
        nonlocal place
        head = local_header(name.encode("ascii"), len(data), crc32(data))
        if place + len(head) + len(data) > LARGEST - LARGEST_SUMS:
            raise SealError("it would have 4 GiB or more")
        directory.append(central_header(name.encode("ascii"), len(data), crc32(data), place))
        file.write(head)
        file.write(data)
        place += len(head) + len(data)

    for name in sorted(names):
        data = content(name)
        sums.append(f"{sha256(data).hexdigest()}  {name}\n")
        write(name, data)
    write(SUMS, "".join(sums).encode("ascii"))
    if len(directory) > MOST:
        raise SealError(f"it would have more than {MOST} members")
    file.write(b"".join(directory))
    file.write(end_record(len(directory), sum(map(len, directory)), place))


def checked_members(file: BinaryIO, largest: Callable[[str], int | None]) -> dict[str, Member]:
    """Return the members of a sealed zip, after a look at its form and at the check sum of each.

    Args:
        largest: Gives the most bytes that a member may have, and `None` for a name that must not be there.

    Raises:
        SealError: It is not a whole sealed zip.
    """
    places = member_places(file, largest)
    offset, size, crc = places.pop(SUMS)
    content = read_at(file, offset, size)
    if crc32(content) != crc:
        raise SealError(f"the check sum of its member {SUMS!r} is wrong")
    sums = listed_sums(content)
    if sums.keys() != places.keys():
        name = min(sums.keys() ^ places.keys())
        raise SealError(f"it has no member {name!r}" if name in sums else f"{SUMS} does not list {name!r}")
    found = {name: Member(offset, size, sums[name], crc) for name, (offset, size, crc) in places.items()}
    for name, member in found.items():
        check_sum(file, name, member)
    return found


def member_places(file: BinaryIO, largest: Callable[[str], int | None]) -> dict[str, tuple[int, int, int]]:
    """Return offset, size and CRC-32 of each member, after a look at every byte that belongs to none."""
    directory, count, start = read_directory(file)
    places: dict[str, tuple[int, int, int]] = {}
    cursor = offset = 0
    for _ in range(count):
        if cursor + CENTRAL.size > len(directory):
            raise SealError("its directory is cut")
        crc, size, _, length = CENTRAL.unpack_from(directory, cursor)[7:11]
        raw = directory[cursor + CENTRAL.size :][:length]
        name = raw.decode("latin-1")
        most = LARGEST_SUMS if name == SUMS else largest(name)
        if most is None or name in places:
            raise SealError(f"it holds {name[:80]!r}, which a bundle never holds" + " twice" * (name in places))
        if size > most:
            raise SealError(f"its member {name!r} has {size:,} bytes, and at most {most:,} are read")
        same = directory[cursor:].startswith(central_header(raw, size, crc, offset))
        head = local_header(raw, size, crc)
        if not same or offset + len(head) + size > start or read_at(file, offset, len(head)) != head:
            raise SealError(f"its member {name!r} is not stored as a bundle stores it")
        places[name] = (offset + len(head), size, crc)
        cursor += CENTRAL.size + length
        offset += len(head) + size
    if cursor != len(directory) or offset != start or SUMS not in places:
        raise SealError("it holds bytes that belong to no member" if SUMS in places else f"it has no {SUMS}")
    if [*places] != [*sorted(places.keys() - {SUMS}), SUMS]:
        raise SealError(f"its members are not in the order of their names, with {SUMS} after them")
    return places


def read_directory(file: BinaryIO) -> tuple[bytes, int, int]:
    """Return the directory of a sealed zip, the number of members, and where the directory stands."""
    total = file.seek(0, 2)
    end = read_at(file, max(total - END.size, 0), END.size)
    if len(end) != END.size or not end.startswith(b"PK\5\6"):
        raise SealError("it is not a whole zip that `bundle` has written")
    count, size, start = END.unpack(end)[4:7]
    if end != end_record(count, size, start) or start + size + END.size != total:
        raise SealError("it is not a whole zip that `bundle` has written")
    if count > MOST or size > count * (CENTRAL.size + 100):
        raise SealError(f"it has more than {MOST} members, or names that are too long")
    return read_at(file, start, size), count, start


def listed_sums(content: bytes) -> dict[str, str]:
    """Return the check sums that a list names, by member."""
    lines = content.decode("latin-1").split("\n")
    rows = [SUM.fullmatch(line) for line in lines[:-1]]
    sums = {row[2]: row[1] for row in rows if row}
    if lines[-1] or len(sums) != len(rows):
        raise SealError(f"{SUMS} is not a list of check sums")
    return sums


def check_sum(file: BinaryIO, name: str, member: Member) -> None:
    """Raise `SealError` unless the bytes of a member have its check sums."""
    found, crc, left = sha256(), 0, member.size
    file.seek(member.offset)
    while left and (chunk := file.read(min(left, CHUNK))):
        found.update(chunk)
        crc = crc32(chunk, crc)
        left -= len(chunk)
    if left or crc != member.crc or found.hexdigest() != member.checksum:
        raise SealError(f"the check sum of its member {name!r} is wrong")


def member_content(file: BinaryIO, name: str, members: Mapping[str, Member]) -> bytes:
    """Return the bytes of a member; they are those that were checked.

    Raises:
        KeyError: There is no such member.
        SealError: They have changed since.
    """
    member = members[name]
    content = read_at(file, member.offset, member.size)
    if sha256(content).hexdigest() != member.checksum:
        raise SealError(f"its member {name!r} has changed while it was read")
    return content


def read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    """Return bytes of a file."""
    file.seek(offset)
    return file.read(size)
