"""Disks that fail: each file names itself and what is missing, and the training goes on from its last checkpoint."""

import errno
import os
import resource
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tasks
from data.pictures.output import write_photo
from data.pictures.photo import read_photo
from tasks.caption.features import picture_features
from tasks.engine import files, terminal
from tasks.engine.evaluate import Evaluation, write_report
from tasks.engine.outputs import opened_output
from tasks.engine.task import Report
from tests.faults.kills import Outcome

ROOT = Path(__file__).parents[2]
TINY = {
    "data": "builtin",
    "filters": [4],
    "units": [8],
    "batch_size": 16,
    "limit": 32,
    "epochs": 2,
    "average": 1,
    "checkpoint_every": "2 steps",
}
KNOWN = {  # error of the system: what its sentence says is missing
    errno.ENOSPC: "no space is left",
    errno.EDQUOT: "the disk quota of this user is used up",
    errno.EROFS: "its file system is read-only",
    errno.EFBIG: "the largest size of a file is reached",
    errno.EIO: "its disk fails",
    errno.EMFILE: "too many files are open",
    errno.EACCES: "this user may not write to its folder",
    errno.EPERM: "this user may not write to its folder",
}


def failing(call, name, number):
    """Return a function of the system that fails for a file, given by its path or its number, and passes all others."""

    def fail(file, *words, **others):
        path = Path(os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else file)
        if str(path.with_name(path.name.removeprefix(files.PART))).endswith(name) and path.name != name:
            raise OSError(number, os.strerror(number), None if isinstance(file, int) else str(file))
        return call(file, *words, **others)

    return fail


@contextmanager
def fault(name, number, stage="fsync"):
    """Let a file fail when it is opened (`open`) or brought to disk (`fsync`), for a `with` statement."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, stage, failing(getattr(os, stage), name, number))
        yield


def outcome(call, *words, **settings):
    """Call a function, and return the exit code and the sentence of a command that does."""
    try:
        call(*words, **settings)
    except Exception as error:
        return terminal.exit_code(error), terminal.sentence(error)
    return 0, ""


def parts(folder):
    return [path for path in folder.rglob("*") if path.name.startswith(files.PART)]


def check_refusal(found, name, missing, folder):
    """Check that a command ended with one sentence that names a file and what is missing, and left no part of it."""
    code, said = found
    assert code == 73, said
    assert name in said
    assert missing in said
    assert said.count("\n") == 0
    assert said.endswith(".")
    assert parts(folder) == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return what an uninterrupted training leaves."""
    run = tmp_path_factory.mktemp("whole") / "run"
    tasks.train("mnist", run, **TINY)
    return Outcome.of(run)


