"""Enlargement of picture files into picture files."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

from data.pictures.files import SUFFIXES
from data.pictures.output import (
    check_name,
    check_photo,
    format_of,
    make_parent_folder,
    write_photo,
    written_format,
    written_path,
)
from data.pictures.photo import read_photo
from tasks.engine.task import Answer, Pipeline
from tasks.upscale.choice import chosen_pipeline
from tasks.upscale.config import Config
from tasks.upscale.enlarge import enlarged_photo

MARKER = re.compile(r"-x[234]$")  # at the end of the names of enlarged pictures


def write(pipeline: Pipeline[Config], name: str, out: Path | None, show: bool) -> Answer:
    """Enlarge a picture file into a new file, with its metadata, and return the answer.

    Whether its format can hold the answer is known before the work.

    Args:
        out: A new file, whose suffix is the format; or a folder, created if it is missing. `None` writes
            `photo-x2.png` beside `photo.png`.
        show: If true, draw a progress bar on standard error.

    Raises:
        FileExistsError: The output file exists; it is not overwritten.
        OutputError: The output file cannot be written.
    """
    target, is_chosen = target_file(pipeline, Path(name), out)
    if target.exists():
        if target.samefile(name):
            raise FileExistsError(
                f"{str(target)!r} exists, and is the picture itself; name another file or folder with --out."
            )
        if pipeline.config.skip_existing:
            return {"image": str(target), "skipped": True}
        raise FileExistsError(f"{str(target)!r} exists; name another file or folder with --out.")
    start, photo = time.monotonic(), read_photo(Path(name), pipeline.config.megapixels)
    form = written_format(photo, target, is_chosen)
    check_photo(photo, pipeline.config.scale, form, target)
    make_parent_folder(target)
    chosen, marks = chosen_pipeline(pipeline, photo)
    photo = enlarged_photo(chosen, photo, show)
    write_photo(photo, target, form)
    height, width = photo.pixels.shape[:2]
    seconds = round(time.monotonic() - start, 2)
    return {"image": str(target), "width": width, "height": height, "seconds": seconds, **marks}


def target_file(pipeline: Pipeline[Config], file: Path, out: Path | None) -> tuple[Path, bool]:
    """Return the file to write for a picture, and whether a user has chosen its format.

    Raises:
        OutputError: `out` ends as a picture does that is not written.
    """
    if out is None:
        return written_path(file.with_stem(f"{file.stem}-x{pipeline.config.scale}")), False
    check_name(out)
    if not out.is_dir() and format_of(out) is not None:
        return out, True
    return written_path(out / file.name), False


def originals(name: str) -> Iterator[str]:
    """Yield the pictures that a file with this name could be an enlargement of, which has its place beside them."""
    file = Path(name)
    if MARKER.search(file.stem):
        yield from (str(file.with_name(MARKER.sub("", file.stem) + suffix)) for suffix in (file.suffix, *SUFFIXES))
