"""What every task promises, of `mnist`."""

from tests.tasks.contract import *  # noqa: F403

TASK = "mnist"
