"""What comes after a training: a better codec, the ONNX files, and beforehand how long that and scores will take."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from data.splits import Examples, Splits
from tasks.engine import evaluate
from tasks.engine.config import TaskConfig
from tasks.engine.load import keras_part
from tasks.engine.network import ComparedNetwork, KerasNetwork, OnnxNetwork
from tasks.engine.task import Codec, Pipeline, Task

if TYPE_CHECKING:
    import keras

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")
SAMPLE = 64  # validation examples on which ONNX is checked against Keras
FEW, MORE = 16, 96  # examples whose times tell that of all


def calibrated(pipeline: Pipeline[C], splits: Splits) -> Pipeline[C]:
    """Return a Keras pipeline with a codec that its task makes better, if it does, by ONNX files: these are faster."""
    from tasks.engine import export

    if not pipeline.task.calibrate:
        return pipeline
    assert isinstance(pipeline.network, KerasNetwork)
    export.write(pipeline.network.models, pipeline.run, "float32")
    answering = replace(pipeline, network=OnnxNetwork(pipeline.run / "onnx"))
    return replace(pipeline, codec=pipeline.task.calibrate(answering, splits))


def verified_onnx(pipeline: Pipeline[C], valid: Examples) -> float:
    """Write the signatures of a Keras pipeline as ONNX, and return their largest difference from Keras."""
    from tasks.engine import export

    assert isinstance(pipeline.network, KerasNetwork)
    export.write(pipeline.network.models, pipeline.run, export.kept_storage(pipeline, valid))
    compared = ComparedNetwork(pipeline.network, OnnxNetwork(pipeline.run / "onnx"))
    inputs = [*evaluate.readable_inputs(pipeline, valid[:SAMPLE])]
    pipeline.task.predict(replace(pipeline, network=compared), inputs)
    return compared.difference


def rehearsed(task: Task[C], config: C, codec: Codec, kept: keras.Model, splits: Splits, score: bool) -> float:
    """Do with some examples what comes after a training, and return the seconds that it takes with all of them."""
    from tasks.engine import export

    shown, LOG.disabled = LOG.disabled, True
    try:
        with TemporaryDirectory() as folder:
            pipeline = Pipeline(task, config, codec, KerasNetwork(keras_part(task).signatures(kept)), Path(folder))
            begin = time.monotonic()
            verified_onnx(pipeline, splits.valid[:MORE])
            seconds = time.monotonic() - begin
            if task.calibrate:
                seconds += extrapolated(lambda some: calibrated(pipeline, with_part(splits, some)), splits.valid)
            if config.storage == "int8":
                seconds += 2 * extrapolated(lambda some: export.main_score(pipeline, some, "int8"), splits.valid)
            if score:
                answering = replace(pipeline, network=OnnxNetwork(pipeline.run / "onnx"))

                def scored(some: Examples) -> None:
                    evaluation = evaluate.score_or_none(answering, some, "test")
                    evaluate.write_report(evaluation, pipeline.run)

                seconds += extrapolated(scored, splits.test)
            return seconds
    finally:
        LOG.disabled = shown


def with_part(splits: Splits, some: Examples) -> Splits:
    """Return splits with some validation examples, and the same share of the training examples."""
    count = len(splits.train) * len(some) // len(splits.valid)
    return splits._replace(train=splits.train[:count], valid=some)


def extrapolated(work: Callable[[Examples], object], examples: Examples) -> float:
    """Return the seconds that work with all examples takes, by that with some of them, spread evenly."""

    def timed(count: int) -> float:
        begin = time.monotonic()
        work([examples[place * len(examples) // count] for place in range(count)])
        return time.monotonic() - begin

    if len(examples) <= MORE:
        return timed(len(examples)) if examples else 0.0
    timed(FEW)  # the first time is longer
    few, more = timed(FEW), timed(MORE)
    return few + max(more - few, 0.0) / (MORE - FEW) * (len(examples) - FEW)
