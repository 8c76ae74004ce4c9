"""Trials on a cluster: Ray Tune runs them, and the search decides which begin and which go on."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable
from typing import Any

from tasks.engine.cluster import connected
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.tuning.local import job_of
from tasks.engine.tuning.search import Search, Trial

OWN = {  # of Ray Tune, unless the user has set them
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the history is in the run
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # this process has its own
    "RAY_AIR_NEW_OUTPUT": "0",  # it would print tables among the answers
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}
FOLDER = ".ray"  # what Ray Tune writes; removed at the end
LOG = logging.getLogger("tasks")
Finish = Callable[[Trial, JsonObject], None]


class Course:
    """The trials of a search that a cluster runs, by the names that Ray Tune gives them.

    An error is kept for whoever waits for the cluster: Ray Tune would end with one of its own.
    """

    def __init__(self, search: Search, timed: bool, finish: Finish) -> None:
        self.search, self.timed, self.finish = search, timed, finish
        self.trials: dict[str, Trial] = {}
        self.error: Exception | None = None

    def begin(self, name: str) -> JsonObject | None:
        """Return the job of the next trial; `None` if none is to begin."""
        trial = None if self.error else self.search.begin()
        if trial is None:
            return None
        self.trials[name] = trial
        return job_of(self.search, trial, self.timed)

    def hear(self, name: str, message: str) -> bool:
        """Take what a trial reports, and return whether it goes on."""
        trial, said = self.trials.get(name), json.loads(message)
        if trial is None:
            return False
        for text in said["notices"]:
            LOG.warning("%s", text)
        try:
            if "row" in said:
                decision = self.search.epoch(trial, said["row"])
                if decision != "on":
                    self.end(name, {"ended": decision})
                return decision == "on" and self.error is None
            self.end(name, said["done"])
        except SettingError as error:
            self.error = error
        return False

    def end(self, name: str, found: JsonObject) -> None:
        """Take how a trial has ended, once."""
        trial = self.trials.pop(name, None)
        if trial is None:
            return
        try:
            self.finish(trial, found)
        except Exception as error:  # one that all trials meet
            self.error = error


def run_on_cluster(search: Search, address: str, parallel: int, timed: bool, finish: Finish) -> None:
    """Run the trials of a search on a cluster of Ray, so many at the same time.

    All its machines must see the folder of the search, and the data, under the same paths. A trial that the search
    ends goes on from its last checkpoint, if it does.

    Args:
        address: As for `connected`.
        timed: Whether to measure how long an answer takes.
        finish: As for `run_trials`.
    """
    for name, value in OWN.items():
        os.environ.setdefault(name, value)
    with connected("`tune --address`", address, parallel):
        from ray import cluster_resources, tune

        logging.getLogger("ray.tune").setLevel(logging.ERROR)  # it misses files of its own kind
        course = Course(search, timed, finish)
        left = len(search.waiting) + max(0, search.plan.trials - len(search.trials()) + len(search.trials("WAITING")))
        resources = {"cpu": 1.0} | ({"gpu": 1.0} if cluster_resources().get("GPU") else {})
        try:
            tune.Tuner(
                tune.with_resources(cluster_trial, resources),
                tune_config=tune.TuneConfig(
                    search_alg=asking(course),
                    scheduler=deciding(course),
                    num_samples=max(1, left),
                    max_concurrent_trials=parallel,
                    reuse_actors=False,
                ),
                run_config=tune.RunConfig(name="tune", storage_path=str(search.folder / FOLDER), verbose=0),
            ).fit()
        finally:
            shutil.rmtree(search.folder / FOLDER, ignore_errors=True)
        if course.error:
            raise course.error


def cluster_trial(job: JsonObject) -> None:
    """Run a trial in a process of the cluster, and report each of its epochs and its end."""
    from ray import tune

    from tasks.engine.tuning.trial import Notices, run_trial

    notices: list[str] = []

    def report(entry: JsonObject) -> None:
        tune.report({"message": json.dumps(entry | {"notices": notices})})  # Ray would take other values apart
        notices.clear()

    def tell(row: JsonObject) -> str:
        report({"row": {name: float(value) for name, value in row.items()}})
        return "on"

    handler = Notices(notices.append)
    logging.getLogger("tasks").addHandler(handler)
    report({"done": run_trial(job, tell)})


def asking(course: Course) -> Any:
    """Return what Ray Tune asks for the settings of trials."""
    from ray.tune.search import Searcher

    class Asking(Searcher):
        def suggest(self, trial_id: str) -> Any:
            return course.begin(trial_id) or Searcher.FINISHED

        def on_trial_complete(self, trial_id: str, result: JsonObject | None = None, error: bool = False) -> None:
            if error:
                failure = "Its process on the cluster ended; was there too little memory?"
                course.end(trial_id, {"failure": failure, "every": False})

        def save(self, checkpoint_path: str) -> None:
            """Keep nothing: the study has it."""

        def restore(self, checkpoint_path: str) -> None:
            """Restore nothing."""

    return Asking()


def deciding(course: Course) -> Any:
    """Return what Ray Tune asks whether a trial goes on."""
    from ray.tune.schedulers import FIFOScheduler

    class Deciding(FIFOScheduler):
        def on_trial_result(self, tune_controller: Any, trial: Any, result: JsonObject) -> str:
            return str(FIFOScheduler.CONTINUE if course.hear(trial.trial_id, result["message"]) else FIFOScheduler.STOP)

    return Deciding()
