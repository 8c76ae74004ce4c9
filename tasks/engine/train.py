"""From a config to a trained pipeline, and on from where a training stopped."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from data.holdout import limited_splits, repeated_inputs
from data.sources import data_name
from data.splits import DataError, Examples, Splits, fingerprint
from tasks.engine import card, evaluate, runs
from tasks.engine.config import JsonObject, SettingError, Settings, TaskConfig
from tasks.engine.load import keras_part, open_network, read_config
from tasks.engine.network import ComparedNetwork, KerasNetwork, OnnxNetwork
from tasks.engine.starting import copy_weights, learnt_codec
from tasks.engine.task import TEXT, Codec, Pipeline, Report, Task

if TYPE_CHECKING:
    import keras

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")
SAMPLE = 64  # validation examples on which ONNX is checked against Keras


def train(
    task: Task[C],
    config: C,
    directory: Path | str | None = None,
    *,
    preset: str | None = None,
    progress: bool = False,
    score: bool = True,
) -> Pipeline[C]:
    """Train a task, keep its run directory, and return its pipeline.

    Args:
        directory: Run directory to make; `None` makes a new one below `runs/`.
        preset: Name of the settings that the config began with, to keep it.
        progress: If true, draw a progress bar on standard error; otherwise a line an epoch is a notice.
        score: If false, leave the test split alone; the run ends with the metrics of the validation split.

    Raises:
        FileExistsError: The directory is not empty.
        DataError, UnavailableError, FileNotFoundError: The data, or a run to start from, cannot be had.
        DivergedError: The loss is not a finite number any more.

    If the training fails before the end of its first epoch, no directory is left.
    """
    run = runs.empty_directory(Path(directory)) if directory else runs.new_directory(runs.KEPT / task.name)
    config = replace(config, data=absolute_places(config.data), test=config.test and absolute_places(config.test))
    with notices() as found:
        splits = task.load(config)
        check_examples(task, splits)  # missing data fails before a directory is made
    run.mkdir(parents=True, exist_ok=True)
    with runs.lock(run):
        runs.empty_directory(run)
        try:
            runs.write_config(run, task.name, config.state())
            return complete(task, config, splits, run, progress, score, found, preset)
        except Exception:
            runs.remove_start(run)
            raise


def absolute_places(data: str) -> str:
    """Return data with absolute paths in place of relative ones; other names stay as they are."""
    places = [data] if Path(data).exists() else data.split(",")
    return ",".join(str(Path(place.strip()).resolve()) if Path(place.strip()).exists() else place for place in places)


def resume(
    task: Task[C], directory: Path | str | None, settings: Settings, *, progress: bool = False, score: bool = True
) -> Pipeline[C]:
    """Go on with an unfinished run from the end of its last epoch, or with a finished one past its planned end.

    Args:
        settings: `data` or `data_dir` if the data has moved, and `epochs` to train longer; the schedule of the step
            size then counts anew from the epochs that are done.

    Raises:
        SettingError: Another setting is to change, or `epochs` is not above those that are planned.
        FileNotFoundError, FileExistsError, RunError: There is nothing to go on with, or its data has changed.
    """
    for name in settings:
        if name not in ("data", "data_dir", "epochs"):
            raise SettingError(f"`{name}` cannot change when a run goes on; leave it out, or begin a new run.")
    run = runs.unfinished_run(task.name, Path(directory) if directory else None, longer="epochs" in settings)
    with runs.lock(run):
        runs.remove_parts(run)
        before = read_config(task, run)
        config = replace(before, **{**settings, "data": absolute_places(str(settings.get("data", before.data)))})
        check_longer(before.epochs, config.epochs, runs.is_finished(run))
        with notices() as found:
            splits = task.load(config)
        run_facts(task, config, limited_splits(splits, config.limit, config.seed), run)  # other data fails at once
        if config.epochs > before.epochs:
            LOG.warning("The run goes on to epoch %d; its step size is scheduled anew.", config.epochs)
            runs.write_config(run, task.name, config.state())
            (run / "metrics.json").unlink(missing_ok=True)
        return complete(task, config, splits, run, progress, score, found)


def check_longer(planned: int, epochs: int, finished: bool) -> None:
    """Raise `SettingError` if a run is to go on for fewer epochs than planned, or for no more if it is finished."""
    if epochs < planned or (finished and epochs == planned):
        raise SettingError(
            f"`epochs` must be above the {planned} that were planned, to go on longer; received {epochs}."
        )


def check_examples(task: Task[C], splits: Splits) -> None:
    """Give notice of texts that are in the training part and in another.

    Raises:
        DataError: There are no training examples.
    """
    if not splits.train:
        raise DataError(
            "There are no training examples, since the data has a test part only; `evaluate --data` scores a run on it."
        )
    if task.accepts is TEXT:
        for part, count in repeated_inputs(splits, TEXT.field).items():
            total = len(splits._asdict()[part])
            LOG.warning("%d of %d %s examples have a text that is in the training part too.", count, total, part)


@contextmanager
def notices() -> Iterator[list[str]]:
    """Give a list that receives the notices of the tasks, also those that nobody shows, for a `with` statement."""
    found: list[str] = []
    before, shown = LOG.level, LOG.getEffectiveLevel()

    def keep(record: logging.LogRecord) -> bool:
        found.append(record.getMessage())
        return record.levelno >= shown

    LOG.addFilter(keep)
    LOG.setLevel(min(shown, logging.INFO))
    try:
        yield found
    finally:
        LOG.removeFilter(keep)
        LOG.setLevel(before)


def complete(
    task: Task[C],
    config: C,
    splits: Splits,
    run: Path,
    progress: bool,
    score: bool,
    said: list[str],
    preset: str | None = None,
) -> Pipeline[C]:
    """Go from raw splits to a trained and scored pipeline in its run directory.

    Args:
        said: Notices of reading the data.
        preset: Name of the settings that the config of a new run began with.
    """
    import keras

    from tasks.engine.environment import precision

    LOG.info("Run: %s", run)
    keras.utils.set_random_seed(config.seed)
    with notices() as learnt:
        codec = learnt_codec(task, config, splits.train)
    splits = limited_splits(splits, config.limit, config.seed)
    config = codec.settled(config)
    runs.write_config(run, task.name, config.state())
    part = keras_part(task)
    with precision(config.precision):
        model = part.build(config, codec)
    with precision("float32"):
        kept = part.build(config, codec)
    with notices() as copied:
        if config.init_from:
            copy_weights(task, config, codec, model)
    facts = run_facts(task, config, splits, run)
    facts |= {"parameters": kept.count_params(), "notices": portable_notices([*said, *learnt, *copied], config)}
    facts |= {"preset": preset} if preset else {}
    runs.write_json(run / "environment.json", facts)
    runs.write_json(run / "codec.json", codec.state())
    pipeline, more = fit(task, config, codec, (model, kept), splits, run, progress)
    runs.write_json(run / "environment.json", facts := facts | more)
    pipeline = open_network(pipeline)
    if score:
        evaluation = evaluate.score(pipeline, splits.test, config.test or "test")
    else:
        evaluation = evaluate.Evaluation.of(pipeline, Report(pipeline.validation, [], {}), "valid", len(splits.valid))
    runs.write_json(run / "environment.json", facts | {"ended": runs.utc_time()})
    runs.write_text(run / "README.md", card.write(pipeline, facts, evaluation.summary))
    evaluate.write_report(evaluation, run)
    return pipeline


def portable_notices(said: Iterable[str], config: C) -> list[str]:
    """Return notices once each, with the names of data in place of its paths."""
    places = [place.strip() for data in (config.data, config.test or "") for place in data.split(",") if place.strip()]

    def named(text: str, place: str) -> str:
        return text.replace(place, data_name(place))

    return list(dict.fromkeys(reduce(named, places, text) for text in said))


def run_facts(task: Task[C], config: C, splits: Splits, run: Path) -> JsonObject:
    """Return the facts that a run keeps of its machine, its command and its data, as JSON types.

    Raises:
        RunError: The run goes on, and its data has changed.
    """
    from tasks.engine.environment import machine

    data = fingerprint(splits)
    facts = machine() | {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "data": {"name": data_name(config.data), "source": card.origin(task.sources, config.data)} | data,
    }
    if (run / "environment.json").is_file():
        before = runs.read_json(run / "environment.json")
        if any(before["data"][name] != value for name, value in data.items()):
            raise runs.RunError(f"The data has changed since {str(run)!r} began; begin a new run.")
        facts |= {name: before[name] for name in ("command", "preset") if name in before}  # those that make it again
    return facts


def fit(
    task: Task[C],
    config: C,
    codec: Codec,
    models: tuple[keras.Model, keras.Model],
    splits: Splits,
    run: Path,
    progress: bool,
) -> tuple[Pipeline[C], dict[str, float]]:
    """Fit the first of two equal models, and return a pipeline of the second, which holds the best weights.

    Returns:
        The pipeline, on Keras; and the seconds of the training and the largest difference of its ONNX files from Keras.
    """
    from tasks.engine import fitting

    part, (model, kept) = keras_part(task), models
    if part.prepare:
        splits = part.prepare(model, config, splits, progress)
    done = fitting.fit(model, kept, codec, splits, config, run, show=progress, follow=part.follow)
    pipeline = Pipeline(task, config, codec, KerasNetwork(part.signatures(kept)), run)
    if task.calibrate:
        pipeline = replace(pipeline, codec=task.calibrate(pipeline, splits.valid))
        runs.write_json(run / "codec.json", pipeline.codec.state())
    difference = write_onnx(pipeline, splits.valid)
    return pipeline, {"seconds": round(done.seconds, 1), "onnx_difference": difference}


def write_onnx(pipeline: Pipeline[C], valid: Examples) -> float:
    """Write the signatures of a Keras pipeline as ONNX, and return their largest difference from Keras."""
    from tasks.engine import export

    assert isinstance(pipeline.network, KerasNetwork)
    export.write(pipeline.network.models, pipeline.run, export.kept_storage(pipeline, valid))
    compared = ComparedNetwork(pipeline.network, OnnxNetwork(pipeline.run / "onnx"))
    pipeline.task.predict(replace(pipeline, network=compared), readable_inputs(pipeline, valid[:SAMPLE]))
    return compared.difference


def readable_inputs(pipeline: Pipeline[C], examples: Examples) -> list[object]:
    """Return the inputs of examples as the codec reads them, without those that have no answer, such as empty texts."""
    found = []
    for example in examples:
        with suppress(DataError, OSError):
            found.append(pipeline.codec.read(example[pipeline.task.accepts.field]))
    return found
