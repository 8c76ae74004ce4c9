"""Where a validation part is cut from training data by chance, the seed chooses it."""

import pytest

import tasks
from data.splits import Splits, fingerprint


@pytest.mark.parametrize("name", ["caption", "mnist", "sentiment", "translate", "upscale"])
def test_the_seed_chooses_the_validation_part(name):
    parts = [tasks.get(name).load(tasks.configure(name, data="builtin", seed=seed)).valid for seed in (0, 7)]
    assert fingerprint(Splits([], parts[0], [])) != fingerprint(Splits([], parts[1], []))
