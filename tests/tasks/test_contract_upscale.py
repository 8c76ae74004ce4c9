"""What every task promises, of `upscale`."""

from tests.tasks.contract import *  # noqa: F403

TASK = "upscale"
