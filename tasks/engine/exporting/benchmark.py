"""Size, speed and score of exported networks, beside Keras."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np

from tasks.engine.config import JsonObject, Settings, TaskConfig
from tasks.engine.evaluate import evaluate, evaluate_or_embedded
from tasks.engine.exporting.formats import FORMATS
from tasks.engine.members import file_size
from tasks.engine.network import Network
from tasks.engine.shared_weights import weight_files
from tasks.engine.task import Pipeline

C = TypeVar("C", bound=TaskConfig)
BATCHES = (1, 32)
CALLS, SECONDS = 30, 2.0  # most calls that are timed, and the time after which no other is begun


def size(folder: Path, about: JsonObject) -> int:
    """Return the size of the networks of a folder in bytes, without what stands beside them."""
    name = about["format"]
    found = [folder / f"{signature}{ending}" for signature in about["signatures"] for ending in FORMATS[name].endings]
    found = found or [path for path in (folder / name).rglob("*") if path.is_file()]
    return sum(file.stat().st_size for file in found)


def keras_row(pipeline: Pipeline[C], arrays: Mapping[str, tuple[np.ndarray, ...]], settings: Settings) -> JsonObject:
    """Return the row of Keras itself, in this process: the files that hold its weights, its times and its score."""
    held = sum(file_size(path) for path in weight_files(pipeline.run / "model.keras"))
    row = {"format": "(this Keras)", "bytes": held, "signatures": {}}
    return row | times(pipeline.network, arrays) | score(pipeline, pipeline.network, settings)


def times(network: Network, arrays: Mapping[str, tuple[np.ndarray, ...]]) -> JsonObject:
    """Return how long a network takes: `milliseconds` by signature and batch.

    Args:
        arrays: Arrays for each signature, whose rows are repeated to fill a batch.
    """
    found = {
        name: {str(batch): round(milliseconds(network, name, rows_of(each, batch)), 3) for batch in BATCHES}
        for name, each in arrays.items()
    }
    return {"milliseconds": found}


def score(pipeline: Pipeline[C], network: Network, settings: Settings) -> JsonObject:
    """Return what a network scores: `metric`, `score`, `data` and `examples`.

    Args:
        settings: Those that name the data to score; the test data of the run if they do not, or embedded data.
    """
    answering = replace(pipeline, network=network)
    summary = (evaluate(answering) if "data" in settings else evaluate_or_embedded(answering)).summary
    name, value = next(iter(summary["metrics"].items()))
    return {"metric": name, "score": value, "data": summary["data"], "examples": summary["examples"]}


def milliseconds(network: Network, signature: str, arrays: Sequence[np.ndarray]) -> float:
    """Return the median time of a call; the first two are not timed."""
    for _ in range(2):
        network(signature, *arrays)
    taken, begin = list[float](), time.perf_counter()
    while len(taken) < 3 or (len(taken) < CALLS and time.perf_counter() - begin < SECONDS):
        start = time.perf_counter()
        network(signature, *arrays)
        taken.append(1e3 * (time.perf_counter() - start))
    return median(taken)


def rows_of(arrays: Sequence[np.ndarray], batch: int) -> list[np.ndarray]:
    """Return arrays with so many rows, those that there are over and over.

    Example:
        >>> rows_of([np.array([[1], [2]])], 3)[0].tolist()
        [[1], [2], [1]]
    """
    return [np.take(array, np.arange(batch) % len(array), axis=0) for array in arrays]


def table(found: JsonObject) -> Iterator[str]:
    """Yield the lines of a table of what was exported, as Markdown."""
    timed = any("milliseconds" in row for row in found["formats"])
    heads = ["format", "signature", "MB"] + ["ms, batch 1", "ms, batch 32"] * timed + ["difference"]
    heads += [found["formats"][0]["metric"]] if timed else []
    yield line(heads)
    yield line(["---"] * len(heads))
    for row in found["formats"]:
        taken = row.get("milliseconds", dict.fromkeys(row["signatures"]))
        for place, signature in enumerate(taken):
            difference = row["signatures"].get(signature, {}).get("difference")
            yield line(
                [
                    *((row["format"], signature, f"{row['bytes'] / 1e6:.2f}") if not place else ("", signature, "")),
                    *([f"{taken[signature][str(batch)]:.2f}" for batch in BATCHES] if timed else []),
                    "" if difference is None else f"{difference:.1e}",
                    *([f"{row['score']:.4f}" if not place else ""] if timed else []),
                ]
            )
    if timed:
        row = found["formats"][0]
        yield ""
        yield f"{row['metric']} on {row['examples']:,} examples of {row['data']}."


def line(cells: Sequence[str]) -> str:
    """Return a row of a table.

    Example:
        >>> line(["a", "b"])
        '| a | b |'
    """
    return f"| {' | '.join(cells)} |"
