"""What a search is about, kept in its folder so that it can go on. Standard library only."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tasks.engine.config import JsonObject, Kind, SettingError
from tasks.engine.files import write_json
from tasks.engine.members import RunError
from tasks.engine.records import typed_json
from tasks.engine.tuning.space import Range

FILE = "search.json"
TRIALS = 20
LOWER = ("loss", "error")  # how the name of a metric ends of which a smaller value is better
STATE: dict[str, Kind] = {
    "task": str,
    "metric": str,
    "trials": int,
    "seed": int,
    "settings": dict,
    "chosen": dict,
    "space": dict,
    "max_milliseconds": float | None,
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a search is about.

    Attributes:
        task: Name of the task.
        metric: Name of the metric of the validation split.
        trials: Trials in all.
        seed: Seed of the search, which is that of the trainings.
        settings: All settings without a search, as JSON types.
        chosen: Those of them that the user gave, by a preset, a file or an option.
        space: Where the search looks, by setting.
        max_milliseconds: Most milliseconds of one answer; `None` does not measure it.
    """

    task: str
    metric: str
    trials: int
    seed: int
    settings: JsonObject
    chosen: JsonObject
    space: dict[str, Range]
    max_milliseconds: float | None

    @property
    def is_lower_better(self) -> bool:
        """Return whether a smaller value of the metric is better."""
        return self.metric.endswith(LOWER)

    def is_better(self, one: float, other: float) -> bool:
        """Return whether a value of the metric is better than another one."""
        return one < other if self.is_lower_better else one > other

    def with_trials(self, trials: int) -> Self:
        """Return the plan of a search that has more trials, or fewer."""
        return dataclasses.replace(self, trials=trials)

    def write(self, folder: Path) -> None:
        """Write the plan into the folder of its search."""
        space = {name: found.state() for name, found in self.space.items()}
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        write_json(folder / FILE, fields | {"space": space})

    @classmethod
    def read(cls, folder: Path, task: str) -> Self:
        """Return the plan of a search.

        Raises:
            FileNotFoundError: There is no search.
            SettingError: It is of another task.
            RunError: Its file is damaged.
        """
        path = folder / FILE
        if not path.is_file():
            raise FileNotFoundError(f"There is no search in {str(folder)!r}; begin one with: tune {task}.")
        state = typed_json(path, STATE, {})
        if state["task"] != task:
            raise SettingError(f"{str(folder)!r} is a search for {state['task']!r}, not for {task!r}.")
        try:
            space = {name: Range.restore(one) for name, one in state["space"].items()}
            return cls(**{name: state[name] for name in STATE} | {"space": space})
        except (TypeError, KeyError) as error:
            raise RunError(f"{str(path)!r} is damaged: {error}.") from error
