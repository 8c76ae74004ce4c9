"""Options of the command line: made from the fields of a config, and those of each verb."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from tasks.engine.config import (
    Json,
    JsonObject,
    Kind,
    SettingError,
    Settings,
    TaskConfig,
    inner_type,
    offered_fields,
    setting_types,
)
from tasks.engine.distribution import Distribution, Strategy


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """Whole numbers separated by commas, such as 16,32,64; nothing at all is an empty list."""

    name = "numbers"

    def convert(self, value: Json, param: click.Parameter | None, ctx: click.Context | None) -> Json:
        if not isinstance(value, str):
            return value
        try:
            return tuple(int(part) for part in value.split(",") if part.strip())
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers such as 16,32,64", param, ctx)


def click_option(field: dataclasses.Field[Any], kind: Kind, shown: bool) -> click.Option:
    """Return the command-line option of one config field; its help names the default, or else the run's own value."""
    name = field.name.replace("_", "-")
    flag = f"--{name}/--no-{name}" if kind is bool else f"--{name}"
    default = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    return click.Option(
        [flag],
        type=click_type(kind, field.metadata),
        default=default,
        help=field.metadata["help"],
        show_default=True if shown or field.metadata["when"] == "answer" else "as the run was trained",
    )


def click_type(kind: Kind, limits: Settings) -> Kind:
    """Return the click type of a config type."""
    kind = inner_type(kind)
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if get_origin(kind) is tuple:
        return Numbers()
    if kind is int:
        return click.IntRange(limits["low"], limits["high"])
    if kind is float:
        return click.FloatRange(limits["low"], limits["high"])
    kinds: dict[Kind, Kind] = {bool: bool, str: str, Path: click.Path(path_type=Path)}
    return kinds[kind]


def is_typed(ctx: click.Context, name: str) -> bool:
    """Return whether the user gave this option; only those override a preset, a file or a run."""
    return ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def json_value(value: Json) -> Json:
    """Return an option's value as a config reads it from JSON."""
    return list(value) if isinstance(value, tuple) else value


def typed_settings(words: Sequence[str]) -> JsonObject:
    """Return settings given as `name=value`; a value is read as JSON, or else as text."""
    found: JsonObject = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise SettingError(f"`--set` must be like name=value; received {word!r}.")
        try:
            found[name.replace("-", "_")] = json.loads(value)
        except ValueError:
            found[name.replace("-", "_")] = value
    return found


def named_runs(words: Sequence[str]) -> dict[str, Path]:
    """Return runs given as `task=run`, by task."""
    found = dict[str, Path]()
    for word in words:
        name, equals, run = word.partition("=")
        if not equals or not name or not run or name in found:
            raise SettingError(f"`--run` must be like mnist=RUN, once for a task; received {word!r}.")
        found[name] = Path(run)
    return found


def distribution(
    workers: int | None,
    strategy: Strategy | None,
    gpus_per_worker: int,
    address: str,
    shared: Path | None,
    max_failures: int,
) -> Distribution:
    """Return what a training is spread over, by its options."""
    return Distribution(
        workers=workers, strategy=strategy, gpus=gpus_per_worker, address=address, shared=shared, failures=max_failures
    )


def check_dry_run(run: Path | None, resume: bool, spread: Distribution) -> None:
    """Raise `SettingError` if a dry run is asked for what it does not look at."""
    if run or resume or spread.strategy != "none":
        raise SettingError("`--dry-run` makes no run, on one device; leave out `--run`, `--resume` and `--workers`.")


