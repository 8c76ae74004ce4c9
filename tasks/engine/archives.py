"""Keras files of a stranger: looked at by their directory and their links before weights are read from them."""

import io
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from tasks.engine.checksums import LARGEST, check_content
from tasks.engine.members import RunError, check_kind, file_content, files_in, is_plain_file, opened_file
from tasks.engine.shared_weights import PLACES, WEIGHTS, count_shared, weight_files, whole_file

TEXTS = {"metadata.json": 1 << 16, "config.json": 16 << 20}  # the other members, and their largest sizes
LARGEST_PLACES = 1 << 20
ROOM = 8 << 20  # bytes of a file of weights beside the weights
MOST = 100_000  # groups and arrays of a file of weights
PACKED = 20  # largest ratio of all weights to a packed file of them, beside `ROOM`: trained ones hardly compress
RATIO = 200  # largest ratio of the sizes of a member, unpacked to packed
DAMAGE = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError, BadZipFile)


def check_checksums(path: Path, checksums: Mapping[str, str]) -> None:
    """Raise `RunError` if a Keras file, or an ONNX file that holds weights of it, is not as its run was written."""
    for each in weight_files(path):
        check_content(each, file_content(each, LARGEST), checksums)


def check_keras_file(path: Path, parameters: int, copies: int = 1) -> None:
    """Raise `RunError` unless a Keras file can hold the weights of a network, and nothing that hurts.

    * Its members are a description of Keras and one file of weights, of sizes that fit the network.
    * The file of weights has no links, and no data outside it.

    Args:
        parameters: Number of weights of the network.
        copies: How many arrays there are for each weight: 1, or 3 with the state of an optimizer.
    """
    most = 4 * copies * parameters + ROOM
    check_kind(path, stat.S_IFREG)
    try:
        with opened_file(path) as file, ZipFile(file) as archive:
            check_members(archive, most)
            check_weights(archive.read(WEIGHTS), most - 4 * count_shared(path, archive))
    except RunError:
        raise
    except (*DAMAGE, EOFError) as error:
        raise RunError(f"{str(path)!r} is damaged: {str(error).rstrip('.')}.") from error


def most_weights(path: Path) -> int:
    """Return how many weights a Keras file can hold, by its directory; a weight has at least two bytes.

    Raises:
        RunError: It is damaged, or not a plain file.
    """
    return opened_weights(path, lambda member: member.file_size // 2)


def packed_weights(path: Path) -> int:
    """Return how many weights a Keras file may unpack to by its size on the disk, beside `ROOM`.

    Raises:
        RunError: It is damaged, or not a plain file.
    """
    return opened_weights(path, lambda member: PACKED * member.compress_size // 4)


def opened_weights(path: Path, count: Callable[[ZipInfo], int]) -> int:
    """Return how many weights a Keras file holds by its directory, with those that it leaves to the ONNX files.

    Args:
        count: Returns the number of those in the member itself.
    """
    check_kind(path, stat.S_IFREG)
    try:
        with opened_file(path) as file, ZipFile(file) as archive:
            check_members(archive, LARGEST)
            return count(archive.getinfo(WEIGHTS)) + count_shared(path, archive)
    except RunError:
        raise
    except DAMAGE as error:
        raise RunError(f"{str(path)!r} is damaged: {str(error).rstrip('.')}.") from error


def check_members(archive: ZipFile, most: int) -> None:
    """Raise `ValueError` unless the members of a Keras file are its own, and its weights have at most so many bytes."""
    members = {member.filename: member for member in archive.infolist()}
    sizes = {**TEXTS, WEIGHTS: most} | ({PLACES: LARGEST_PLACES} if PLACES in members else {})
    if len(members) != len(archive.infolist()) or set(members) != {*sizes}:
        raise ValueError(f"its members are not {', '.join([*TEXTS, WEIGHTS])}")
    for name, largest in sizes.items():
        check_member(members[name], largest)


def check_member(member: ZipInfo, largest: int) -> None:
    """Raise `ValueError` unless a member of a Keras file is plain, and not too large."""
    if member.flag_bits & 1 or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"its member {member.filename!r} is encrypted, or compressed in a way that Keras never uses")
    if member.file_size > largest or member.file_size > RATIO * max(member.compress_size, 1):
        raise ValueError(
            f"its member {member.filename!r} has {member.file_size:,} bytes; the network needs at most {largest:,}"
        )


def check_weights(content: bytes, most: int) -> None:
    """Raise `ValueError` unless a file of weights has plain arrays alone, of at most so many bytes together."""
    import h5py

    total, seen = 0, 0
    with h5py.File(io.BytesIO(content), "r") as file:
        groups = [file]
        while groups:
            group = groups.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"its array {name!r} is a link")
                item, seen = group[name], seen + 1
                if isinstance(item, h5py.Group):
                    groups.append(item)
                elif isinstance(item, h5py.Dataset):
                    total += array_size(item)
                if total > most or seen > MOST:
                    raise ValueError(f"its arrays have more than the {most:,} bytes that the network needs")
                if total > len(content):
                    raise ValueError(
                        f"its arrays are packed, or have more bytes than the {len(content):,} of their file"
                    )


def array_size(array: Any) -> int:
    """Return the number of bytes of an array in a file of weights."""
    if array.is_virtual or array.external or array.dtype.kind not in "fiub" or array.shape is None:
        raise ValueError(f"its array {array.name!r} is not plain")
    return int(array.nbytes)


def check_finite_weights(run: Path, parameters: int | None) -> None:
    """Raise `RunError` if a file of weights of a run is damaged, or one of its weights is not a finite number."""
    for path in (run / "model.keras", *files_in(run / "onnx", ".onnx")):
        if not is_plain_file(path):
            continue
        if path.suffix == ".keras":
            most = packed_weights(path)  # what a run says of itself may ask for any room
            check_keras_file(path, most if parameters is None else min(parameters, most))
        try:
            arrays = onnx_arrays(path) if path.suffix == ".onnx" else keras_arrays(path)
        except Exception as error:  # a damaged file can raise anything
            raise RunError(f"{str(path)!r} is damaged: {first_line(error)}.") from error
        if not all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f"):
            raise RunError(f"{str(path)!r} is damaged: it holds weights that are not finite numbers.")


def first_line(error: Exception) -> str:
    """Return the first line of an error, or its kind if it has no text."""
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def onnx_arrays(path: Path) -> list[np.ndarray]:
    """Return the weights in an ONNX file."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(file_content(path, LARGEST))
    if any(weight.data_location == onnx.TensorProto.EXTERNAL for weight in model.graph.initializer):
        raise ValueError("it names another file that holds its weights")
    return [numpy_helper.to_array(weight) for weight in model.graph.initializer]


def keras_arrays(path: Path) -> list[np.ndarray]:
    """Return the weights in a Keras file that has been checked."""
    import h5py

    found: list[np.ndarray] = []
    with whole_file(path) as place, ZipFile(place) as archive:
        content = archive.read(WEIGHTS)
    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(lambda name, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None)
    return found
