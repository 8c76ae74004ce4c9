"""Checkpoints of a training, within an epoch too: what is needed to go on to the last bit, kept twice."""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from shutil import copyfile

import keras
import numpy as np

from tasks.engine.archives import DAMAGE, check_keras_file
from tasks.engine.config import JsonObject
from tasks.engine.files import atomic_file, write_json
from tasks.engine.members import RunError
from tasks.engine.progress import Progress, checked_state, folder_name, named_place
from tasks.engine.records import read_json
from tasks.engine.weights import inference_model, load_weights, save, seed_states

LOG = logging.getLogger("tasks")
MODEL, KEPT, BEST, STATE = "model.keras", "kept.keras", "best.keras", "state.json"
CHECKPOINT = "checkpoint"
OLD = re.compile(r"model-(\d{1,9})\.keras", re.ASCII)  # of an older version
COPIES = 4  # arrays of a weight in a file of a training, with the state of its optimizer
COUNT = 2  # checkpoints that are kept


@dataclass
class Networks:
    """The networks of a training.

    Attributes:
        model: Takes the gradient steps.
        kept: The same network in float32; it holds averaged weights, and is what validation measures.
        best: Weights of the best epoch so far, if an epoch has ended.
    """

    model: keras.Model
    kept: keras.Model
    best: list[np.ndarray] | None = None


@dataclass(frozen=True)
class Place:
    """A checkpoint on disk: its folder, its number of epochs and of steps, and its files of weights by network."""

    folder: Path
    done: tuple[int, int]
    files: dict[str, str]

    @property
    def state(self) -> Path:
        return self.folder / STATE


def places(folder: Path) -> list[Place]:
    """Return the checkpoints in a folder that are complete, the newest first.

    A version before this one kept the last epoch in the folder itself.
    """
    names = {MODEL: MODEL, KEPT: KEPT, BEST: BEST}
    found = [
        Place(path, done, names)
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (done := named_place(path.name)) and (path / STATE).is_file()
    ]
    if (folder / STATE).is_file():
        epoch = max((int(m[1]) for p in folder.iterdir() if (m := OLD.fullmatch(p.name))), default=0)
        old = {MODEL: f"model-{epoch}.keras", KEPT: f"kept-{epoch}.keras"}
        found.append(Place(folder, (epoch, 0), old))
    return sorted(found, key=lambda place: place.done, reverse=True)


def write_checkpoint(networks: Networks, progress: Progress, run: Path) -> None:
    """Write a checkpoint of a run; its state comes last, and counts. The last two checkpoints stay.

    The weights of the best epoch become those of the run too.
    """
    model, kept, folder = networks.model, networks.kept, run / CHECKPOINT
    remove_begun(folder)
    progress.seeds = [np.asarray(variable).tolist() for variable in seed_states(model)]
    place = folder / folder_name(progress.epoch, progress.step)
    save(model, place / MODEL)
    save(inference_model(kept), place / KEPT)
    if networks.best:
        weights = kept.get_weights()
        kept.set_weights(networks.best)
        save(inference_model(kept), place / BEST)
        kept.set_weights(weights)
        copy(place / BEST, run / MODEL)
    sums = {name: digest(place / name) for name in (MODEL, KEPT, BEST) if (place / name).is_file()}
    write_json(place / STATE, vars(progress) | {"checksums": sums})
    for old in places(folder)[COUNT:]:
        remove(old)


def rewrite_state(progress: Progress, run: Path) -> None:
    """Write the state of the newest checkpoint anew, with its new step size; its weights stay."""
    done = (progress.epoch, progress.step)
    place = next(place for place in places(run / CHECKPOINT) if place.done == done)
    change_state(place, {"rate": progress.rate, "retries": progress.retries})


def change_state(place: Place, changes: JsonObject) -> None:
    """Write the state of a checkpoint anew with some changes.

    Raises:
        RunError: It is damaged.
    """
    state = read_json(place.state)
    if not isinstance(state, dict):
        raise RunError(f"{str(place.state)!r} is damaged: it is not an object.")
    write_json(place.state, state | changes)


