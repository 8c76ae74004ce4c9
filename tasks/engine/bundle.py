"""From a run to one file that answers: a sealed zip with check sums, and no code in it."""

import logging
from pathlib import Path

from tasks.engine import outputs, records, runs
from tasks.engine.checksums import check_content
from tasks.engine.config import SettingError, Settings
from tasks.engine.files import PART, atomic_file
from tasks.engine.members import (
    FILES,
    RunError,
    bundle_members,
    file_content,
    files_in,
    is_bundle,
    is_plain_file,
    largest_member,
    paths_in,
)
from tasks.engine.publish import is_path
from tasks.engine.sealed import SealError, write_sealed

LOG = logging.getLogger("tasks")


def write_bundle(task: str, run: Path, out: Path) -> list[str]:
    """Write a run into a new bundle, whole or not at all, and return the names of the files in it.

    A bundle holds all files of a run but its checkpoints: those that answer, scores, history, figures and card. The
    same run gives the same bytes.

    Args:
        run: Run directory, a bundle, or the name of a run that ships.
        out: New file that ends in `.zip`.

    Raises:
        FileNotFoundError: There is no such run.
        FileExistsError, WriteError: The file exists, or cannot be written.
        RunError: The run is not finished, or damaged.
        SettingError: It is a run of another task, or the file has another ending.
    """
    if out.suffix.lower() != ".zip":
        raise SettingError(f"A bundle is a zip; received {str(out)!r}; let the name end in .zip.")
    if out.exists():
        raise FileExistsError(f"{str(out)!r} exists; name a new file.")
    outputs.check_folder(out)
    run = runs.named_run(task, run)
    settings = runs.read_config(run, task)
    if not runs.is_finished(run):
        raise RunError(f"{str(run)!r} is not finished; bundle a run that has its scores.")
    names = bundled_names(run)
    sums = records.facts_of(run).get("checksums", {})
    say_places(settings)

    def content(name: str) -> bytes:
        found = file_content(run / name, largest_member(name))
        check_content(run / name, found, sums)
        return found

    with atomic_file(out) as part, part.open("wb") as file:
        try:
            write_sealed(file, names, content)
        except SealError as error:
            raise RunError(f"{str(run)!r} cannot be bundled: {error}.") from error
    return names


def bundled_names(run: Path) -> list[str]:
    """Return the names of the files of a run that a bundle holds; a notice counts others that are left out.

    Raises:
        RunError: A file that answers is missing.
    """
    if is_bundle(run):
        return [*bundle_members(run)]
    inside = [*files_in(run / "onnx", ".onnx"), *files_in(run / "figures", ".png")]
    found = [
        path.relative_to(run).as_posix() for path in (*(run / name for name in FILES), *inside) if is_plain_file(path)
    ]
    kept = [name for name in found if largest_member(name)]
    missing = records.facts_of(run).get("checksums", {}).keys() - set(kept)
    if missing:
        raise RunError(f"{str(run)!r} is an incomplete run: it has no {min(missing)}.")
    others = [
        path for folder in ("onnx", "figures") for path in paths_in(run / folder) if not path.name.startswith(PART)
    ]
    if left := sorted({path.relative_to(run).as_posix() for path in others} - set(kept)):
        LOG.warning("Left out of the bundle: %d, such as %r; a bundle holds no file of that name.", len(left), left[0])
    return kept


def say_places(settings: Settings) -> None:
    """Give notice of settings that name places of this machine, which whoever has the bundle can read."""
    named = [name for name, value in settings.items() if any(map(is_path, str(value).split(",")))]
    if named:
        LOG.warning(
            "The bundle names places of this machine, as its run does, in: %s; `python -m tasks.engine.publish` makes "
            "a run without them.",
            ", ".join(named),
        )
