"""Which run enlarges a JPEG file: one that has learnt the artefacts of JPEG, if that answers better."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from data.pictures.photo import Photo
from tasks.engine import runs
from tasks.engine.config import JsonObject
from tasks.engine.load import other_run
from tasks.engine.task import Pipeline
from tasks.upscale.config import Config

QUALITY = 90  # up to which the runs for JPEG files answer better; chosen on validation pictures, see RESULTS.md
REMARKS = {  # on marks of answers
    "run": "{count:,} of {total:,} pictures are JPEG files of quality 90 or below; the run for such files enlarges "
    "them.",
    "artefacts": "{count:,} of {total:,} pictures are JPEG files of quality 90 or below, and this run enlarges their "
    "artefacts too; --source jpeg takes one that does not.",
}


class Choice(NamedTuple):
    """The pipeline that enlarges a picture, and what its answer says of that."""

    pipeline: Pipeline[Config]
    marks: JsonObject


def chosen_pipeline(pipeline: Pipeline[Config], photo: Photo) -> Choice:
    """Return the pipeline for a photo.

    A JPEG file up to `QUALITY` goes to the shipped run for such files, unless the user has chosen a run or trained one.
    """
    if pipeline.config.source == "jpeg" or photo.quality is None or photo.quality > QUALITY:
        return Choice(pipeline, {})
    run = jpeg_run(pipeline.task.name, pipeline.config.scale)
    shipped = pipeline.run in runs.pretrained_runs(pipeline.task.name)
    if run is None or not shipped or pipeline.wanted is None or "source" in pipeline.wanted:
        return Choice(pipeline, {"artefacts": True})
    return Choice(other_run(pipeline, run), {"run": run.name})


@cache
def jpeg_run(task: str, scale: int) -> Path | None:
    """Return the shipped run for JPEG files and a scale, if there is one."""
    for run in runs.pretrained_runs(task):
        settings = runs.read_config(run, task)
        if (settings.get("source"), settings.get("scale")) == ("jpeg", scale):
            return run
    return None