def forget_rate(run: Path) -> None:
    """Forget in all checkpoints of a run that its step size was halved."""
    for place in places(run / CHECKPOINT):
        with suppress(RunError):  # a damaged one is passed over when the training goes on
            change_state(place, {"rate": 1.0, "retries": 0})


def remove(place: Place) -> None:
    """Remove the files of a checkpoint, its state first, and its folder if nothing else is in it."""
    for name in (STATE, *place.files.values()):
        (place.folder / name).unlink(missing_ok=True)
    if not any(place.folder.iterdir()):
        place.folder.rmdir()


def remove_begun(folder: Path) -> None:
    """Remove checkpoints without a state, which may hold the space that the next one needs.

    Their writing was cut off, or they are damaged and were passed over.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        if (done := named_place(path.name)) and path.is_dir() and not (path / STATE).is_file():
            remove(Place(path, done, {name: name for name in (MODEL, KEPT, BEST)}))


def restore(
    networks: Networks, run: Path, check: Callable[[Progress], None] = lambda progress: None
) -> Progress | None:
    """Put the networks where the last checkpoint was, and return the progress; `None` without a checkpoint.

    A damaged checkpoint is left for the one before it, with a notice. It no longer counts: the next one takes its room.

    Args:
        check: Raises `ValueError` if a progress is not one of this training.

    Raises:
        RunError: There are checkpoints, and all are damaged.
    """
    found = places(run / CHECKPOINT)
    for number, place in enumerate(found):
        try:
            progress = read_place(networks, place, check)
        except RunError as error:
            said = f"{error} " if number + 1 < len(found) else ""
            if not said:
                raise RunError(f"{error} There is no checkpoint before it; begin a new run.") from error
            LOG.warning("%sThe training goes on from the checkpoint before it.", said)
        else:
            for damaged in found[:number]:
                give_up(damaged)
            return progress
    return None


def give_up(place: Place) -> None:
    """Remove the state of a damaged checkpoint, so that it does not count; several processes may do so at once."""
    if named_place(place.folder.name):  # an older version kept it among other files
        place.state.unlink(missing_ok=True)


def restore_network(model: keras.Model, run: Path) -> bool:
    """Load the averaged weights of the last checkpoint that is whole; return whether there is one."""
    for place in places(run / CHECKPOINT):
        with suppress(RunError):
            path = place.folder / place.files[KEPT]
            check_keras_file(path, model.count_params())
            load_weights(inference_model(model), path)
            return True
    return False


def read_place(networks: Networks, place: Place, check: Callable[[Progress], None]) -> Progress:
    """Put the networks where a checkpoint was, and return the progress.

    Raises:
        RunError: The checkpoint is damaged.
    """
    content = read_json(place.state)
    try:
        state = checked_state(content, place.done)
        check_sums(place, state.pop("checksums", {}))
        progress = Progress(**state)
        check(progress)
        restore_weights(networks, place, bool(progress.history))
        for variable, values in zip(seed_states(networks.model), progress.seeds, strict=True):
            variable.assign(values)
    except DAMAGE as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"The checkpoint {str(place.folder)!r} is damaged: {str(error).rstrip('.')}.") from error
    return progress


def check_sums(place: Place, sums: JsonObject) -> None:
    """Raise `ValueError` unless the files of a checkpoint have these check sums."""
    for name, value in sums.items():
        if name in place.files and digest(place.folder / place.files[name]) != value:
            raise ValueError(f"{name} is not as it was written")


def restore_weights(networks: Networks, place: Place, ended: bool) -> None:
    """Load the weights of a checkpoint; those of the best epoch too if an epoch has ended."""
    parameters = networks.model.count_params()
    check_keras_file(place.folder / place.files[MODEL], parameters, COPIES)
    load_weights(networks.model, place.folder / place.files[MODEL])
    inference = inference_model(networks.kept)
    best = place.files.get(BEST)  # an older version kept it as the run's own file
    for path in [place.folder / best if best else place.folder.parent / MODEL] if ended else []:
        check_keras_file(path, parameters)
        load_weights(inference, path)
        networks.best = networks.kept.get_weights()
    check_keras_file(place.folder / place.files[KEPT], parameters)
    load_weights(inference, place.folder / place.files[KEPT])


def copy(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all."""
    with atomic_file(target) as part:
        copyfile(source, part)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
