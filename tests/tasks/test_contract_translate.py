"""What every task promises, of `translate`."""

from tests.tasks.contract import *  # noqa: F403

TASK = "translate"
