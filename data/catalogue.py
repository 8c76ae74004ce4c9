"""Data sets of the TensorFlow Datasets catalogue, as raw examples."""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, TypeAlias

from data.columns import Names
from data.packages import needed_for
from data.splits import Example, UnavailableError

BATCH = 1024  # rows read at a time
Builder: TypeAlias = Any  # a `tfds.core.DatasetBuilder`; TensorFlow Datasets has no types
Value: TypeAlias = Any  # a value of an example
NAME = re.compile(r"[a-z][a-z0-9_]*(/[A-Za-z0-9_.-]+)?(:[0-9.*]+)?")


def is_name(text: str) -> bool:
    """Return whether `text` has the form of a catalogue name, such as `ted_hrlr_translate/pt_to_en`."""
    return NAME.fullmatch(text) is not None


def read(
    name: str,
    splits: Sequence[str],
    columns: Names,
    data_dir: Path | None = None,
    *,
    optional: Sequence[str] = (),
    change: Callable[[Example], Example] = dict,
) -> dict[str, list[Example]]:
    """Return splits of a catalogue data set, downloaded by TensorFlow Datasets if necessary.

    Args:
        name: Catalogue name, for instance `mnist`.
        splits: Names of the splits to read, as in the catalogue.
        columns: Field of an example -> names that its column may have in the catalogue. `a/b` is the column `b` inside
            the column `a`.
        data_dir: Folder of prepared data sets; `None` is `TFDS_DATA_DIR`, or the library's own default.
        optional: Names of splits to read if the data set has them.
        change: Function applied to each example as it is read.

    Raises:
        UnavailableError: The data set is unknown, or is not prepared and cannot be downloaded.
    """
    builder = data_set_builder(name, data_dir)
    if not builder.is_prepared():
        prepare(builder, name)
    places = feature_columns(builder, name, columns)
    check_splits(builder, name, splits)
    found = (*splits, *(split for split in optional if split in builder.info.splits))
    return {split: [change(row) for row in split_rows(builder, split, places)] for split in found}


def data_set_builder(name: str, data_dir: Path | None) -> Builder:
    """Return the builder of a data set.

    Raises:
        UnavailableError: The catalogue has no such data set, or is not installed.
    """
    with needed_for(f"Data set {name!r}", ", or give a path, or --data builtin"):
        import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    logging.getLogger("absl").setLevel(logging.ERROR)
    try:
        return tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except tfds.core.DatasetNotFoundError as error:
        import difflib

        near = difflib.get_close_matches(name.partition("/")[0], tfds.list_builders(), n=1)
        raise UnavailableError(
            f"TensorFlow Datasets has no data set {name!r}; give a name of its catalogue, a path, or --data builtin."
            + (f" Did you mean {near[0]!r}?" if near else "")
        ) from error


def feature_columns(builder: Builder, name: str, columns: Names) -> dict[str, str]:
    """Return the column of each field: the first of its names that a data set has.

    Raises:
        UnavailableError: The data set has none of them.
    """
    known = set(builder.info.features)
    found = {
        field: next((column for column in names if column.partition("/")[0] in known), None)
        for field, names in columns.items()
    }
    missing = next((field for field, column in found.items() if column is None), None)
    if missing is not None:
        raise UnavailableError(
            f"Data set {name!r} has no column {columns[missing][0]!r}; its columns are: "
            f"{', '.join(builder.info.features)}."
        )
    return {field: column for field, column in found.items() if column is not None}


def check_splits(builder: Builder, name: str, splits: Sequence[str]) -> None:
    """Raise `UnavailableError` unless a data set has all splits; one without any splits passes."""
    missing = [split for split in splits if split not in builder.info.splits]
    if builder.info.splits and missing:
        raise UnavailableError(
            f"Data set {name!r} has no split {missing[0]!r}; its splits are: {', '.join(builder.info.splits)}."
        )


def prepare(builder: Builder, name: str) -> None:
    """Download and prepare a data set.

    Library output goes to standard error, because standard output carries answers.

    Raises:
        UnavailableError: The data set cannot be downloaded.
    """
    import socket
    from urllib.parse import urlsplit

    try:
        for url in [*builder.url_infos][:1]:  # fail at once without a network, instead of after ten tries
            socket.getaddrinfo(urlsplit(url).hostname, 443)
        with redirect_stdout(sys.stderr):
            builder.download_and_prepare()
    except Exception as error:  # a download can raise anything; it means the same to the user
        folder = builder.data_path.parents[builder.info.full_name.count("/")]
        reason = "no network" if isinstance(error, OSError) else type(error).__name__
        raise UnavailableError(
            f"Data set {name!r} is not prepared in {str(folder)!r} and could not be downloaded ({reason}). "
            f"Give --data-dir its folder, or use --data builtin."
        ) from error


def split_rows(builder: Builder, split: str, columns: Mapping[str, str]) -> Iterator[Example]:
    """Yield the examples of one split in the catalogue's own order, with class labels as names."""
    import tensorflow_datasets as tfds

    def column(row: Value, path: str) -> Value:
        return reduce(getitem, path.split("/"), row)

    features = {field: column(builder.info.features, path) for field, path in columns.items()}
    name_of = {
        field: feature.int2str for field, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)
    }
    dataset = builder.as_dataset(split=split, shuffle_files=False)
    dataset = dataset.map(lambda row: {field: column(row, path) for field, path in columns.items()})
    fixed = all(spec.shape.is_fully_defined() for spec in dataset.element_spec.values())
    for batch in tfds.as_numpy(dataset.batch(BATCH if fixed else 1)):  # batches of one if sizes differ
        for index in range(len(next(iter(batch.values())))):
            yield {field: name_of.get(field, plain_value)(values[index]) for field, values in batch.items()}


def plain_value(value: Value) -> Value:
    """Return text for bytes, a list of texts for an array of bytes, and any other value unchanged."""
    if getattr(value, "dtype", None) == "object":
        return [one.decode("utf-8") for one in value]
    return value.decode("utf-8") if isinstance(value, bytes) else value
