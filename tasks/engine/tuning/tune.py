"""From settings to the best of a search: trials, the file of settings, the picture, and one look at the test split."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from data.packages import check_packages
from tasks.engine import runs
from tasks.engine.config import JsonObject, SettingError, TaskConfig, budget_seconds
from tasks.engine.files import make_folder
from tasks.engine.logs import named_logs
from tasks.engine.signals import ENDING
from tasks.engine.task import Task
from tasks.engine.terminal import WorkError
from tasks.engine.train import NEEDED, with_absolute_places
from tasks.engine.tuning import results
from tasks.engine.tuning.local import run_trials
from tasks.engine.tuning.plan import FILE, TRIALS, Plan
from tasks.engine.tuning.search import Search, Trial
from tasks.engine.tuning.space import search_space

C = TypeVar("C", bound=TaskConfig)
KEPT = runs.KEPT / "tune"
LOG = logging.getLogger("tasks")


class Ways(NamedTuple):
    """How the trials of a search run, which may change when it goes on.

    Attributes:
        trials: Trials in all; `None` as before, or 20.
        budget: Time of this call, such as `60m`; `None` has no end.
        parallel: Trials at the same time.
        address: Cluster of Ray that they run on; `None` is this machine.
    """

    trials: int | None = None
    budget: str | None = None
    parallel: int = 1
    address: str | None = None


def begin(
    task: Task[C],
    config: C,
    chosen: JsonObject,
    folder: Path | None,
    ways: Ways,
    *,
    metric: str | None = None,
    words: Sequence[str] = (),
    max_milliseconds: float | None = None,
) -> JsonObject:
    """Search good settings of a task, and return the summary of the search.

    Args:
        config: Settings without a search.
        chosen: Those of them that the user gave, which are not searched.
        folder: Directory to make; `None` makes a new one below `runs/tune/`.
        metric: Metric of the validation split that is to be good; the loss if `None`.
        words: Ranges that the user has chosen; see `search_space`.
        max_milliseconds: Most milliseconds of one answer.

    Raises:
        SettingError: There is no such metric, or a range cannot be used.
        FileExistsError: The directory is not empty.
        WorkError: No trial can have its data, or all have failed.
    """
    check_ways(ways, max_milliseconds)
    named_logs(config.log)
    config = with_absolute_places(config)
    given = {name: value for name, value in config.state().items() if name in chosen}
    plan = Plan(
        task=task.name,
        metric=metric or "loss",
        trials=ways.trials or TRIALS,
        seed=config.seed,
        settings=config.state(),
        chosen=given,
        space=search_space(config, chosen, words),
        max_milliseconds=max_milliseconds,
    )
    made = runs.empty_directory(folder or runs.new_directory(KEPT / task.name)).resolve()
    make_folder(made)
    with results.locked(made):
        plan.write(made)
        return complete(task, plan, made, ways)


def go_on(task: Task[C], folder: Path | None, ways: Ways) -> JsonObject:
    """Go on with a search, and return its summary; trials that were under way go on from their checkpoints.

    Args:
        folder: Directory of the search; `None` is the newest one of the task below `runs/tune/`.

    Raises:
        FileNotFoundError: There is no search to go on with.
    """
    check_ways(ways, None)
    if folder is None:
        found = sorted(path.parent for path in (KEPT / task.name).glob(f"*/{FILE}"))
        if not found:
            raise FileNotFoundError(f"No search for {task.name!r} is here; begin one with: tune {task.name}.")
        folder = found[-1]
    folder = folder.resolve()
    plan = Plan.read(folder, task.name)
    with results.locked(folder):
        if ways.trials is not None and ways.trials != plan.trials:
            plan = plan.with_trials(ways.trials)
            plan.write(folder)
        return complete(task, plan, folder, ways)


def check_ways(ways: Ways, max_milliseconds: float | None) -> None:
    """Raise an error if a search cannot run so, or a package for it is missing."""
    check_packages("`tune`", *NEEDED, "tune", *(["ray"] if ways.address else []))
    budget_seconds(ways.budget)
    for name, value in (("trials", ways.trials), ("parallel", ways.parallel), ("max_milliseconds", max_milliseconds)):
        if value is not None and value <= 0:
            raise SettingError(f"`{name}` must be above 0; received {value}.")


def complete(task: Task[Any], plan: Plan, folder: Path, ways: Ways) -> JsonObject:
    """Run the trials that a search has left, and return its summary, with everything written.

    Raises:
        WorkError: As for `begin`.
    """
    LOG.info("Search: %s", folder)
    seconds = budget_seconds(ways.budget)
    config = task.config.restore(plan.settings)
    deadline = None if seconds is None else time.monotonic() + seconds
    with closing(Search(plan, config, folder, deadline)) as search:
        again = results.again(plan, folder)
        ENDING.text = f"Stopped; `{again}` goes on with its trials."
        if search.waiting:
            LOG.info("Trials that were under way, and go on: %d.", len(search.waiting))
        try:
            run(search, ways)
        except (SettingError, WorkError):
            results.remove_start(search)
            raise
        return results.finished(task, search, again)


def run(search: Search, ways: Ways) -> None:
    """Run the trials that a search has left.

    Raises:
        SettingError: The history has no such metric.
        WorkError: As for `begin`.
    """

    def finish(trial: Trial, found: JsonObject) -> None:
        if found.get("every"):
            raise WorkError(found["failure"], found["code"])
        if "failure" in found:
            more = {name: found[name] for name in ("code", "traceback") if name in found}
            search.fail(trial, found["failure"], **more)
        elif found.get("ended") == "prune":
            search.prune(trial)
        elif "ended" not in found:
            search.complete(trial, found["validation"], found["milliseconds"])

    timed = search.plan.max_milliseconds is not None
    if ways.address:
        from tasks.engine.tuning.on_ray import run_on_cluster

        run_on_cluster(search, ways.address, ways.parallel, timed, finish)
    else:
        with ENDING.waiting():
            run_trials(search, ways.parallel, timed, finish)
