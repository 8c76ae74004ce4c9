"""Tasks that are served: their runs, and the answers to what is asked together."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tasks
from data.pictures.png import png_text
from tasks.engine import runs, upkeep
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.items import BAD_INPUT
from tasks.engine.network import AskingNetwork
from tasks.engine.records import read_summary
from tasks.engine.task import IMAGE, Pipeline
from tasks.serving.metrics import Metrics
from tasks.serving.queue import LateError, Queue
from tasks.serving.settings import choices

LOG = logging.getLogger("serving")
VARIANTS = 16  # pipelines of other settings that are kept
LARGE_ANSWERS = 4  # pictures of a request whose answers are pictures
SAMPLE = "It is good."


class Found(NamedTuple):
    """What became of an input: its answer, or an error; and the run that was asked."""

    answer: JsonObject
    error: Exception | None
    run: str


class Limits(NamedTuple):
    """How much is taken.

    Attributes:
        waiting: Inputs of a task that wait at most.
        batch: Inputs that are answered together at most.
        window: Seconds that a first input waits for others.
        seconds: Time of a request, and of its coming in.
        size: Bytes of a request.
        inputs: Inputs of a request.
        characters: Characters of the texts of a request, together.
        megapixels: Largest picture.
    """

    waiting: int = 256
    batch: int = 32
    window: float = 0.002
    seconds: float = 30.0
    size: int = 10_000_000
    inputs: int = 64
    characters: int = 100_000
    megapixels: float = 4.0


class Served:
    """A task that is served.

    Args:
        run: Run directory, bundle, or the name of a run that ships; `None` is the one that ended last.

    Raises:
        FileNotFoundError, RunError, SettingError: There is no such run, or it is damaged.
    """

    def __init__(self, name: str, run: Path | None, limits: Limits, metrics: Metrics) -> None:
        self.name, self.tried = name, list[tuple[Path, int]]()
        self.variants: OrderedDict[Hashable, Pipeline[Any]] = OrderedDict()
        pipeline = self.opened(run, limits.megapixels)
        if pipeline.task.write:  # answers are large pictures, which gain nothing by being made together
            limits = limits._replace(batch=1, inputs=min(limits.inputs, LARGE_ANSWERS))
        self.limits = limits
        self.take(pipeline)
        self.queue = Queue(
            self.answer, limits.waiting, limits.batch, limits.window, lambda size: metrics.batch(name, size)
        )

    def opened(self, run: Path | None, megapixels: float) -> Pipeline[Any]:
        """Return the pipeline of a run, which reads no larger pictures than the server takes."""
        pipeline = tasks.load(self.name, run)
        if pipeline.task.accepts is IMAGE:
            least = min(megapixels, pipeline.config.megapixels)
            pipeline = pipeline.with_settings(megapixels=least)
        return pipeline

    def take(self, pipeline: Pipeline[Any]) -> None:
        """Answer from a run from now on; what is being answered keeps the one before."""
        self.pipeline, self.choices = pipeline, choices(pipeline.config)
        self.state = self.described(pipeline)

    def warm(self, pipeline: Pipeline[Any]) -> None:
        """Let a pipeline answer once, so that its files are open."""
        sample: Any = SAMPLE
        if pipeline.task.accepts is IMAGE:
            sample = np.zeros((32, 32, 3), "uint8")
            sample[8:24, 14:18] = 255
        pipeline.task.predict(pipeline, [pipeline.codec.read(sample)])

    def described(self, pipeline: Pipeline[Any]) -> JsonObject:
        """Return what clients are told of the task and its run, as JSON types."""
        others = [run for run in runs.pretrained_runs(self.name) if run.name != pipeline.run.name]
        return {
            "task": self.name,
            "summary": tasks.summary(self.name),
            "accepts": pipeline.task.accepts.field,
            "limits": pipeline.task.limits,
            "run": run_facts(pipeline.run),
            "others": [run.name for run in others],
            "alternates": [run_facts(run) for run in others],
            "settings": [choice.state() for choice in self.choices.values()],
            "max_inputs": self.limits.inputs,
        }

    def variant(self, key: Hashable) -> Pipeline[Any]:
        """Return the pipeline with other settings, given as JSON; it computes only while somebody waits."""
        pipeline = self.pipeline  # another thread may change it
        place = (pipeline.run, key)
        if place not in self.variants:
            given = dict(json.loads(str(key)))
            found = pipeline.with_settings(**given) if given else pipeline
            network = AskingNetwork(pipeline.network, self.queue.check_wanted)
            self.variants[place] = replace(found, network=network, others={})
            while len(self.variants) > VARIANTS:
                self.variants.popitem(last=False)
        self.variants.move_to_end(place)
        return self.variants[place]

    def answer(self, key: Hashable, inputs: Sequence[Any]) -> list[Found]:
        """Return what becomes of inputs that have settings in common; a bad one is no matter for the others."""
        try:
            pipeline = self.variant(key)
        except SettingError as error:  # settings that do not fit each other
            return [self.failed(error, self.pipeline)] * len(inputs)
        found: list[Found | None] = [None] * len(inputs)
        read = {}
        for place, item in enumerate(inputs):
            try:
                read[place] = pipeline.codec.read(item)
            except Exception as error:
                found[place] = self.failed(error, pipeline)
        for place, answer in zip(read, self.answers(pipeline, list(read.values())), strict=True):
            found[place] = answer
        return [one for one in found if one]

    def answers(self, pipeline: Pipeline[Any], read: Sequence[Any]) -> list[Found]:
        """Return what becomes of inputs that the codec has read: of all together, or one by one if that fails.

        Raises:
            LateError: Nobody waits for them any more.
        """
        if not read:
            return []
        try:
            made = pipeline.task.predict(pipeline, read)
            return [Found(json_answer(answer), None, pipeline.run.name) for answer in made]
        except LateError:
            raise
        except Exception as error:
            if len(read) == 1:
                return [self.failed(error, pipeline)]
            return [found for one in read for found in self.answers(pipeline, [one])]

    def failed(self, error: Exception, pipeline: Pipeline[Any]) -> Found:
        """Return an input without an answer; what is not the input's fault is logged, without the input."""
        if not isinstance(error, (*BAD_INPUT, SettingError)):
            LOG.error("%s fails: %s", self.name, type(error).__name__)
        return Found({}, error, pipeline.run.name)

    def newest(self) -> Pipeline[Any] | None:
        """Return the pipeline of a run that ended after the one that answers, if it is whole and answers.

        One that has failed is not tried again until a file of it changes.
        """
        newest = runs.find_run(self.name, None)
        if newest.resolve() == self.pipeline.run.resolve():
            return None
        state = [(path, path.stat().st_mtime_ns) for path in sorted(newest.rglob("*"))]
        if state == self.tried or upkeep.run_summary(self.name, newest)["state"] != "finished":
            return None
        self.tried = state
        pipeline = self.opened(newest, self.limits.megapixels)
        self.warm(pipeline)
        return pipeline


def run_facts(run: Path) -> JsonObject:
    """Return what clients are told of a run: its name, its data, and its score with the interval."""
    summary = read_summary(run)
    metrics = summary["metrics"] or {}
    name = next(iter(metrics), None)
    ends = {end: metrics.get(f"{name}_{end}") for end in ("low", "high")}
    score = None if name is None else {"name": name, "value": metrics[name], **ends}
    return {"name": run.name, "data": summary["data"], "examples": summary["examples"], "score": score}


def json_answer(answer: JsonObject) -> JsonObject:
    """Return an answer as JSON types: a picture is the base64 of a PNG.

    Raises:
        ValueError: A number is not finite.
    """
    found = {name: png_text(value) if isinstance(value, np.ndarray) else value for name, value in answer.items()}
    json.dumps(found, allow_nan=False)
    return found
