"""Leaving out of `model.keras` the large weights that the ONNX files of a run hold; see `shared_weights.py`."""

import json
from collections.abc import Iterator
from io import BytesIO
from itertools import permutations, product
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np

from tasks.engine.config import JsonObject
from tasks.engine.members import files_in
from tasks.engine.shared_weights import CONFIG, KINDS, PLACES, WEIGHTS, Place, turned, wrapped, write_members

GATES = (
    (),
    (0, 2, 3, 1),
)  # for each gate of Keras its place in ONNX; LSTM has another order there


def share_weights(run: Path) -> int:
    """Leave out of a run's `model.keras` the large weights that its ONNX files hold; return how many arrays.

    It is done once; a second time there is nothing to leave out.

    With int8 the weights that are read afterwards are those that answer, not those that were trained.
    """
    import h5py

    from layers.onnx.storage import LARGE

    path = run / "model.keras"
    with ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if PLACES in members:
        return 0
    held = [each for file in files_in(run / "onnx", ".onnx") for each in held_arrays(file)]
    rows: JsonObject = {}
    old, new = BytesIO(members[WEIGHTS]), BytesIO()
    with h5py.File(old) as source, h5py.File(new, "w") as target:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                target.require_group(name).attrs.update(item.attrs)
                return
            values = item[()]
            found = place_of(values, held) if values.size >= LARGE else None
            if found is not None:
                rows[name], values = list(found[0]), found[1]
            target.create_dataset(name, data=values).attrs.update(item.attrs)

        source.visititems(copy)
        target.attrs.update(source.attrs)
    if rows:
        config = json.dumps(wrapped(json.loads(members[CONFIG]))).encode()
        write_members(path, members | {CONFIG: config, WEIGHTS: new.getvalue(), PLACES: json.dumps(rows).encode()})
    return len(rows)


class Held(NamedTuple):
    """Numbers that an ONNX file holds, with their scale, and where they are."""

    values: np.ndarray
    scale: np.ndarray
    file: str
    offset: int


def held_arrays(path: Path) -> Iterator[Held]:
    """Yield the large weights of an ONNX file."""
    import onnx
    from onnx import numpy_helper

    from layers.onnx.storage import LARGE

    content = path.read_bytes()
    stored = {each.name: each for each in onnx.load_from_string(content).graph.initializer}
    for name, tensor in stored.items():
        values = numpy_helper.to_array(tensor)
        if values.size < LARGE or values.dtype.name not in KINDS:
            continue
        scale = stored.get(name.removesuffix("/stored") + "/scale")
        factor = np.ones([1] * values.ndim, "float32") if scale is None else numpy_helper.to_array(scale)
        yield Held(values, factor, path.name, content.index(tensor.raw_data))


def place_of(weight: np.ndarray, held: list[Held]) -> tuple[Place, np.ndarray] | None:
    """Return where one of some arrays holds a weight, and its scale; `None` if none does."""
    for each in held:
        shape = each.values.shape
        places = range(shape[0]) if len(shape) == weight.ndim + 1 else [-1] if len(shape) == weight.ndim else []
        for at, axes, gates in product(places, permutations(range(weight.ndim)), GATES):
            left = shape[at >= 0 :]
            if tuple(left[axis] for axis in axes) != weight.shape or (gates and weight.shape[-1] % len(gates)):
                continue
            part = each.scale[at % len(each.scale)] if at >= 0 else each.scale
            scale = turned(part, -1, axes, gates if part.transpose(axes).shape[-1] > 1 else ())
            if 8 * scale.size > weight.size:  # the scale would take the room, and fit anything
                continue
            numbers = turned(each.values, at, axes, gates)
            for one in (scale, fitted(weight, numbers, scale)):
                if is_near(weight, numbers, one):
                    return Place(each.file, each.offset, each.values.dtype.name, shape, at, axes, gates), one
    return None


def fitted(weight: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the scale, of the shape of another, by which the largest whole number is the largest weight.

    It is another one where an ONNX file has a normalization folded into the weight.
    """
    others = tuple(axis for axis, size in enumerate(scale.shape) if size == 1)
    signs = np.sign((weight * numbers.astype("float32")).sum(others, keepdims=True))
    return np.asarray(signs * abs(weight.astype("float32")).max(others, keepdims=True) / 127, "float32")


def is_near(weight: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> bool:
    """Return whether numbers times a scale are a weight: exactly, or as near as whole numbers can be."""
    if numbers.dtype != "int8":
        return np.array_equal(weight, numbers)
    near = abs(weight.astype("float32") - numbers * scale) <= 0.6 * abs(scale)  # half a step, and the error of float16
    return bool(near.all())
