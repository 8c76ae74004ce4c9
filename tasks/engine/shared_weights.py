"""Large weights of a published run, kept once: in its ONNX files, while `model.keras` says where they are there.

In place of such a weight the file of weights in `model.keras` has a scale, and `places.json` a row for it.
The weight is what the ONNX file holds, turned round as Keras has it, times the scale: the very number that answers.
Keras alone cannot open such a file, and its error says why: the description of the network is wrapped in `ELSEWHERE`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from tasks.engine import strict_json
from tasks.engine.config import JsonObject
from tasks.engine.files import atomic_file
from tasks.engine.members import LARGEST_WEIGHTS, RunError, file_content, file_on_disk, is_plain_file, opened_file

CONFIG, WEIGHTS, PLACES = "config.json", "model.weights.h5", "places.json"
# The name of a class that Keras looks for in vain, and names in its error:
ELSEWHERE = (
    "whose large weights are in onnx/ beside this file; the command `export --format keras` writes a file with them"
)
KINDS = ("int8", "float16", "float32")
FILE = re.compile(r"\w{1,60}\.onnx", re.ASCII)


class Place(NamedTuple):
    """Where an ONNX file holds a weight, and how its axes are turned to those of Keras.

    Attributes:
        file: Name of a file in `onnx/`.
        offset: Bytes before the numbers.
        kind: Their type.
        shape: Their sizes.
        at: The place on the first axis, which the weight does not have, such as a direction; -1 if it has all axes.
        axes: For each axis of the weight, its place among the axes that are left.
        gates: For each gate on the last axis, its place in the file; none if the order is the same.
    """

    file: str
    offset: int
    kind: str
    shape: tuple[int, ...]
    at: int
    axes: tuple[int, ...]
    gates: tuple[int, ...]

    @classmethod
    def of(cls, row: object) -> "Place":
        """Return the place that a row of JSON names.

        Raises:
            ValueError: It names none.
        """
        match row:
            case [str(file), int(offset), str(kind), list(shape), int(at), list(axes), list(gates)]:
                found = cls(file, offset, kind, tuple(shape), at, tuple(axes), tuple(gates))
            case _:
                raise ValueError(f"its member {PLACES!r} has a row that names no place")
        rank = len(found.shape) - (at >= 0)
        whole = all(type(number) is int for number in (*shape, *axes, *gates))
        if (
            not (whole and FILE.fullmatch(file) and kind in KINDS and offset >= 0 and min(shape, default=0) > 0)
            or len(shape) > 6
            or sorted(axes) != list(range(rank))
            or sorted(gates) != list(range(len(gates)))
            or not -1 <= at < shape[0]
        ):
            raise ValueError(f"its member {PLACES!r} has a row that names no place")
        return found

    @property
    def size(self) -> int:
        """Number of weights."""
        return prod(self.shape[self.at >= 0 :])

    def numbers(self, content: bytes) -> np.ndarray:
        """Return what the file holds there, turned as Keras has it, as float32."""
        values = np.frombuffer(content, self.kind, prod(self.shape), self.offset).reshape(self.shape)
        return turned(values, self.at, self.axes, self.gates).astype("float32")


def turned(values: np.ndarray, at: int, axes: tuple[int, ...], gates: tuple[int, ...]) -> np.ndarray:
    """Return an array of ONNX as Keras has it."""
    values = (values[at] if at >= 0 else values).transpose(axes)
    if not gates:
        return values
    parts = np.split(values, len(gates), axis=-1)
    return np.concatenate([parts[place] for place in gates], axis=-1)


def read_places(archive: ZipFile) -> dict[str, Place]:
    """Return the places of the weights that a Keras file leaves to the ONNX files beside it; none in a whole one.

    Raises:
        ValueError: They are not as they are written.
    """
    if PLACES not in archive.namelist():
        return {}
    rows = strict_json.parsed(archive.read(PLACES))
    if not isinstance(rows, dict):
        raise ValueError(f"its member {PLACES!r} holds no places")
    return {name: Place.of(row) for name, row in rows.items()}


def count_shared(path: Path, archive: ZipFile) -> int:
    """Return how many weights a Keras file leaves to the ONNX files beside it.

    Raises:
        RunError: The run does not have one of them.
        ValueError: They are not as they are written, or more than the ONNX files have bytes.
    """
    places = read_places(archive).values()
    found = sum(place.size for place in places)
    if found > sum(len(onnx_content(path, name)) for name in {place.file for place in places}):
        raise ValueError(f"its member {PLACES!r} names more weights than its ONNX files hold")
    return found


def onnx_content(path: Path, name: str) -> bytes:
    """Return an ONNX file of the run that a Keras file belongs to.

    Raises:
        RunError: The run does not have it.
    """
    file = path.parent / "onnx" / name
    if not is_plain_file(file):
        run = str(path.parent)
        raise RunError(f"{run!r} is an incomplete run: it has no onnx/{name}, which holds weights of model.keras.")
    return file_content(file, LARGEST_WEIGHTS)


def weight_files(path: Path) -> list[Path]:
    """Return a Keras file that has been checked, and the ONNX files that hold weights of it."""
    with opened_file(path) as file, ZipFile(file) as archive:
        names = {place.file for place in read_places(archive).values()}
    return [path, *(path.parent / "onnx" / name for name in sorted(names))]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a Keras file with all its weights on the disk, for a `with` statement; what is made for it is removed.

    The file has been checked.

    Raises:
        RunError: The run does not have an ONNX file that holds weights of it.
        ValueError: An ONNX file does not hold what the Keras file says.
    """
    import h5py

    with file_on_disk(path) as found, ZipFile(found) as archive:
        places = read_places(archive)
        if not places:
            yield found
            return
        members = {name: archive.read(name) for name in archive.namelist() if name != PLACES}
    contents = {name: onnx_content(path, name) for name in sorted({place.file for place in places.values()})}
    weights = BytesIO(members[WEIGHTS])
    with h5py.File(weights, "r+") as file:
        for name, place in places.items():
            scale, numbers = file[name][()], place.numbers(contents[place.file])
            if np.broadcast_shapes(scale.shape, numbers.shape) != numbers.shape:
                raise ValueError(f"the scale of its weight {name!r} does not fit")
            del file[name]
            file[name] = numbers * scale
    members[WEIGHTS] = weights.getvalue()
    members[CONFIG] = json.dumps(unwrapped(strict_json.parsed(members[CONFIG]))).encode()
    with TemporaryDirectory(prefix="fourlayers-") as folder:
        whole = Path(folder, path.name)
        write_members(whole, members)
        yield whole


def wrapped(config: object) -> JsonObject:
    """Return the description of a network as that of a class that Keras does not find."""
    return {"module": None, "class_name": ELSEWHERE, "registered_name": ELSEWHERE, "config": config}


def unwrapped(config: object) -> object:
    """Return the description of a network that `wrapped` was given.

    Raises:
        ValueError: It was not.
    """
    match config:
        case {"class_name": str(name), "config": found} if name == ELSEWHERE:
            return found
    raise ValueError(f"its member {CONFIG!r} is not that of a file whose weights are elsewhere")


def write_members(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a Keras file from its members."""
    with atomic_file(path) as part, ZipFile(part, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
