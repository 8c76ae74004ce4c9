"""Which corpora are for what, and what is said of it."""

import logging

import pytest

from data.splits import DataError, OptionError
from data.texts.corpus_parts import chosen_corpora
from data.texts.parallel_files import Corpus


def corpora(*names):
    return [Corpus(name, f"{name}.en", f"{name}.de") for name in sorted(names)]


def names(found):
    return {part: [one.name for one in own] for part, own in found.items()}


def test_names_tell_the_parts_and_it_is_said(caplog):
    found = chosen_corpora(corpora("train", "dev.tok.clean", "tst2013"), "data", None)
    assert names(found) == {"train": ["train"], "valid": ["dev.tok.clean"], "test": ["tst2013"]}
    assert "data: training from train; validation from dev.tok.clean; testing from tst2013." in caplog.text


def test_plain_names_are_not_worth_a_warning(caplog):
    with caplog.at_level(logging.INFO, "tasks"):
        chosen_corpora(corpora("train", "val", "test"), "data", None)
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_the_first_test_set_is_used_and_another_can_be_chosen(caplog):
    own = corpora("europarl-v7.de-en", "newstest2013-deen", "newstest2014-deen")
    assert names(chosen_corpora(own, "data", None))["test"] == ["newstest2013-deen"]
    assert "not used: newstest2014-deen" in caplog.text
    for name in ("newstest2014-deen", "newstest2014"):
        assert names(chosen_corpora(own, "data", name))["test"] == ["newstest2014-deen"]
    with pytest.raises(OptionError, match="no file 'newstest' to test on; choose one of: newstest2013-deen, newst"):
        chosen_corpora(own, "data", "newstest")


def test_the_plainest_version_of_a_corpus_is_used(caplog):
    own = corpora("train", "train.bpe.32000", "train.tok.clean", "valid.bpe", "test.tok", "test.tok.bpe")
    assert names(chosen_corpora(own, "data", None)) == {
        "train": ["train"],
        "valid": ["valid.bpe"],
        "test": ["test.tok"],
    }
    assert "not used: test.tok.bpe, train.bpe.32000, train.tok.clean" in caplog.text


def test_a_corpus_without_a_part_is_for_training_unless_it_is_chosen(caplog):
    own = corpora("europarl", "news", "train-dev", "test")
    assert names(chosen_corpora(own, "data", None))["train"] == ["europarl", "news"]
    assert "not used: train-dev" in caplog.text
    assert names(chosen_corpora(own, "data", "news")) == {"train": ["europarl"], "valid": [], "test": ["news"]}


def test_data_without_training_and_test_text_is_refused():
    with pytest.raises(DataError, match="no text for training; its files are: dev"):
        chosen_corpora(corpora("dev"), "data", None)
