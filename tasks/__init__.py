"""Machine-learning tasks, usable from Python and from the command line.

Importing this package loads no machine-learning library and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.engine.config import TaskConfig
    from tasks.engine.task import Pipeline, Task

__all__ = ["config_class", "configure", "get", "load", "names", "presets", "summary", "train"]


def names() -> list[str]:
    """Return the task names: the folders of this package that hold a pipeline."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/pipeline.py"))


def summary(name: str) -> str:
    """Return what a task does, in one line."""
    check(name)
    return (import_module(f"tasks.{name}").__doc__ or "").partition("\n")[0]


def config_class(name: str) -> type[TaskConfig]:
    """Return the config dataclass of a task, without loading the task itself."""
    check(name)
    config: type[TaskConfig] = import_module(f"tasks.{name}.config").Config
    return config


def presets(name: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the named settings of a task; the first preset is the default."""
    check(name)
    named: Mapping[str, Mapping[str, Any]] = import_module(f"tasks.{name}.config").PRESETS
    return named


def configure(name: str, preset: str | None = None, file: Path | str | None = None, **settings: Any) -> TaskConfig:
    """Return a config: the defaults, then those for the embedded data, the preset, the file, the settings.

    Raises:
        SettingError: A name is unknown, or a value is out of range.
        FileNotFoundError: There is no such file.
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
    embedded = getattr(import_module(f"tasks.{name}.config"), "BUILTIN", {}) if data == "builtin" else {}
    return config_class(name).restore({**embedded, **chosen})


def get(name: str) -> Task[Any]:
    """Return a task; this loads NumPy, and neither Keras nor TensorFlow."""
    check(name)
    task: Task[Any] = import_module(f"tasks.{name}.pipeline").TASK
    return task


def train(
    name: str,
    run: Path | str | None = None,
    preset: str | None = None,
    *,
    file: Path | str | None = None,
    resume: bool = False,
    progress: bool = False,
    **settings: Any,
) -> Pipeline[Any]:
    """Train a task and return its pipeline; the run directory keeps everything.

    Args:
        name: Task name.
        run: Run directory to make; `None` makes a new one below `runs/`.
        preset: Named settings to start from.
        file: TOML or JSON file of settings, over those of the preset.
        resume: Go on with the run that `run` names instead, or with the newest unfinished one.
        progress: Whether to show a progress bar.
        settings: Values for fields of the task's config.
    """
    from tasks.engine import workflow

    if resume:
        return workflow.resume(get(name), run, settings, progress=progress)
    return workflow.train(get(name), configure(name, preset, file, **settings), run, progress=progress)


def load(name: str, run: Path | str | None = None, **settings: Any) -> Pipeline[Any]:
    """Return the pipeline of a run, with other runtime settings if given.

    Args:
        name: Task name.
        run: Run directory; `None` is the newest finished run below `runs/`, or else the one that ships
            with the package.
        settings: Values for the runtime fields of the task's config.
    """
    from tasks.engine import workflow

    return workflow.restore(get(name), run, settings)


def check(name: str) -> None:
    """Raise `SettingError` unless a task has this name."""
    if name not in names():
        from tasks.engine.config import SettingError, nearest

        raise SettingError(f"No task is named {name!r}{nearest(name, names())}")
