"""From a config to a trained pipeline, and on from where a training stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from data.holdout import limited_splits, repeated_inputs
from data.packages import check_packages
from data.sources import joined_places
from data.splits import DataError, Splits
from tasks.engine import card, evaluate, runs
from tasks.engine.checksums import run_checksums
from tasks.engine.config import JsonObject, SettingError, Settings, TaskConfig, budget_seconds
from tasks.engine.distribution import Distribution
from tasks.engine.facts import notices, portable_notices, resume_command, run_facts
from tasks.engine.files import make_folder, named_errors, write_json, write_text
from tasks.engine.load import keras_part, load, open_network, read_config
from tasks.engine.logs import Logs, named_logs
from tasks.engine.members import RunError, check_members
from tasks.engine.network import KerasNetwork
from tasks.engine.pace import Pace
from tasks.engine.ready import Networks, networks
from tasks.engine.records import read_history
from tasks.engine.rehearsal import calibrated, rehearsed, verified_onnx
from tasks.engine.signals import ENDING
from tasks.engine.task import TEXT, Pipeline, Report, Task

if TYPE_CHECKING:
    from tasks.engine.devices import Devices

C = TypeVar("C", bound=TaskConfig)
Note = Callable[[JsonObject], None]
LOG = logging.getLogger("tasks")
CHANGEABLE = (
    "data",
    "data_dir",
    "cache",
    "epochs",
    "learning_rate",
    "retries",
    "checkpoint_every",
    "log",
)  # by `resume`
NEEDED = ("predict", "evaluate", "figures", "export", "train")  # extras that a training needs
ALONE = Distribution()


def train(
    task: Task[C],
    config: C,
    directory: Path | str | None = None,
    *,
    preset: str | None = None,
    progress: bool = False,
    score: bool = True,
    spread: Distribution = ALONE,
    note: Note = lambda row: None,
) -> Pipeline[C]:
    """Train a task, keep its run directory, and return its pipeline.

    Args:
        directory: Run directory to make; `None` makes a new one below `runs/`.
        preset: Name of the settings that the config began with, to keep it.
        progress: If true, draw a progress bar on standard error; otherwise a line an epoch is a notice.
        score: If false, leave the test split alone; the run ends with the metrics of the validation split.
        spread: What the training is spread over. Each process of a group calls this, with the same directory.
        note: Gets the row of the history of each epoch; it may raise an error to end the training, which can go on.

    Raises:
        FileExistsError: The directory is not empty.
        DataError, UnavailableError, FileNotFoundError: The data, or a run to start from, cannot be had.
        DivergedError: The loss is not a finite number any more.

    If the training fails before its first checkpoint, no directory is left.
    """
    start = time.monotonic()
    check_start(config, spread)
    if directory:
        runs.check_directory(Path(directory))
    devices = opened_devices(spread, directory)
    config = with_absolute_places(config)
    if devices and devices.rank:
        return take_part(task, config, Path(str(directory)), devices, note)
    run = runs.empty_directory(Path(directory)) if directory else runs.new_directory(runs.KEPT / task.name)
    with notices() as found:
        splits = task.load(config)
        check_examples(task, splits)  # missing data fails before a directory is made
    make_folder(run)
    with runs.lock(run):
        runs.empty_directory(run)
        runs.remove_parts(run)
        ENDING.text = f"Stopped before the first checkpoint; `{resume_command(task.name, run, config)}` begins again."
        try:
            runs.write_config(run, task.name, config.state())
            return complete(task, config, splits, run, found, Manner(start, progress, score, devices, note), preset)
        except ArithmeticError:  # a training that has diverged goes on with --resume
            raise
        except Exception:
            runs.remove_start(run)
            raise


def with_absolute_places(config: C) -> C:
    """Return a config whose data is found from any folder."""
    return replace(config, data=absolute_places(config.data), test=config.test and absolute_places(config.test))


def absolute_places(data: str) -> str:
    """Return data with absolute paths in place of relative ones; other names stay as they are."""
    return ",".join(str(Path(place).resolve()) if Path(place).exists() else place for place in joined_places(data))


def opened_devices(spread: Distribution, directory: Path | str | None) -> Devices | None:
    """Return the devices of a training that is spread over several; `None` if it is not.

    Raises:
        SettingError: The processes of a group have no directory in common.
    """
    group = spread.group()
    if spread.strategy == "none":
        return None
    if group and not directory:
        raise SettingError("Give `--run`, so that all processes use the same directory.")
    from tasks.engine.devices import opened

    return opened(group)


def resume(
    task: Task[C],
    directory: Path | str | None,
    settings: Settings,
    *,
    progress: bool = False,
    score: bool = True,
    spread: Distribution = ALONE,
    note: Note = lambda row: None,
) -> Pipeline[C]:
    """Go on with an unfinished run from its last checkpoint, or with a finished one past its planned end.

    Args:
        settings: Some of `CHANGEABLE`. With `epochs`, to train longer or to end sooner, and `learning_rate`, the
            schedule of the step size counts anew from the steps that are done.

    Raises:
        SettingError: Another setting is to change, or `epochs` is not above those that are done.
        FileNotFoundError, FileExistsError, RunError: There is nothing to go on with, as where the checkpoints of a
            run were removed, or its data has changed.
    """
    start = time.monotonic()
    check_packages("`train`", *NEEDED)
    for name in settings:
        if name not in CHANGEABLE or name not in task.config().state():
            raise SettingError(f"`{name}` cannot change when a run goes on; leave it out, or begin a new run.")
    if directory:
        runs.check_directory(Path(directory))
    run = begun_directory(task, directory, settings) if spread.is_first else Path(str(directory))
    check_start(changed_config(task, read_config(task, run), settings), spread)
    devices = opened_devices(spread, directory)
    if devices and devices.rank:
        return take_part(task, changed_config(task, read_config(task, run), settings), run, devices, note)
    with runs.lock(run):
        check_members(run)
        runs.remove_parts(run)
        before = read_config(task, run)
        config = changed_config(task, before, settings)
        ENDING.text = f"Stopped before another checkpoint; `{resume_command(task.name, run, config)}` goes on."
        finished = runs.is_finished(run)
        kept = kept_epochs(run)
        done = len(read_history(run)) if finished else kept
        if config.epochs <= done and (config.epochs != before.epochs or finished):
            raise SettingError(f"`epochs` must be above the {done} that are done, to go on; received {config.epochs}.")
        with notices() as found:
            splits = task.load(config)
        run_facts(task, config, limited_splits(splits, config.limit, config.seed), run)  # other data fails at once
        if config.epochs != before.epochs:
            LOG.warning("The run goes on to epoch %d; its step size is scheduled anew.", config.epochs)
        change_step_size(run, before.learning_rate, config.learning_rate)
        with named_errors(run / "metrics.json"):
            (run / "metrics.json").unlink(missing_ok=True)
        runs.write_config(run, task.name, config.state())
        return complete(task, config, splits, run, found, Manner(start, progress, score, devices, note))


def begun_directory(task: Task[C], directory: Path | str | None, settings: Settings) -> Path:
    """Return the directory of a run that goes on."""
    return runs.unfinished_run(task.name, Path(directory) if directory else None, longer="epochs" in settings)


def changed_config(task: Task[C], before: C, settings: Settings) -> C:
    """Return the config of a run that goes on with other values for some settings."""
    changed = {**settings, "data": absolute_places(str(settings.get("data", before.data)))}
    if "epochs" in settings:
        changed["budget"] = None  # its time is spent
    return task.config.restore(before.state() | changed)


def take_part(task: Task[C], config: C, run: Path, devices: Devices, note: Note) -> Pipeline[C]:
    """Compute a part of a training whose first process keeps the run, and return its pipeline once that is done.

    Raises:
        RunError: The first process has ended before.
    """
    from tasks.engine import fitting

    splits = task.load(config)
    ready = networks(task, config, splits, run, devices)
    part, model = keras_part(task), ready.model
    splits = limited_splits(splits, ready.config.limit, ready.config.seed)
    if part.prepare:
        splits = part.prepare(model, ready.config, splits, False)
    fitting.fit(
        model, ready.kept, ready.codec, splits, ready.config, run, follow=part.follow, note=note, devices=devices
    )
    devices.leave()
    with runs.awaited(run):
        if not runs.is_finished(run):
            raise RunError(f"The first process has left {str(run)!r} unfinished; its own error says why.")
    return load(task, run)


def kept_epochs(run: Path) -> int:
    """Return the number of epochs that are done in the newest checkpoint; `history.csv` may be ahead after a kill.

    Raises:
        RunError: Epochs are done, and there is no checkpoint.
    """
    from tasks.engine.checkpoint import CHECKPOINT, places

    found = places(run / CHECKPOINT)
    if not found and (run / "history.csv").is_file():
        raise RunError(
            f"{str(run)!r} has no checkpoint to go on from; `--init-from {run}` begins a new run with its weights."
        )
    return max((place.done[0] for place in found), default=0)


def change_step_size(run: Path, before: float, now: float) -> None:
    """Give notice of another step size, which takes the place of what divergences have left of the former one."""
    if now != before:
        from tasks.engine.checkpoint import forget_rate

        forget_rate(run)
        LOG.warning("The run goes on with a largest step size of %g instead of %g.", now, before)


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


class Manner(NamedTuple):
    """How a training is done, beside its settings.

    Attributes:
        start: When its command began, by `time.monotonic`.
        progress: Whether to draw a progress bar.
        score: Whether to score the test split.
        devices: What it is spread over, if over several.
        note: Gets the row of the history of each epoch.
    """

    start: float
    progress: bool
    score: bool
    devices: Devices | None
    note: Note


def check_start(config: TaskConfig, spread: Distribution) -> None:
    """Raise an error if a package for a training is missing, or if it is to keep to the clocks of several processes."""
    check_packages("`train`", *NEEDED)
    named_logs(config.log)
    if config.budget and spread.strategy == "workers":
        raise SettingError("`--budget` goes by the clock of one process; give `--epochs` to workers.")


def complete(
    task: Task[C], config: C, splits: Splits, run: Path, said: list[str], manner: Manner, preset: str | None = None
) -> Pipeline[C]:
    """Go from raw splits to a trained and scored pipeline in its run directory.

    Args:
        said: Notices of reading the data.
        preset: Name of the settings that the config of a new run began with.
    """
    LOG.info("Run: %s", run)
    with notices() as learnt:
        ready = networks(task, config, splits, run, manner.devices)
    config, codec = ready.config, ready.codec
    splits = limited_splits(splits, config.limit, config.seed)
    runs.write_config(run, task.name, config.state())
    facts = run_facts(task, config, splits, run)
    found = [*facts.get("notices", ()), *portable_notices([*said, *learnt], config)]
    facts |= {"parameters": ready.kept.count_params(), "notices": list(dict.fromkeys(found))}
    facts |= {"preset": preset} if preset else {}
    write_json(run / "environment.json", facts)
    write_json(run / "codec.json", codec.state())
    logs = Logs(task.name, config, run)
    try:
        pipeline, more = fit(task, ready, splits, run, manner._replace(note=noted(logs.add, manner.note)))
    except ArithmeticError:
        write_json(run / "environment.json", facts | {"diverged": True})
        raise
    write_json(run / "environment.json", facts := facts | more)
    pipeline = open_network(pipeline)
    if manner.score:
        evaluation = evaluate.score_or_none(pipeline, splits.test, config.test or "test")
    else:
        evaluation = evaluate.Evaluation.of(pipeline, Report(pipeline.validation, [], {}), "valid", len(splits.valid))
    ended = {"ended": runs.utc_time(), "checksums": run_checksums(run)}
    write_json(run / "environment.json", facts | ended)
    write_text(run / "README.md", card.write(pipeline, facts, evaluation.summary))
    evaluate.write_report(evaluation, run)
    logs.end(evaluation.summary, run)
    ENDING.text = f"Stopped; the run in {str(run)!r} is complete."
    return pipeline


def fit(
    task: Task[C], ready: Networks[C], splits: Splits, run: Path, manner: Manner
) -> tuple[Pipeline[C], dict[str, float]]:
    """Fit the first of two equal models, and return a pipeline of the second, which holds the best weights.

    Returns:
        The pipeline, on Keras; and the seconds of the training and the largest difference of its ONNX files from Keras.
    """
    from tasks.engine import fitting

    config, codec, model, kept = ready
    part = keras_part(task)
    again = resume_command(task.name, run, config)
    if part.prepare:
        splits = part.prepare(model, config, splits, manner.progress)
    pace = None
    if budget := budget_seconds(config.budget):
        rehearse = partial(rehearsed, task, ready.config, codec, kept, splits, manner.score)
        pace = Pace(budget, rehearse, manner.start)
    done, ended = fitting.fit(
        model, kept, codec, splits, config, run, show=manner.progress, follow=part.follow, again=again,
        note=manner.note, devices=manner.devices, pace=pace,
    )  # fmt: skip
    if manner.devices:
        manner.devices.leave()
    if pace:
        config = task.config.restore(ended.state())
        runs.write_config(run, task.name, config.state())
    ENDING.text = f"Stopped; the training is complete and kept, and `{again}` scores it."
    pipeline = Pipeline(task, config, codec, KerasNetwork(part.signatures(kept)), run)
    pipeline = calibrated(pipeline, splits)
    write_json(run / "codec.json", pipeline.codec.state())
    difference = verified_onnx(pipeline, splits.valid)
    return pipeline, {"seconds": round(done.seconds, 1), "onnx_difference": difference}


def noted(*notes: Note) -> Note:
    """Return what gives a row of the history to several in turn."""

    def note(row: JsonObject) -> None:
        for one in notes:
            one(row)

    return note