RUN = click.Option(
    ["--run"],
    type=click.Path(path_type=Path),
    help="Run directory, bundle, or the name of a run that ships; the one that ended last if not given.",
)
SPLIT = click.Option(
    ["--split"], default="test", show_default=True, help="Split to score: train, valid, test, or a test file."
)
ADDRESS = click.Option(
    ["--address"],
    default="local",
    show_default=True,
    help="Cluster of Ray: local starts one on this machine, auto finds that of this machine, or HOST:PORT.",
)
JSON = click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object.")
QUIET_OPTION = click.Option(["--quiet"], is_flag=True, help="Print answers and errors only.")
TRAIN = [
    click.Option(["--preset"], help="Named settings to start from; see `tasks`."),
    click.Option(["--config"], type=click.Path(path_type=Path), help="TOML or JSON file of settings."),
    click.Option(
        ["--run"], type=click.Path(path_type=Path), help="Directory to make; a new one in runs/ if not given."
    ),
    click.Option(
        ["--resume"],
        is_flag=True,
        help="Go on with an unfinished run from its last checkpoint; with more --epochs, also past its end.",
    ),
    click.Option(
        ["--dry-run"],
        is_flag=True,
        help="Make no run: show settings, data, parameters, and what time, memory and disk it would take.",
    ),
    click.Option(
        ["--workers"],
        type=click.IntRange(1, 100_000),
        help="Processes that train together, each with a part of every batch; Ray starts them unless TF_CONFIG, or "
        "RANK, WORLD_SIZE and MASTER_ADDR, name them.",
    ),
    click.Option(
        ["--strategy"],
        type=click.Choice(["none", "mirrored", "workers"]),
        help="What the training is spread over: one device, all GPUs of this machine, or workers.  "
        "[default: none, or workers with --workers]",
    ),
    click.Option(
        ["--gpus-per-worker"], type=click.IntRange(0, 64), default=0, show_default=True, help="GPUs of each worker."
    ),
    ADDRESS,
    click.Option(
        ["--shared"], type=click.Path(path_type=Path), help="Folder for new runs that all machines of a cluster see."
    ),
    click.Option(
        ["--max-failures"],
        type=click.IntRange(0, 1000),
        default=3,
        show_default=True,
        help="Times that workers begin again from the last checkpoint after one was lost.",
    ),
    JSON,
    QUIET_OPTION,
]
TUNE = [
    *(option for option in TRAIN if option.name in ("preset", "config")),
    click.Option(["--out"], type=click.Path(path_type=Path), help="Directory to make; one in runs/tune/ if not given."),
    click.Option(
        ["--resume"], is_flag=True, help="Go on with the search in --out, or with the newest one, where it stopped."
    ),
    click.Option(["--trials"], type=click.IntRange(1, 100_000), help="Trials in all; 20 if not given."),
    click.Option(["--budget"], metavar="TIME", help="Time after which no trial goes on, such as 60m."),
    click.Option(["--metric"], help="Metric of the validation split to choose by; loss if not given."),
    click.Option(
        ["--search"],
        multiple=True,
        metavar="NAME=VALUES",
        help="Range of a setting to search, such as units=64..256 or cell=gru,lstm; others are searched by default.",
    ),
    click.Option(
        ["--max-milliseconds"], type=click.FloatRange(min=0, min_open=True), help="Most milliseconds of one answer."
    ),
    click.Option(
        ["--parallel"], type=click.IntRange(1, 1000), default=1, show_default=True, help="Trials at the same time."
    ),
    click.Option(
        ["--address"], help="Cluster of Ray to run trials on: local, auto or HOST:PORT; this machine if not given."
    ),
    JSON,
    QUIET_OPTION,
]
EVALUATE = [
    RUN,
    SPLIT,
    click.Option(
        ["--out"], type=click.Path(path_type=Path), help="Directory to make; a new one in evaluations/ if not given."
    ),
    JSON,
    QUIET_OPTION,
]
SHARED = [
    click_option(field, setting_types(TaskConfig)[field.name], False)
    for field in offered_fields(TaskConfig, "evaluate")
]
COMPARE = [
    click.Argument(["a"], metavar="A[,A2...]"),
    click.Argument(["b"], metavar="B[,B2...]"),
    click.Option(["--task"], help="Task of the runs, if their names do not tell it."),
    SPLIT,
    click.Option(["--metric"], help="Metric of the verdict; the main one of the task if not given."),
    click.Option(
        ["--margin"],
        type=click.FloatRange(min=0),
        default=0.0,
        show_default=True,
        help="How much worse B may be, in units of the metric; exit code 4 if the whole interval is worse than that.",
    ),
    JSON,
    QUIET_OPTION,
    *SHARED,
]
CHECK = [
    click.Argument(["data"]),
    click.Option(["--task"], required=True, help="Task that the data is for."),
    click.Option(
        ["--set", "set_"], multiple=True, metavar="NAME=VALUE", help="Another setting of the task, such as source=en."
    ),
    click.Option(["--out"], type=click.Path(path_type=Path), help="New file for a page with all that was found."),
    JSON,
    QUIET_OPTION,
    *(option for option in SHARED if option.name in ("data_dir", "test", "limit", "columns", "encoding")),
]
PREDICT = [
    click.Argument(["inputs"], nargs=-1, metavar="INPUT..."),
    click.Option(
        ["--file"],
        type=click.Path(path_type=Path),
        help="Answer each row of a table, also compressed, or each line of any other text file.",
    ),
    click.Option(["--keep"], metavar="NAME,...", help="Columns of the file that each answer repeats, such as an id."),
    click.Option(["--plain"], is_flag=True, help="Print bare answers, a line each; an empty line for an error."),
    click.Option(
        ["--out"],
        type=click.Path(path_type=Path),
        help="New file for the answers, or a folder for pictures; if not given, the screen, or beside the inputs.",
    ),
    click.Option(
        ["--workers"],
        type=click.IntRange(1, 10_000),
        help="Answer in so many processes, one core each; with --out, an interrupted command goes on.",
    ),
    click.Option(
        ["--address"],
        metavar="local|auto|HOST:PORT",
        help="With --workers: processes of a cluster of Ray: a new one here, the one of this machine, or another.",
    ),
    RUN,
    QUIET_OPTION,
]
EXPORT = [
    click.Option(
        ["--format", "format_"],
        required=True,
        multiple=True,
        metavar="NAME",
        help="Format to write: onnx, saved_model, litert, openvino or keras; several go into folders of their names.",
    ),
    click.Option(["--out"], type=click.Path(path_type=Path), required=True, help="Directory to make."),
    click.Option(
        ["--steps"],
        type=click.IntRange(1, 2000),
        help="Steps that recurrences are written out over, for litert, which takes no loop; 100 if not given.",
    ),
    click.Option(["--benchmark"], is_flag=True, help="Also time each network at batch 1 and 32, and score it."),
    RUN,
    JSON,
    QUIET_OPTION,
]
SERVE = [
    click.Argument(["names"], metavar="[TASK]...", nargs=-1),
    click.Option(
        ["--run", "run_of"],
        multiple=True,
        metavar="TASK=RUN",
        help="Run directory, bundle, or the name of a run that ships; the one that ended last if not given.",
    ),
    click.Option(["--host"], default="127.0.0.1", show_default=True, help="Address to listen at."),
    click.Option(
        ["--port"], type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 is a free one."
    ),
    click.Option(["--token"], envvar="FOURLAYERS_TOKEN", help="What clients must send; needed beyond 127.0.0.1."),
    click.Option(["--cors"], multiple=True, metavar="ORIGIN", help="Page of another server that may ask."),
    click.Option(["--watch"], is_flag=True, help="Take runs that end later, unless --run names one."),
    click.Option(
        ["--queue"],
        type=click.IntRange(1, 100_000),
        default=256,
        show_default=True,
        help="Most inputs that wait, a task.",
    ),
    click.Option(
        ["--batch"], type=click.IntRange(1, 4096), default=32, show_default=True, help="Most inputs answered together."
    ),
    click.Option(
        ["--window"],
        type=click.FloatRange(0, 1000),
        default=2.0,
        show_default=True,
        help="Milliseconds that a first input waits for others.",
    ),
    click.Option(
        ["--timeout"], type=click.FloatRange(0.1, 3600), default=30.0, show_default=True, help="Seconds of a request."
    ),
    click.Option(
        ["--max-size"],
        type=click.FloatRange(0.001, 1000),
        default=10.0,
        show_default=True,
        help="Largest request, in MB.",
    ),
    click.Option(
        ["--megapixels"],
        type=click.FloatRange(0.001, 1000),
        default=4.0,
        show_default=True,
        help="Largest picture, in millions of pixels.",
    ),
    QUIET_OPTION,
]