@pytest.mark.parametrize("number", KNOWN, ids=errno.errorcode.get)
@pytest.mark.parametrize("stage", ["open", "write", "text", "fsync", "replace"])
def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(stage, number, tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def write():
        with files.atomic_file(path) as part:
            part.write_text("new")
            if stage == "write":
                raise OSError(number, os.strerror(number))
            if stage == "text":  # as HDF5 does
                raise OSError(f"Can't write data (errno = {number}, error message = {os.strerror(number)!r})")

    with pytest.MonkeyPatch.context() as patch:
        if stage in ("open", "fsync"):
            patch.setattr(os, stage, failing(getattr(os, stage), "a.json", number))
        if stage == "replace":
            patch.setattr(Path, stage, failing(Path.replace, "a.json", number))
        found = outcome(write)
    check_refusal(found, str(path), KNOWN[number], tmp_path)
    assert path.read_text() == "old"


def test_an_error_of_a_file_that_is_read_is_not_that_of_the_file_that_is_written(tmp_path):
    source = tmp_path / "source"

    def write():
        with files.atomic_file(tmp_path / "target"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(source))

    assert outcome(write) == (73, f"{os.strerror(errno.EIO)}: {source}.")


BEGINNING = [  # a file that a training writes before its first checkpoint, the error, when it comes
    ("run/config.json", errno.EROFS, "open"),
    ("run/environment.json", errno.ENOSPC, "fsync"),
    ("00000-0000000/state.json", errno.EIO, "fsync"),
]
LATER = [  # and after it, in this order
    ("run/history.csv", errno.EDQUOT, "fsync"),
    ("run/config.json", errno.ENOSPC, "fsync"),
    ("run/environment.json", errno.EIO, "fsync"),
    ("run/codec.json", errno.EROFS, "open"),
    ("00001-0000002/model.keras", errno.ENOSPC, "fsync"),
    ("00001-0000002/kept.keras", errno.EIO, "fsync"),
    ("00001-0000002/best.keras", errno.EDQUOT, "fsync"),
    ("00001-0000002/state.json", errno.ENOSPC, "fsync"),
    ("run/model.keras", errno.EROFS, "open"),
    ("onnx/classify.onnx", errno.ENOSPC, "fsync"),
    ("run/README.md", errno.EPERM, "open"),
    ("figures/confusion.png", errno.EFBIG, "fsync"),
    ("run/answers.jsonl", errno.ENOSPC, "fsync"),
    ("run/metrics.json", errno.EMFILE, "open"),
]


def test_a_training_that_fails_before_its_first_checkpoint_leaves_no_directory(tmp_path):
    for name, number, stage in BEGINNING:
        with fault(name, number, stage):
            found = outcome(tasks.train, "mnist", tmp_path / "run", **TINY)
        check_refusal(found, name, KNOWN[number], tmp_path)
        assert not (tmp_path / "run").exists()


def test_a_training_goes_on_after_a_fault_at_each_kind_of_file(tmp_path, whole):
    run = tmp_path / "run"
    for name, number, stage in LATER:
        with fault(name, number, stage):
            found = outcome(tasks.train, "mnist", run, **({"resume": True} if run.exists() else TINY))
        check_refusal(found, name, KNOWN[number], run)
        assert not (run / "metrics.json").exists()
    tasks.train("mnist", run, resume=True)
    assert Outcome.of(run) == whole


def mount(folder, options, *, again=False):
    """Mount a file system in memory, or change the options of one; return whether that can be done here."""
    words = ["mount", "-o", f"remount,{options}", folder] if again else ["mount", "-t", "tmpfs", "-o", options, "tmpfs"]
    return not subprocess.run([*words, *([] if again else [folder])], capture_output=True, check=False).returncode


@pytest.fixture
def disk(tmp_path):
    """Return a mounted file system of 200 kB, or skip the test where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount(folder, "size=200k"):
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_training_goes_on_after_disks_that_are_full_read_only_and_without_inodes(disk, whole):
    run = disk / "run"
    for options, missing in (
        ("size=200k", "no space is left"),
        ("ro", "read-only"),
        ("rw,size=300k", "no space is left"),
        ("size=9m,nr_inodes=23", "no inode is left"),
    ):
        assert mount(disk, options, again=True)
        found = outcome(tasks.train, "mnist", run, **({"resume": True} if run.exists() else TINY))
        check_refusal(found, str(run), missing, disk)
    assert mount(disk, "size=9m,nr_inodes=1000", again=True)
    tasks.train("mnist", run, resume=True)
    assert Outcome.of(run) == whole


def evaluation(folder):
    figure = Image.new("L", (300, 300))
    report = Report({"accuracy": 1.0}, [{"input": "x" * 9000}], {"confusion": lambda: figure})
    write_report(Evaluation(report, {"metrics": {"accuracy": 1.0}}), folder / "evaluation")


def answers(folder):
    with opened_output(folder / "answers.jsonl") as file:
        file.write("answer " * 9000)


def noise():
    return np.random.default_rng(0).integers(0, 255, (99, 99, 3), "uint8")


def drawn(folder):
    files.write_new(folder / "drawn.png", Image.fromarray(noise()))


def photo(folder):
    read = read_photo(ROOT / "tasks/mnist/example.png")
    write_photo(replace(read, pixels=noise(), alpha=None), folder / "large.png")


def features(folder):
    picture_features([noise()] * 4, lambda batch: np.ones((len(batch), 49, 99)), 8, {}, folder / "cache", show=False)


OUTPUTS = {  # what is named: how it is written
    "evaluation/figures": evaluation,
    "answers.jsonl": answers,
    "drawn.png": drawn,
    "large.png": photo,
    "cache": features,
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_is_named_on_disks_that_are_full_read_only_and_without_inodes(name, disk):
    with suppress(OSError):
        (disk / "other").write_bytes(bytes(1 << 20))
    used = os.statvfs(disk).f_files - os.statvfs(disk).f_ffree
    for options, missing in (("rw", "no space"), ("ro", "read-only"), (f"rw,size=9m,nr_inodes={used}", "no inode")):
        assert mount(disk, options, again=True)
        code, said = outcome(OUTPUTS[name], disk)
        check_refusal((code, said.lower()), name, "no space" if "No space" in said else missing, disk)
        for left in disk.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != "other":
                assert left.name == "answers.jsonl", "an answer is a line, and those that fit stay"
                left.unlink()
    assert mount(disk, "size=9m,nr_inodes=100", again=True)
    assert outcome(OUTPUTS[name], disk) == (0, "")


def test_a_file_that_may_not_be_so_large_is_named(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        found = outcome(tasks.train, "mnist", tmp_path / "run", **TINY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    check_refusal(found, "00000-0000000/model.keras", "the largest size of a file is reached", tmp_path)
    assert not (tmp_path / "run").exists()
