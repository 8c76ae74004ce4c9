"""Machine-learning tasks, usable from Python and from the command line.

Importing this package loads no machine-learning library and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.engine.config import TaskConfig
    from tasks.engine.distribution import Distribution
    from tasks.engine.evaluate import Evaluation
    from tasks.engine.task import Pipeline, Task

__version__ = "0.1.0"
__all__ = [
    "check_data",
    "compare",
    "config_class",
    "configure",
    "dry_run",
    "evaluate",
    "export",
    "get",
    "load",
    "names",
    "presets",
    "summary",
    "train",
    "tune",
]


def names() -> list[str]:
    """Return the task names: the folders of this package that hold a pipeline.

    Example:
        >>> names()
        ['caption', 'mnist', 'sentiment', 'translate', 'upscale']
    """
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/pipeline.py"))


def summary(name: str) -> str:
    """Return what a task does, in one line.

    Example:
        >>> summary("mnist")
        'Classify pictures of handwritten digits.'
    """
    check(name)
    return (import_module(f".{name}", __name__).__doc__ or "").partition("\n")[0]


def config_class(name: str) -> type[TaskConfig]:
    """Return the config dataclass of a task, without loading the task itself.

    Example:
        >>> config_class("translate")().beam
        5
    """
    check(name)
    config: type[TaskConfig] = import_module(f".{name}.config", __name__).Config
    return config


def presets(name: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the named settings of a task; the first preset is the default.

    Example:
        >>> list(presets("sentiment"))
        ['gru', 'lstm', 'rnn', 'hybrid']
    """
    check(name)
    found: Mapping[str, Mapping[str, Any]] = import_module(f".{name}.config", __name__).PRESETS
    return found


def configure(name: str, preset: str | None = None, file: Path | str | None = None, **settings: Any) -> TaskConfig:
    """Return a config: the defaults, then those for the embedded data, the preset, the file, the settings.

    With `init_from`, the settings that make the network of that run come before the preset.

    Raises:
        SettingError: A name is unknown, or a value is out of range.
        FileNotFoundError: There is no such file, or no such run.

    Example:
        >>> configure("mnist", "tiny", epochs=3).filters
        (8, 14, 20)
    """
    from tasks.engine.config import SettingError, nearest, read_settings

    if preset is not None and preset not in presets(name):
        raise SettingError(f"Task {name!r} has no preset {preset!r}{nearest(preset, presets(name))}")
    chosen = {
        **(presets(name)[preset] if preset else {}),
        **(read_settings(Path(file)) if file else {}),
        **settings,
    }
    data = chosen.get("data", config_class(name)().data)
    embedded = import_module(f".{name}.config", __name__).BUILTIN if data == "builtin" else {}
    if chosen.get("init_from") is None:
        return config_class(name).restore({**embedded, **chosen})
    from tasks.engine.config import inherited_settings
    from tasks.engine.places import without_sources
    from tasks.engine.runs import named_run, read_config

    run = named_run(name, Path(chosen["init_from"])).resolve()
    shorter = import_module(f".{name}.config", __name__).FINE_TUNING
    inherited = inherited_settings(config_class(name), without_sources(read_config(run, name)))
    return config_class(name).restore({**embedded, **shorter, **inherited, **chosen, "init_from": str(run)})


def get(name: str) -> Task[Any]:
    """Return a task; this loads NumPy, and neither Keras nor TensorFlow.

    Example:
        >>> get("upscale").accepts.field
        'image'
    """
    check(name)
    task: Task[Any] = import_module(f".{name}.pipeline", __name__).TASK
    return task


def train(
    name: str,
    run: Path | str | None = None,
    preset: str | None = None,
    *,
    file: Path | str | None = None,
    resume: bool = False,
    progress: bool = False,
    score: bool = True,
    spread: Distribution | None = None,
    **settings: Any,
) -> Pipeline[Any]:
    """Train a task and return its pipeline; the run directory keeps everything.

    Args:
        name: Task name.
        run: Run directory to make; `None` makes a new one below `runs/`.
        preset: Named settings to start from.
        file: TOML or JSON file of settings, over those of the preset.
        resume: If true, go on with the run that `run` names, or with the newest unfinished one. More `epochs` go on
            past its planned end; fewer, but more than are done, end it sooner.
        progress: If true, draw a progress bar; otherwise a line an epoch is a notice.
        score: If false, leave the test split alone; `pipeline.validation` has the metrics of the validation split.
        spread: What the training is spread over, such as `Distribution(workers=2)` of `tasks.engine.distribution`.
        settings: Values for fields of the task's config.

    Example:
        >>> pipeline = train("mnist", folder / "run", data="builtin", limit=64, epochs=1, score=False)
        >>> sorted(pipeline.validation)
        ['accuracy', 'loss']
    """
    from tasks.engine import train as training
    from tasks.engine.config import SettingError

    spread = spread or training.ALONE
    if {"epochs", "budget"} <= settings.keys():
        raise SettingError("Give `epochs` or `budget`, not both.")
    if spread.starts_workers:
        from tasks.engine.distributed import train_on_workers

        config = None if resume else configure(name, preset, file, **settings)
        return train_on_workers(get(name), config, run, settings, spread, preset=preset, score=score)
    if resume:
        return training.resume(get(name), run, settings, progress=progress, score=score, spread=spread)
    config = configure(name, preset, file, **settings)
    return training.train(get(name), config, run, preset=preset, progress=progress, score=score, spread=spread)


