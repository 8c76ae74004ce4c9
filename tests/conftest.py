"""What many tests share."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one file, and in it of one trained network, in one process, so that it is trained once."""
    for item in items:
        trained = getattr(item, "callspec", None) and item.callspec.params.get("trained")
        item.add_marker(pytest.mark.xdist_group(f"{item.path.name} {trained}"))


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Return the folder of real data sets, or skip the test where there is none."""
    folder = Path(os.environ.get("FOURLAYERS_DATASETS", ROOT.parent / "shared" / "datasets"))
    if not folder.is_dir():
        pytest.skip("no real data sets here; FOURLAYERS_DATASETS names their folder")
    return folder
