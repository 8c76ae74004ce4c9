"""The task that runs are of, by their directories or by the names of runs that ship. Standard library only."""

from collections.abc import Sequence
from pathlib import Path

from tasks.engine import runs
from tasks.engine.config import SettingError
from tasks.engine.members import RunError, is_run
from tasks.engine.records import read_json


def task_name(given: Sequence[Path], names: Sequence[str]) -> str:
    """Return the name of the task that all runs are of, paths or names of runs that ship.

    Args:
        names: Names of all tasks.

    Raises:
        FileNotFoundError: There is no such run.
        RunError: One is damaged.
        SettingError: They are of different tasks, or of several by their names.
    """
    found = {run: run_tasks(run, names) for run in given}
    common = [name for name in names if all(name in each for each in found.values())]
    if len(common) == 1:
        return common[0]
    said = "; ".join(f"{str(run)!r} of {' or '.join(each)}" for run, each in found.items())
    way = "say which with --task" if common else "give runs of one task"
    raise SettingError(f"The runs are {said}; {way}.")


def run_tasks(run: Path, names: Sequence[str]) -> list[str]:
    """Return the names of the tasks that have this run."""
    if is_run(run):
        config = read_json(run / "config.json")
        if not isinstance(config, dict) or config.get("task") not in names:
            raise RunError(f"{str(run / 'config.json')!r} is damaged: it names no task.")
        return [config["task"]]
    shipped = {name: [one.name for one in runs.pretrained_runs(name)] for name in names}
    found = [name for name, each in shipped.items() if run.name in each and len(run.parts) == 1]
    if not found:
        known = ", ".join(sorted({one for each in shipped.values() for one in each}))
        raise FileNotFoundError(f"There is no run directory {str(run)!r}; runs that ship: {known}.")
    return found
