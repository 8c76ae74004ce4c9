"""A search under way: it asks Optuna for settings, tells it how trials go, and decides which go on."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tasks.engine.config import Json, JsonObject, SettingError, TaskConfig
from tasks.engine.runs import kept_epoch
from tasks.engine.tuning.plan import Plan
from tasks.engine.tuning.space import Range, shown

FILE = "study.db"
RUNS = "trials"  # folder of the runs of a search
FACTOR = 3  # of the trials that reach a rung, the best one of so many goes on; the next rung is so many times as far
RUNGS = 4  # the first rung is at this part of the epochs
RANDOM = 5  # trials with random settings before the sampler has something to learn from
Decision = Literal["on", "prune", "stop"]
LOG = logging.getLogger("tasks")


@dataclass
class Trial:
    """A trial that is under way.

    Attributes:
        own: The trial of Optuna.
        config: Settings to train with.
        run: Its run directory.
        rows: The history so far.
        known: Epochs that Optuna knows of.
    """

    own: Any
    config: TaskConfig
    run: Path
    rows: list[JsonObject] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)

    @property
    def number(self) -> int:
        """Return the number of the trial; 0 has the settings without a search."""
        return int(self.own.number)


class Search:
    """A search under way, in its folder; its study is open.

    Args:
        plan: What it is about.
        config: Settings without a search.
        deadline: When no trial may go on any more, by the monotonic clock.
    """

    def __init__(self, plan: Plan, config: TaskConfig, folder: Path, deadline: float | None) -> None:
        self.plan, self.config, self.folder, self.deadline = plan, config, folder, deadline
        self.study, self.storage = opened_study(plan, folder, config.epochs)
        if not self.study.get_trials(deepcopy=False):
            start = config.state()
            self.study.enqueue_trial(
                {name: shown(start[name]) for name, found in plan.space.items() if found.holds(start[name])}
            )
        self.waiting = self.trials("RUNNING")  # of an earlier process
        self.reason = ""  # why no other trial begins

    def close(self) -> None:
        """Close the file of the study."""
        self.storage.remove_session()
        self.storage.engine.dispose()

    def trials(self, *states: str) -> list[Any]:
        """Return the trials of Optuna that are in one of some states, by number."""
        return [one for one in self.study.get_trials(deepcopy=False) if not states or one.state.name in states]

    def begin(self) -> Trial | None:
        """Return the next trial: one that an earlier process has left, or a new one; `None` if none is to begin."""
        import optuna

        while True:
            if self.is_late(0.0):
                self.reason = "the time is up"
                return None
            known: set[int] = set()
            if self.waiting:
                left = self.waiting.pop(0)
                own, known = optuna.trial.Trial(self.study, left._trial_id), set(left.intermediate_values)
            elif sum(one.state.name != "WAITING" for one in self.trials()) >= self.plan.trials:
                self.reason = "all trials have begun"
                return None
            elif self.is_late(self.mean_seconds()):
                self.reason = "another trial would not end in time"
                return None
            else:
                own = self.study.ask()
            try:
                config = self.config.restore(self.config.state() | self.suggested(own))
            except SettingError as error:
                self.fail(Trial(own, self.config, self.run_of(own.number)), f"Its settings do not fit: {error}")
                continue
            return Trial(own, config, self.run_of(own.number), known=known)

    def run_of(self, number: int) -> Path:
        """Return the run directory of a trial."""
        return self.folder / RUNS / f"{number:04}"

    def is_late(self, seconds: float) -> bool:
        """Return whether it is too late for something that takes so long."""
        return self.deadline is not None and time.monotonic() + seconds > self.deadline

    def mean_seconds(self) -> float:
        """Return the mean of what the trials have taken that have ended; 0 before the first has."""
        taken = [float(one.user_attrs["seconds"]) for one in self.trials() if "seconds" in one.user_attrs]
        return sum(taken) / len(taken) if taken else 0.0

    def suggested(self, own: Any) -> JsonObject:
        """Return the settings of a trial that are searched; the first has those without a search."""
        start = self.config.state()
        return {
            name: suggestion(own, name, found)
            for name, found in self.plan.space.items()
            if own.number or found.holds(start[name])
        }

    def epoch(self, trial: Trial, row: JsonObject) -> Decision:
        """Note an epoch of a trial by its row of the history, and return whether it goes on.

        An epoch that is trained again, after a kill or a divergence, is not reported again.

        Raises:
            SettingError: The history has no such metric.
        """
        metric, step = f"val_{self.plan.metric}", int(row["epoch"])
        if metric not in row:
            names = sorted(name.removeprefix("val_") for name in row if name.startswith("val_"))
            raise SettingError(f"`metric` must be one of {', '.join(names)}; received {self.plan.metric!r}.")
        trial.rows = [*(one for one in trial.rows if one["epoch"] < step), row]
        if step not in trial.known:
            trial.own.report(value_so_far(trial)[metric], step)
            trial.known.add(step)
        if step < max(trial.known) or step >= trial.config.epochs:
            return "on"
        if self.is_late(0.0):
            return "stop"
        return "prune" if trial.number and trial.own.should_prune() else "on"

    def complete(self, trial: Trial, validation: dict[str, float], milliseconds: float | None) -> None:
        """Tell Optuna that a trial has ended with these metrics."""
        value = validation[self.plan.metric]
        if milliseconds is not None and self.plan.max_milliseconds is not None:
            trial.own.set_user_attr("milliseconds", milliseconds)
            trial.own.set_constraint("milliseconds", milliseconds - self.plan.max_milliseconds)
        for name, measured in validation.items():
            trial.own.set_user_attr(name, measured)
        self.end(trial, value, "COMPLETE")
        slow = f", {milliseconds:.3g} ms an answer" if milliseconds is not None else ""
        self.say(trial, f"{self.plan.metric} {value:.4f}{slow}")

    def prune(self, trial: Trial) -> None:
        """Tell Optuna that a trial was pruned."""
        self.end(trial, None, "PRUNED")
        self.say(trial, f"pruned after {len(trial.rows)} of {trial.config.epochs} epochs")

    def fail(self, trial: Trial, reason: str, **more: Json) -> None:
        """Tell Optuna that a trial has failed, why, and what more is known of that."""
        for name, value in {"failure": reason, **more}.items():
            trial.own.set_user_attr(name, value)
        self.end(trial, None, "FAIL")
        LOG.warning("Trial %d failed: %s", trial.number, reason)

    def end(self, trial: Trial, value: float | None, state: str) -> None:
        """Tell Optuna how a trial has ended."""
        import optuna

        trial.own.set_user_attr("seconds", round(time.monotonic() - trial.began, 2))
        trial.own.set_user_attr("run", str(trial.run))
        self.study.tell(trial.own, value, state=optuna.trial.TrialState[state])

    def say(self, trial: Trial, ended: str) -> None:
        """Give notice of how a trial has ended, and of the best one so far."""
        best = self.best()
        beside = f"; best so far {best.value:.4f} (trial {best.number})" if best else ""
        LOG.info(
            "Trial %d (%d in all), %.0f s: %s%s.",
            trial.number, self.plan.trials, time.monotonic() - trial.began, ended, beside,
        )  # fmt: skip

    def best(self) -> Any:
        """Return the best of the complete trials that answer fast enough; `None` if there is none."""
        found = None
        for one in self.trials("COMPLETE"):
            if all(value <= 0 for value in one.constraints.values()) and (
                found is None or self.plan.is_better(one.value, found.value)
            ):
                found = one
        return found

    def counts(self) -> dict[str, int]:
        """Return how many trials are complete, pruned, failed and unfinished."""
        count = Counter(one.state.name for one in self.trials())
        names = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL", "unfinished": "RUNNING"}
        return {name: count[state] for name, state in names.items()}


def value_so_far(trial: Trial) -> Mapping[str, float]:
    """Return the row of the epoch that stands for a trial so far.

    It is the one whose weights would be kept. Before weights are averaged it is the last one, since none of those is
    kept in the end.
    """
    waits = trial.config.average and len(trial.rows) <= trial.config.epochs - trial.config.average
    return trial.rows[-1] if waits else kept_epoch(trial.rows, trial.config)


def opened_study(plan: Plan, folder: Path, epochs: int) -> tuple[Any, Any]:
    """Return the study of Optuna of a search, which is made if it is not there, and its file.

    A sampler that goes on has another seed, since it would suggest again what it suggested first.
    """
    import optuna
    from sqlalchemy import URL

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    address = URL.create("sqlite", database=str((folder / FILE).resolve())).render_as_string()
    storage = optuna.storages.RDBStorage(address)
    study = optuna.create_study(
        study_name=plan.task,
        storage=storage,
        direction="minimize" if plan.is_lower_better else "maximize",
        pruner=optuna.pruners.SuccessiveHalvingPruner(
            min_resource=max(1, -(-epochs // RUNGS)), reduction_factor=FACTOR
        ),
        load_if_exists=True,
    )
    done = len(study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=plan.seed + done, n_startup_trials=RANDOM)
    return study, storage


def suggestion(own: Any, name: str, found: Range) -> Json:
    """Return the value that Optuna suggests for a setting, of JSON types."""
    if found.choices:
        return found.value(own.suggest_categorical(name, list(map(shown, found.choices))))
    if isinstance(found.low, int):
        return own.suggest_int(name, found.low, int(found.high), step=found.step or 1, log=found.log)
    return own.suggest_float(name, found.low, found.high, log=found.log)
