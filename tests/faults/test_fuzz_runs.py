"""Runs under random damage of what their files say: no exception but those that are documented."""

import contextlib
import copy
import json
import math
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks
from data.splits import DataError
from tasks.engine.config import SettingError
from tasks.engine.load import restored_pipeline
from tasks.engine.members import RunError
from tasks.engine.records import read_facts, read_history, read_summary
from tests.faults.test_fuzz import EDITS, TEXT, VALUE, damaged, fuzzed

ROOT = Path(__file__).parents[2]
RUNS = {path.parents[1].name: path for path in sorted(ROOT.glob("tasks/*/pretrained/*"), reverse=True)}
DOCUMENTED = (RunError, SettingError, DataError)
CHANGES = st.lists(
    st.tuples(
        st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=4),
        st.sampled_from(["set", "drop", "add"]),
        VALUE | st.sampled_from([-1, 0, 10**9, "", "../a", [], {}]),
    ),
    min_size=1,
    max_size=3,
)


def changed(value, changes):
    """Return a value of JSON in which some inner values are others, are missing, or are new."""
    found = copy.deepcopy(value)
    for way, kind, other in changes:
        outer, inner = None, found
        for share in way:
            keys = [*inner] if isinstance(inner, dict) else [*range(len(inner))] if isinstance(inner, list) else []
            if not keys:
                break
            outer, key = inner, keys[int(share * len(keys))]
            inner = inner[key]
        if outer is None:
            continue
        if kind == "drop":
            del outer[key]
        elif kind == "set" or isinstance(outer, dict):
            outer[key] = other
        else:
            outer.insert(key, other)
    return found


@pytest.fixture(scope="module", params=RUNS)
def run(request, tmp_path_factory):
    """Return a copy of a run that ships, without check sums and weights."""
    folder = tmp_path_factory.mktemp("runs") / request.param
    skipped = shutil.ignore_patterns("*.keras", "*.onnx", "figures")
    shutil.copytree(RUNS[request.param], folder, ignore=skipped)
    path = folder / "environment.json"
    facts = json.loads(path.read_text()) if path.exists() else {"data": {}}
    facts.pop("checksums", None)
    path.write_text(json.dumps(facts))
    return folder


@pytest.mark.parametrize("name", ["codec.json", "config.json", "environment.json"])
@pytest.mark.parametrize("means", ["values", "bytes"])
def test_a_run_with_a_damaged_file_is_restored_or_refused(run, name, means):
    task, path = tasks.get(run.name), run / name
    good = path.read_bytes()
    value = json.loads(good)

    @fuzzed
    @given(CHANGES if means == "values" else EDITS)
    def holds(changes):
        path.write_bytes(json.dumps(changed(value, changes)).encode() if means == "values" else damaged(good, changes))
        try:
            restored_pipeline(task, run)
        except DOCUMENTED as error:
            assert str(error)  # noqa: PT017
        except FileNotFoundError as error:
            assert name != "codec.json", error  # noqa: PT017

    try:
        holds()
    finally:
        path.write_bytes(good)


@fuzzed
@given(EDITS, st.sampled_from([b"epoch,loss,val_loss\n1,0.5,0.4\n2,0.3,0.2\n", b"epoch,val_loss\n1,1e5\n"]))
def test_a_damaged_history_is_read_or_refused(folder, edits, good):
    (folder / "history.csv").write_bytes(damaged(good, edits))
    with contextlib.suppress(RunError):
        assert all(math.isfinite(number) for row in read_history(folder) for number in row.values())


@pytest.mark.parametrize(("name", "read"), [("environment.json", read_facts), ("metrics.json", read_summary)])
def test_facts_and_scores_of_any_form_are_read_or_refused(name, read, folder):
    good = json.loads((RUNS["mnist"] / name).read_bytes())

    @fuzzed
    @given(CHANGES)
    def holds(changes):
        (folder / name).write_text(json.dumps(changed(good, changes)))
        with contextlib.suppress(RunError):
            assert isinstance(read(folder), dict)

    holds()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder for files that are written over."""
    return tmp_path_factory.mktemp("facts")


@fuzzed
@given(CHANGES, st.dictionaries(TEXT, VALUE, max_size=2))
def test_the_state_of_a_checkpoint_has_the_types_that_it_must_have(changes, more):
    from tasks.engine.progress import Progress, checked_state

    rows = [{"epoch": number, "loss": 0.5, "val_loss": 0.4} for number in (1, 2, 3)]
    good = {
        "epoch": 3,
        "step": 5,
        "seconds": 1.5,
        "seeds": [[1, 2]],
        "history": rows,
        "row": {"loss": 1.0},
        "sums": [1],
    }
    assert checked_state(good, (3, 5)) == good
    with contextlib.suppress(ValueError):
        fields = checked_state(changed(good | more, changes), (3, 5))
        fields.pop("checksums", None)
        found = Progress(**fields)
        assert (found.epoch, found.step, len(found.history), 0 <= found.retries <= 20) == (3, 5, 3, True)
