"""What many tests share."""

import logging
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).parent.parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Part the tests among processes by their file, those of trained runs by task too; begin with the long ones."""
    for item in items:
        task = getattr(item, "callspec", None) and item.callspec.params.get("trained")
        group = item.nodeid.partition("::")[0] + (f" {task}" if task else "")
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: not item.path.is_relative_to(ROOT / "tests" / "tasks"))


@pytest.fixture(autouse=True)
def notices_as_before():
    """Leave the logger of notices as it was, which a command in this process changes."""
    logger = logging.getLogger("tasks")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Return the folder of real data sets, or skip the test where there is none."""
    folder = Path(os.environ.get("FOURLAYERS_DATASETS", ROOT.parent / "shared" / "datasets"))
    if not folder.is_dir():
        pytest.skip("no real data sets here; FOURLAYERS_DATASETS names their folder")
    return folder
