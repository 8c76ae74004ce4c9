"""From a run to a folder that another runtime answers from."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from data.splits import Examples
from tasks.engine import files, runs
from tasks.engine.config import JsonObject, Settings, TaskConfig
from tasks.engine.evaluate import examples_of, with_whole_data
from tasks.engine.exporting import benchmark, comparison, formats
from tasks.engine.exporting.description import description, readme
from tasks.engine.load import keras_part, load
from tasks.engine.network import KerasNetwork
from tasks.engine.records import facts_of
from tasks.engine.task import Pipeline, Task

if TYPE_CHECKING:
    from layers.onnx.storage import Storage

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")
STEPS = 100  # steps that recurrences are written out over, if no other number is given


def export(
    task: Task[C],
    run: Path | str | None,
    names: Sequence[str],
    out: Path,
    embedded: C,
    settings: Settings,
    *,
    steps: int | None = None,
    timed: bool = False,
) -> JsonObject:
    """Write the networks of a run in some formats, each opened in its own runtime and compared with Keras.

    Args:
        run: As for `load`.
        names: Formats; one is written into `out`, several into folders of their names below it.
        out: New directory.
        embedded: Settings for the embedded data, whose test part is compared if `settings` name no data.
        settings: As for `load`; with `data`, its test part is compared, and scored if `timed`.
        steps: Steps that recurrences are written out over in formats that take no loop, at least 1.
        timed: Whether to time each network, and to score it.

    Returns:
        Task, run, directory; and for each format its size, the largest difference of each signature, and what
        `benchmark` adds.

    Raises:
        FileExistsError, WriteError: The directory is not empty, or cannot be made.
        UnavailableError, SettingError: A format cannot be written here, or with `steps`.
        DifferenceError: A network does not answer as Keras does. Nothing is left then.
        RunError, FileNotFoundError, DataError: The run or the data cannot be read.
    """
    target = free_directory(out)
    formats.check_formats(names, steps)
    with complete_folder(target) as part:
        pipeline = with_whole_data(load(task, run, {**settings, "engine": "keras"}), settings)
        inputs = comparison.sample_inputs(pipeline, compared_examples(pipeline, embedded, settings))
        rows = list[JsonObject]()
        for name in names:
            folder = part / name if len(names) > 1 else part
            files.make_folder(folder)
            with files.named_errors(folder):
                about, arrays, network = written_format(pipeline, name, folder, inputs, steps or STEPS)
            rows.append({"format": name, "bytes": benchmark.size(folder, about), "signatures": differences(about)})
            if timed:
                rows[-1] |= benchmark.times(comparison.ShortNetwork(network, about), arrays)
                scored = comparison.ShortNetwork(network, about)  # which counts the inputs of the scoring alone
                rows[-1] |= benchmark.score(pipeline, scored, settings)
                scored.say_cut()
        if timed:
            rows.insert(0, benchmark.keras_row(pipeline, arrays, settings))
    return {"task": task.name, "run": str(pipeline.run), "out": str(out), "formats": rows}


def free_directory(out: Path) -> Path:
    """Return the path of a directory that does not exist yet, or is empty: as it was typed, if it ends in a name.

    Raises:
        FileExistsError: There is something in it, or it is a file.
    """
    if out.is_symlink() or out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise FileExistsError(f"{str(out)!r} exists and is not an empty directory; name a new one with --out.")
    return out if out.name else out.absolute()


@contextmanager
def complete_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes the place of another once it is complete, for a `with` statement.

    Both are made before the work, which takes long. If it fails, none of what this has made is left.

    Raises:
        WriteError: The folder cannot be made or written to.
    """
    part = files.part_of(target)
    try:
        with runs.made_directory(target):
            try:
                remove(part)
                files.make_folder(part)
                yield part
                with files.named_errors(target):
                    part.replace(target)
            finally:
                remove(part)
    except files.WriteError as error:
        if isinstance(error.path, str) or not error.path.is_relative_to(part):
            raise
        raise files.WriteError(target, error.reason) from error  # nobody knows the other name


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def compared_examples(pipeline: Pipeline[C], embedded: C, settings: Settings) -> Examples:
    """Return the examples to compare answers on: those of the data that settings name, or embedded ones."""
    if "data" in settings:
        return examples_of(pipeline, "test", pipeline.config.seed)[1]
    return pipeline.task.load(embedded).test


def written_format(
    pipeline: Pipeline[C], name: str, folder: Path, inputs: Sequence[Any], steps: int
) -> tuple[JsonObject, Mapping[str, tuple[np.ndarray, ...]], comparison.RuntimeNetwork]:
    """Write the networks of a pipeline on Keras in one format, with all that a user of them needs.

    Returns:
        What `signature.json` holds; arrays that each signature was given; the network in its own runtime.
    """
    from tasks.engine.exporting import script
    from tasks.engine.exporting.writers import write

    assert isinstance(pipeline.network, KerasNetwork)
    models, run = pipeline.network.models, pipeline.run
    storage: Storage = "float16" if pipeline.config.storage == "float16" else "float32"  # as in model.keras
    write(name, models, folder, storage, steps)
    fixed = steps if name == "litert" else None
    about = description(pipeline, models, keras_part(pipeline.task).arrays, name, fixed)
    files.write_json(folder / "signature.json", about)
    files.write_json(folder / "codec.json", pipeline.codec.state())
    if name == "keras":
        script.copy_layers(folder)
    network = comparison.RuntimeNetwork(folder, name)
    found, arrays = comparison.compared(pipeline, network, about, inputs)
    for signature, difference in found.items():
        about["signatures"][signature]["largest_difference"] = difference
        LOG.info("%s, %s: largest difference from Keras %.1e.", name, signature, difference)
    files.write_json(folder / "signature.json", about)
    program = script.program(pipeline.task.name, name)
    files.write_text(folder / "run.py", program)
    files.write_text(folder / "README.md", readme(pipeline, facts_of(run), about, program))
    return about, arrays, network


def differences(about: JsonObject) -> JsonObject:
    """Return the largest difference of each signature from Keras."""
    return {name: {"difference": one["largest_difference"]} for name, one in about["signatures"].items()}
