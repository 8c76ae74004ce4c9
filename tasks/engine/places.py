"""Places that the settings of a run name: none is written to, and none is read in silence. Standard library only."""

import dataclasses
import logging
from collections.abc import Iterable
from pathlib import Path

from tasks.engine.config import JsonObject, Settings, TaskConfig, inner_type, setting_types

LOG = logging.getLogger("tasks")
READ = ("data", "data_dir", "test", "init_from", "encoder_weights")  # settings that may name a place to read
DATA = ("data", "data_dir", "test")  # those that `evaluate` reads


def is_place(value: str) -> bool:
    """Return whether the value of a setting is a place on a machine, and not a name.

    Example:
        >>> [is_place(value) for value in ("/data/reviews", "a/b.csv,/c", "imdb_reviews", "imagenet", "..")]
        [True, True, False, False, True]
    """
    parts = [Path(part.strip()) for part in value.split(",") if part.strip()]
    return any(part.is_absolute() or part.suffix or {"..", "~"} & {*part.parts} or part.exists() for part in parts)


def without_outputs(config: type[TaskConfig], settings: Settings) -> JsonObject:
    """Return the settings of a run without those that name a file or a folder to write.

    These come from the command alone. A cache that the run was trained with is said.
    """
    types = setting_types(config)
    written = [name for name, kind in types.items() if inner_type(kind) is Path and name not in READ]
    if settings.get("cache"):
        LOG.info("This run was trained with --cache %s, which is not used unless you give it.", settings["cache"])
    return {name: value for name, value in settings.items() if name not in written}


def drawing_settings(config: type[TaskConfig]) -> dict[str, Path]:
    """Return settings that ask for every picture of an answer, so that it gets all numbers; none is drawn by them."""
    types = setting_types(config)
    return {
        field.name: Path(f"{field.name}.png")
        for field in dataclasses.fields(config)
        if field.metadata["when"] == "answer" and inner_type(types[field.name]) is Path
    }


def without_sources(settings: Settings) -> JsonObject:
    """Return the settings of a run without the places that only its training read.

    Weights that came from a file are frozen like those of ImageNet, and are in the run.
    """
    weights = {"encoder_weights": "imagenet"} if is_place(str(settings.get("encoder_weights", ""))) else {}
    return {**settings, "init_from": None, **weights}


def say_places(config: TaskConfig, given: Settings, names: Iterable[str] = DATA) -> None:
    """Give notice of each place that is about to be read because a run names it.

    Args:
        given: Settings that the command gave.
        names: Settings that are read.
    """
    settings, own = config.state(), {str(value) for value in given.values()}
    for name in names:
        value = settings.get(name)
        if value is not None and str(value) not in own and (name == "data_dir" or is_place(str(value))):
            LOG.info("Reading %r, which the run names as --%s.", str(value), name.replace("_", "-"))
