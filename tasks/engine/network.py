"""Networks that answer named signatures with NumPy arrays: Keras and ONNX Runtime behind one face."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from tasks.engine.checksums import check_content
from tasks.engine.members import RunError, file_content

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Run: TypeAlias = Callable[[Sequence[np.ndarray]], list[np.ndarray]]
LARGEST = 2 << 30  # bytes of an ONNX file; the format holds no more
ROOM = 16 << 20  # bytes of an ONNX file beside its weights
OUTSIDE = b"\x0a\x08location"  # how an ONNX file names another file that holds its weights
CONVOLUTION = b"Conv"  # in a file of ONNX, the name of the operators that gain by several threads for one example
ROWS = 32  # fewest rows of a batch that are worth a thread


class Network(Protocol):
    """Named functions of arrays, such as `classify`, `upscale`, `encode` or `step`."""

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of a signature."""


class AskingNetwork:
    """A network that asks before each call whether to go on.

    Args:
        network: The network that answers.
        ask: Raises an error that ends what is being computed.
    """

    def __init__(self, network: Network, ask: Callable[[], None]) -> None:
        self.network, self.ask = network, ask

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        self.ask()
        return self.network(signature, *arrays)


def answering_network(network: Network) -> Network:
    """Return the network that answers: the one within a network that asks whether to go on."""
    return network.network if isinstance(network, AskingNetwork) else network


class KerasNetwork:
    """Keras models by signature name."""

    def __init__(self, models: Mapping[str, Any]) -> None:
        self.models = models

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        outputs = self.models[signature].predict_on_batch(arrays[0] if len(arrays) == 1 else list(arrays))
        found = tuple(map(np.asarray, outputs)) if isinstance(outputs, list | tuple) else (np.asarray(outputs),)
        return finite_outputs(found, signature)


class OnnxNetwork:
    """ONNX files by signature name: `classify` is `folder/classify.onnx`, opened when first called.

    Convolutions share the work on one example among the cores. Other networks, such as recurrent ones, gain nothing by
    that, and wait much on a busy machine. Each call of them runs in one thread; the rows of a large batch are shared.

    Args:
        checksums: SHA-256 of the files, by their names in the run; a file without one is not checked.
        parameters: Number of weights of the network, if it is known; a file has room for twice as many.
        cores: Cores that a call may use; `None` is all of them.
    """

    def __init__(
        self,
        folder: Path,
        checksums: Mapping[str, str] | None = None,
        parameters: int | None = None,
        cores: int | None = None,
    ) -> None:
        self.folder, self.checksums, self.cores = folder, checksums or {}, cores
        self.largest = LARGEST if parameters is None else min(LARGEST, 8 * parameters + ROOM)
        self.session = cache(self.open)

    def open(self, signature: str) -> tuple[Run, bool]:
        """Return a function of the inputs of a signature, and whether the rows of a batch are to be shared."""
        import onnxruntime

        path = self.folder / f"{signature}.onnx"
        try:
            content = file_content(path, self.largest)
        except FileNotFoundError as error:
            raise RunError(f"{str(path)!r} is missing; use --engine keras.") from error
        check_content(path, content, self.checksums)
        if OUTSIDE in content:
            raise RunError(f"{str(path)!r} is damaged: it names another file that holds its weights.")
        is_convolutional = CONVOLUTION in content
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # it would print names in the file as they are; errors are raised anyway
        options.intra_op_num_threads = self.cores or 0 if is_convolutional else 1  # 0 is one for each core
        try:
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's errors have no common class of their own
            raise RunError(f"{str(path)!r} is damaged; use --engine keras.") from error
        names = [node.name for node in session.get_inputs()]
        return lambda arrays: session.run(None, dict(zip(names, arrays, strict=True))), not is_convolutional

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        run, shares_rows = self.session(signature)
        parts = min(self.cores or os.cpu_count() or 1, len(arrays[0]) // ROWS) if shares_rows else 1
        try:
            if parts < 2:
                outputs: Sequence[np.ndarray] = run(arrays)
            else:
                cuts = zip(*(np.array_split(array, parts) for array in arrays), strict=True)
                outputs = [np.concatenate(rows) for rows in zip(*threads().map(run, cuts), strict=True)]
        except Exception as error:  # as above
            path = self.folder / f"{signature}.onnx"
            raise RunError(f"{str(path)!r} is damaged, or is that of another network.") from error
        return finite_outputs(outputs, f"{self.folder / signature}.onnx")


@cache
def threads() -> ThreadPoolExecutor:
    """Return threads for the rows of large batches, one for each core."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(os.cpu_count())


os.register_at_fork(after_in_child=threads.cache_clear)  # a child process has none of its parent's threads


def finite_outputs(outputs: Sequence[np.ndarray], name: str) -> tuple[np.ndarray, ...]:
    """Return the outputs of a network, all of which are finite.

    The sum of an array is finite if all of it is, and seldom otherwise; so large arrays are summed first.

    Raises:
        RunError: One of them is not.
    """
    for array in outputs:
        if array.dtype.kind == "f" and not np.isfinite(array.sum()) and not np.isfinite(array).all():
            raise RunError(f"The network {name!r} gives numbers that are not finite; its weights are damaged.")
    return tuple(outputs)


def only_output(outputs: Sequence[np.ndarray], shape: tuple[int, ...], run: Path) -> np.ndarray:
    """Return the only output of a signature, which has the shape that the codec of the run expects.

    Raises:
        RunError: There are several, or it has another shape: the codec is that of another network.
    """
    if len(outputs) != 1 or outputs[0].shape != shape:
        raise RunError(f"The network of {str(run)!r} is not that of its codec.json and config.json; it is damaged.")
    return outputs[0]


def check_tokens(scores: np.ndarray, size: int, run: Path) -> None:
    """Raise `RunError` unless a network gives a score to each token of a codec."""
    if scores.ndim != 2 or scores.shape[1] != size:
        raise RunError(
            f"The network of {str(run)!r} is not that of its codec.json, with {size:,} tokens; it is damaged."
        )


class ComparedNetwork:
    """Two networks that should agree: answers come from the first.

    Attributes:
        differences: The largest difference seen, by signature.

    Raises:
        RunError: An output of the second has another shape.
    """

    def __init__(self, first: Network, second: Network) -> None:
        self.first, self.second = first, second
        self.differences: dict[str, float] = {}

    @property
    def difference(self) -> float:
        """The largest difference seen."""
        return max(self.differences.values(), default=0.0)

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        outputs = self.first(signature, *arrays)
        for one, other in zip(outputs, self.second(signature, *arrays), strict=True):
            if one.shape != other.shape:
                raise RunError(f"The signature {signature!r} gives {other.shape} where {one.shape} is expected.")
            found = float(np.abs(one - other).max(initial=0))
            self.differences[signature] = max(self.differences.get(signature, 0.0), found)
        return outputs
