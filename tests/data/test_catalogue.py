"""Data sets of the TensorFlow Datasets catalogue, with its own mocked data."""

import socket
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data import catalogue
from data.splits import UnavailableError


@contextmanager
def mocked(count):
    """Let every data set have `count` random examples, and any host a name."""
    with tfds.testing.mock_data(num_examples=count), mock.patch("socket.getaddrinfo"):
        yield


COLUMNS = {"image": ["image"], "label": ["label"]}


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist", "emnist/digits"])
def test_a_catalogue_set_gives_raw_examples_with_class_names(name, tmp_path):
    with mocked(7):
        splits = catalogue.read(name, ("train", "test"), COLUMNS, tmp_path)
    assert {split: len(examples) for split, examples in splits.items()} == {"train": 7, "test": 7}
    example = splits["train"][0]
    assert set(example) == {"image", "label"}
    assert example["image"].shape == (28, 28, 1)
    assert example["image"].dtype == np.uint8
    assert isinstance(example["label"], str)
    if name == "fashion_mnist":
        assert not example["label"].isdigit()


def test_text_comes_as_text(tmp_path):
    with mocked(3):
        columns = {"text": ["sentence", "text"], "label": ["label"]}
        splits = catalogue.read("imdb_reviews", ("train",), columns, tmp_path)
    assert isinstance(splits["train"][0]["text"], str)
    assert splits["train"][0]["label"] in {"neg", "pos"}


def test_pictures_of_any_size_come_one_by_one(tmp_path):
    with mocked(2):
        splits = catalogue.read("div2k", ("train", "validation"), {"image": ["hr"]}, tmp_path)
    assert {split: len(examples) for split, examples in splits.items()} == {"train": 2, "validation": 2}
    assert {(example["image"].ndim, example["image"].dtype.name) for example in splits["train"]} == {(3, "uint8")}


def test_an_unknown_set_says_what_to_do():
    with pytest.raises(UnavailableError, match=r"no data set 'mnits_and_more'.*--data builtin"):
        catalogue.read("mnits_and_more", ("train",), COLUMNS)


@pytest.mark.parametrize("where", [(socket, "getaddrinfo"), (tfds.core.DatasetBuilder, "download_and_prepare")])
def test_a_set_that_cannot_be_downloaded_says_what_to_do(tmp_path, monkeypatch, where):
    if where[0] is not socket:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *address: [])

    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(*where, offline)
    with pytest.raises(UnavailableError, match=r"'mnist' is not prepared.*no network.*--data builtin") as caught:
        catalogue.read("mnist", ("train",), COLUMNS, tmp_path)
    assert caught.value.exit_code == 69


def test_an_unknown_column_is_named(tmp_path):
    with mocked(1), pytest.raises(UnavailableError, match="no column 'picture'"):
        catalogue.read("mnist", ("train",), {"image": ["picture"]}, tmp_path)


@pytest.mark.parametrize(
    "name", ["mnist", "emnist/digits", "ted_hrlr_translate/pt_to_en", "imdb_reviews/plain_text:1.0.0"]
)
def test_catalogue_names_are_told_from_paths(name):
    assert catalogue.is_name(name)


@pytest.mark.parametrize("path", ["./mnist", "../x", "/data/x", "My Folder", "a/b/c", "photos.zip/"])
def test_paths_are_told_from_catalogue_names(path):
    assert not catalogue.is_name(path)


def test_columns_of_columns_are_read_and_each_example_is_changed_at_once(tmp_path):
    columns = {"image": ["image"], "captions": ["captions/text"]}
    with mocked(2):
        splits = catalogue.read("coco_captions", ("train",), columns, tmp_path, change=lambda row: row | {"more": 1})
    example = splits["train"][0]
    assert set(example) == {"image", "captions", "more"}
    assert example["captions"]
    assert all(isinstance(caption, str) for caption in example["captions"])
