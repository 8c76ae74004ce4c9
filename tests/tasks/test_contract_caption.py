"""What every task promises, of `caption`."""

from tests.tasks.contract import *  # noqa: F403

TASK = "caption"
