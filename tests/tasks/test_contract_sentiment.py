"""What every task promises, of `sentiment`."""

from tests.tasks.contract import *  # noqa: F403

TASK = "sentiment"
