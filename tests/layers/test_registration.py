"""Files that hold blocks load as soon as `layers` is imported."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import layers
from tasks.engine.shared_weights import whole_file

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_shipped_model_loads_with_the_layers_alone(tmp_path):
    shipped = sorted(ROOT.glob("tasks/*/pretrained/*/model.keras"))
    for path in shipped:
        with whole_file(path) as place:  # that of a published run leaves large weights to its ONNX files
            shutil.copy(place, tmp_path / f"{path.parts[-4]}-{path.parts[-2]}.keras")
    code = (
        "import sys, keras, layers\n"
        "from pathlib import Path\n"
        "paths = sorted(Path(sys.argv[1]).glob('*.keras'))\n"
        "models = [keras.saving.load_model(path) for path in paths]\n"
        "assert not any(name == 'tasks' or name.startswith('tasks.') for name in sys.modules)\n"
        "print(len(models), min(model.count_params() for model in models))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    count, smallest = map(int, result.stdout.split())
    assert count == len(shipped) >= 7
    assert smallest > 9_000


def test_all_public_blocks_are_listed():
    files = [path.stem for path in (ROOT / "layers").glob("[!_]*.py")]
    homes = {getattr(layers, name).__module__ for name in layers.__all__}
    assert homes == {f"layers.{name}" for name in files}
