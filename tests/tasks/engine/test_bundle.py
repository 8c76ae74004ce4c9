"""Bundles: one file that answers as its run does, with the same bytes for the same run."""

import json
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

import tasks
from tasks.engine import runs
from tasks.engine.bundle import write_bundle
from tasks.engine.config import SettingError
from tasks.engine.members import RunError, file_on_disk, file_size, files_in, has_file, is_plain_file

ROOT = Path(__file__).parents[3]
DIGIT = ROOT / "tasks/mnist/example.png"
INPUTS = {
    "caption": str(DIGIT),
    "mnist": str(DIGIT),
    "sentiment": "A lovely film.",
    "translate": "A dog runs.",
    "upscale": str(DIGIT),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Return a bundle of the digits that ship."""
    out = tmp_path_factory.mktemp("bundle") / "digits.zip"
    write_bundle("mnist", Path("small"), out)
    return out


@pytest.mark.parametrize("task", tasks.names())
def test_a_bundle_answers_as_its_run(task, tmp_path):
    run = runs.pretrained_runs(task)[0]
    write_bundle(task, run, tmp_path / "a.zip")
    expected, found = (tasks.load(task, place).predict([INPUTS[task]]) for place in (run, tmp_path / "a.zip"))
    assert str(found) == str(expected)


def test_a_bundle_is_stored_in_one_form_with_check_sums(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
        lines = [line.split("  ") for line in archive.read("SHA256SUMS").decode().splitlines()]
        assert [name for _, name in lines] == [info.filename for info in infos[:-1]]
        assert all(sha256(archive.read(name)).hexdigest() == checksum for checksum, name in lines)
    run = runs.pretrained_runs("mnist")[0]
    assert {name for _, name in lines} == {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()}
    for number, place in enumerate((run, bundle, shutil.copytree(run, tmp_path / "copy"))):
        write_bundle("mnist", place, tmp_path / f"{number}.zip")
        assert (tmp_path / f"{number}.zip").read_bytes() == bundle.read_bytes()


def test_members_of_a_bundle_are_read_as_those_of_a_run(bundle):
    assert [path.name for path in files_in(bundle / "onnx", ".onnx")] == ["classify.onnx", "layers.onnx"]
    assert files_in(bundle / "figures", ".png") == []
    assert is_plain_file(bundle / "model.keras")
    assert not has_file(bundle / "checkpoint")
    run = runs.pretrained_runs("mnist")[0]
    for name in ("model.keras", "onnx/layers.onnx"):
        assert file_size(bundle / name) == file_size(run / name) == (run / name).stat().st_size
    with file_on_disk(bundle / "codec.json") as place:
        assert place.read_bytes() == (run / "codec.json").read_bytes()
        assert place.parent.stat().st_mode & 0o777 == 0o700
    assert not place.parent.exists()


def test_figures_are_in_and_other_files_are_counted(tmp_path, caplog):
    run = shutil.copytree(runs.pretrained_runs("mnist")[0], tmp_path / "run")
    for name in ("figures/roc.png", "figures/run.py", "figures/two words.png", "figures/.part-a.png", "checkpoint/a"):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    found = write_bundle("mnist", run, tmp_path / "a.zip")
    assert [name for name in found if "/" in name] == ["onnx/classify.onnx", "onnx/layers.onnx", "figures/roc.png"]
    assert "Left out of the bundle: 2, such as 'figures/run.py'" in caplog.text


def test_places_of_this_machine_are_said(tmp_path, caplog):
    run = shutil.copytree(runs.pretrained_runs("mnist")[0], tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    config["settings"] |= {"data": "/home/somebody/digits", "data_dir": "/data"}
    (run / "config.json").write_text(json.dumps(config))
    write_bundle("mnist", run, tmp_path / "a.zip")
    assert "as its run does, in: data, data_dir;" in caplog.text


def test_what_cannot_be_bundled_leaves_no_file(tmp_path):
    run = shutil.copytree(runs.pretrained_runs("mnist")[0], tmp_path / "run")
    (tmp_path / "there.zip").write_bytes(b"mine")
    cases = [
        (run, "a.tar", SettingError, r"let the name end in \.zip"),
        (run, "there.zip", FileExistsError, "exists"),
        (run, "folder/a.zip", OSError, "does not exist"),
        (
            tmp_path / "none",
            "there.zip/a.zip",
            OSError,
            r"there\.zip/a\.zip' cannot be made, since its folder is a file",
        ),
        (tmp_path / "none", "a.zip", FileNotFoundError, "There is no run directory"),
    ]
    for place, out, error, said in cases:
        with pytest.raises(error, match=said):
            write_bundle("mnist", place, tmp_path / out)
    with pytest.raises(SettingError, match="is a run of 'mnist', not of 'upscale'"):
        write_bundle("upscale", run, tmp_path / "a.zip")
    (run / "codec.json").write_text("{}")
    with pytest.raises(RunError, match="its check sum is not the one"):
        write_bundle("mnist", run, tmp_path / "a.zip")
    (run / "model.keras").unlink()
    with pytest.raises(RunError, match=r"it has no model\.keras"):
        write_bundle("mnist", run, tmp_path / "a.zip")
    (run / "metrics.json").unlink()
    with pytest.raises(RunError, match="is not finished"):
        write_bundle("mnist", run, tmp_path / "a.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "there.zip"]
    assert (tmp_path / "there.zip").read_bytes() == b"mine"


def test_a_full_disk_leaves_no_bundle(tmp_path):
    code = (
        "import resource, signal, sys; from pathlib import Path; from tasks.engine import bundle, files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    bundle.write_bundle('mnist', Path('small'), Path(sys.argv[1]))\n"
        "except files.WriteError as error:\n    print(error)"
    )
    out = tmp_path / "a.zip"
    words = [sys.executable, "-c", code, str(out)]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "a.zip' cannot be written: the largest size of a file is reached" in said
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_to_a_bundle(bundle):
    before = bundle.read_bytes()
    for resume in (False, True):
        with pytest.raises(SettingError, match="is a bundle, which is only read"):
            tasks.train("mnist", bundle, data="builtin", resume=resume)
    assert bundle.read_bytes() == before
    assert sorted(path.name for path in bundle.parent.iterdir()) == [bundle.name]


@pytest.mark.slow
def test_a_bundle_is_scored_and_trained_from_as_its_run(bundle, tmp_path):
    found = tasks.evaluate("mnist", bundle, data="builtin", limit=50).summary["metrics"]
    assert found == tasks.evaluate("mnist", "small", data="builtin", limit=50).summary["metrics"]
    new = tasks.train("mnist", tmp_path / "new", data="builtin", limit=64, epochs=1, score=False, init_from=bundle)
    assert new.predict([str(DIGIT)])[0]["label"] == "3"
    with pytest.raises(SettingError, match="are the same run"):
        tasks.compare(bundle, "small", task="mnist", data="builtin")
    assert tasks.load("mnist", bundle, engine="keras").predict([str(DIGIT)])[0]["label"] == "3"