def dry_run(name: str, preset: str | None = None, *, file: Path | str | None = None, **settings: Any) -> dict[str, Any]:
    """Return what a training would take, by some of its steps: time, memory, disk. No run is made.

    Args:
        name: Task name.
        preset: Named settings to start from.
        file: TOML or JSON file of settings, over those of the preset.
        settings: Values for fields of the task's config.

    Example:
        >>> found = dry_run("mnist", "tiny", data="builtin", limit=200, epochs=3)
        >>> found["parameters"], found["steps"]
        (9606, 2)
    """
    from tasks.engine.dry_run import dry_run as tried

    return tried(get(name), configure(name, preset, file, **settings))


def tune(
    name: str,
    out: Path | str | None = None,
    preset: str | None = None,
    *,
    file: Path | str | None = None,
    resume: bool = False,
    trials: int | None = None,
    budget: str | None = None,
    metric: str | None = None,
    search: str | Sequence[str] = (),
    max_milliseconds: float | None = None,
    parallel: int = 1,
    address: str | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Search good settings of a task, and return what `cli.py tune --json` prints.

    The validation split decides. The test split is scored once, for the best run. `best.toml` in the folder of the
    search holds the best settings, for `train` as `file`.

    Args:
        name: Task name.
        out: Directory to make; `None` makes a new one below `runs/tune/`.
        preset: Named settings to start from, which are not searched.
        file: TOML or JSON file of settings, which are not searched either.
        resume: If true, go on with the search in `out`, or with the newest one of the task.
        trials: Trials in all; 20 if not given.
        budget: Time after which no trial goes on, such as `60m`.
        metric: Metric of the validation split to choose by, such as `accuracy`; the loss if not given.
        search: Ranges to search, such as `units=64..256` or `cell=gru,lstm`, beside those that the settings have.
        max_milliseconds: Most milliseconds of one answer of the best.
        parallel: Trials at the same time.
        address: Cluster of Ray to run them on: `local`, `auto` or `HOST:PORT`; this machine without Ray if not given.
        settings: Values for fields of the task's config, which are not searched.

    Example:
        >>> found = tune("mnist", folder / "search", data="builtin", limit=64, epochs=1, average=0, trials=2)
        >>> found["trials"]["complete"] >= 1, sorted(path.name for path in (folder / "search").iterdir())
        (True, ['best.toml', 'metrics.json', 'search.json', 'search.png', 'study.db', 'trials'])
    """
    from tasks.engine.config import SettingError, read_settings
    from tasks.engine.tuning import tune as tuning

    words = [search] if isinstance(search, str) else search
    ways = tuning.Ways(trials, budget, parallel, address)
    folder = Path(out) if out else None
    if resume:
        given = {"preset": preset, "file": file, "metric": metric, "max_milliseconds": max_milliseconds}
        fixed = [
            *(key for key, value in given.items() if value is not None),
            *(["search"] if words else []),
            *settings,
        ]
        if fixed:
            raise SettingError(f"`{fixed[0]}` cannot change when a search goes on; leave it out, or begin another.")
        return tuning.go_on(get(name), folder, ways)
    config = configure(name, preset, file, **settings)
    chosen = {**(presets(name)[preset] if preset else {}), **(read_settings(Path(file)) if file else {}), **settings}
    return tuning.begin(
        get(name), config, chosen, folder, ways, metric=metric, words=words, max_milliseconds=max_milliseconds
    )


def load(name: str, run: Path | str | None = None, **settings: Any) -> Pipeline[Any]:
    """Return the pipeline of a run.

    Args:
        name: Task name.
        run: Run directory; `None` is the newest finished run below `runs/`, or else the one that ships
            with the package.
        settings: Other values for settings that may change after training, such as a beam width.

    Example:
        >>> load("translate", beam=8).predict(["A dog runs."])[0]["translation"]
        'Ein Hund rennt.'
    """
    from tasks.engine.load import load as load_run

    return load_run(get(name), run, settings)


def evaluate(name: str, run: Path | str | None = None, split: str = "test", **settings: Any) -> Evaluation:
    """Score a run on a split of its data, and return the report and its summary.

    * Other data, a path that `settings` name as `data`, is scored whole if it names no parts.
    * Embedded data is scored if the run's own test data cannot be had and `settings` name no other. A notice says so;
      the summary then has `data` "builtin", and the scores of the run's card as `card`.

    Args:
        name: Task name.
        run: As for `load`.
        split: `train`, `valid`, `test`, or a name or path as for the setting `test`.
        settings: As for `load`.

    Example:
        >>> evaluation = evaluate("mnist", data="builtin")
        >>> evaluation.summary["examples"], evaluation.summary["metrics"]["accuracy"] > 0.9
        (359, True)
    """
    from tasks.engine import evaluate as evaluation
    from tasks.engine.places import say_places

    pipeline = evaluation.with_whole_data(load(name, run, **settings), settings)
    say_places(pipeline.config, settings)
    if split == "test" and not {"data", "data_dir", "test"} & settings.keys():
        return evaluation.evaluate_or_embedded(pipeline)
    return evaluation.evaluate(pipeline, split)


def export(
    name: str,
    out: Path | str,
    *formats: str,
    run: Path | str | None = None,
    steps: int | None = None,
    benchmark: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """Write the networks of a run for other runtimes, and return what `cli.py export --json` prints.

    Args:
        name: Task name.
        out: New directory; several formats go into folders of their names below it.
        formats: `onnx`, `saved_model`, `litert`, `openvino`, `keras`.
        run: As for `load`.
        steps: Steps that recurrences are written out over, in formats that take no loop.
        benchmark: If true, time each network and score it.
        settings: As for `load`; `data` names the examples to compare and to score, embedded ones if not given.

    Example:
        >>> found = export("mnist", folder / "digits", "onnx")
        >>> found["formats"][0]["signatures"]["classify"]["difference"] < 1e-4
        True
        >>> sorted(path.name for path in (folder / "digits").iterdir())
        ['README.md', 'classify.onnx', 'codec.json', 'layers.onnx', 'run.py', 'signature.json']
    """
    from tasks.engine.exporting.export import export as written

    embedded = configure(name, data="builtin")
    return written(get(name), run, formats, Path(out), embedded, settings, steps=steps, timed=benchmark)


def compare(
    one: Path | str | Sequence[Path | str],
    other: Path | str | Sequence[Path | str],
    *,
    task: str | None = None,
    split: str = "test",
    metric: str | None = None,
    margin: float = 0.0,
    **settings: Any,
) -> dict[str, Any]:
    """Return how a run differs from another on the same examples: each metric with its interval and p.

    Args:
        one: Run A, a directory or the name of one that ships; or a list of runs that differ in their seed.
        other: Run B, likewise.
        task: Task name, where the names of the runs do not tell it.
        split: `train`, `valid`, `test`, or a name or path as for the setting `test`.
        metric: Metric of the verdict; the main one of the task if not given.
        margin: How much worse B may be, in units of the metric.
        settings: As for `load`.

    Example:
        >>> short = {"data": "builtin", "limit": 64, "epochs": 1, "score": False}
        >>> one, other = (train("mnist", folder / name, seed=seed, **short).run for seed, name in enumerate("ab"))
        >>> found = compare(one, other)
        >>> found["metric"], found["measures"][0]["test"]
        ('accuracy', "McNemar's exact test")
    """
    from tasks.engine import compare as comparison
    from tasks.engine.run_names import task_name

    sides = [[Path(run) for run in ([side] if isinstance(side, str | Path) else side)] for side in (one, other)]
    comparison.check_sides(sides)
    name = task or task_name([*sides[0], *sides[1]], names())
    return comparison.compare(get(name), (sides[0], sides[1]), split, metric, margin, settings)


def check_data(name: str, data: str, **settings: Any) -> dict[str, Any]:
    """Return what is to know of data before training: parts, copies, odd items, labels that are probably wrong.

    Args:
        name: Task name.
        data: As the setting `data` of the task.
        settings: Values for other fields of the task's config.

    Example:
        >>> found = check_data("translate", "builtin")
        >>> found["copies"]["exact"]["tested"], found["findings"][0]
        (0, '6 inputs of the test part stand nearly equal in another part too, which flatters scores.')
    """
    from tasks.engine.check import check as checked

    return checked(get(name), configure(name, data=data, **settings))


def check(name: str) -> None:
    """Raise `SettingError` unless a task has this name.

    Example:
        >>> check("mnist")
        >>> check("sentimnt")
        Traceback (most recent call last):
        tasks.engine.config.SettingError: No task is named 'sentimnt'; choose one of: ... Did you mean 'sentiment'?
    """
    if name not in names():
        from tasks.engine.config import SettingError, nearest

        raise SettingError(f"No task is named {name!r}{nearest(name, names())}")
