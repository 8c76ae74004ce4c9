"""What many tests share."""

import logging
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

pytest.register_assert_rewrite("tests.tasks.contract")

ROOT = Path(__file__).parent.parent


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
