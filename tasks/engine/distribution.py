"""What a training is spread over: the options of `train` for it. Standard library only."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.engine.config import SettingError
from tasks.engine.group import Group, told_group

LOG = logging.getLogger("tasks")
Strategy = Literal["none", "mirrored", "workers"]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """What a training is spread over.

    Attributes:
        strategy: `"none"` is one device; `"mirrored"` is all devices of this machine; `"workers"` is a group of
            processes, which the environment names, or which Ray starts. `None` is `"workers"` if their number is given.
        workers: Processes that Ray starts; the size of the group if the environment names one.
        gpus: GPUs of each process that Ray starts.
        address: Cluster of Ray: `"local"`, `"auto"` or `HOST:PORT`.
        shared: Folder that all machines of the cluster see, for new runs.
        failures: How often the processes begin again from the last checkpoint after one was lost.

    Raises:
        SettingError: They do not fit each other.

    Example:
        >>> Distribution(workers=2).strategy
        'workers'
    """

    strategy: Strategy | None = None
    workers: int | None = None
    gpus: int = 0
    address: str = "local"
    shared: Path | None = None
    failures: int = 3

    def __post_init__(self) -> None:
        if self.strategy is None:
            object.__setattr__(self, "strategy", "workers" if self.workers else "none")
        if self.strategy != "workers" and (self.workers or self.gpus or self.shared or self.address != "local"):
            raise SettingError(
                f"Workers, their GPUs, a cluster and `--shared` do not fit `--strategy {self.strategy}`."
            )
        if self.strategy == "workers" and self.address != "local" and not self.shared:
            raise SettingError("On a cluster, `--shared` must name a folder that all its machines see, for the run.")
        if self.strategy == "workers" and not self.workers and not told_group():
            raise SettingError(
                "`--strategy workers` takes `--workers N`, or an environment that names the processes: TF_CONFIG, or "
                "RANK, WORLD_SIZE and MASTER_ADDR."
            )

    @property
    def starts_workers(self) -> bool:
        """Whether Ray is to start the processes, since nobody else has."""
        return self.strategy == "workers" and told_group() is None

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that tells the user how a training ended."""
        group = told_group() if self.strategy == "workers" else None
        return group is None or group.rank == 0

    def group(self) -> Group | None:
        """Return the group of processes that the environment names, if this training is to be spread over it.

        Raises:
            SettingError: It has another size than `workers`.
        """
        found = told_group()
        if found is None or self.strategy == "workers":
            if found and self.workers not in (None, found.size):
                raise SettingError(f"The environment names {found.size} processes, and `--workers` {self.workers}.")
            return found
        if found.size > 1:
            LOG.warning(
                "The environment names %d processes; each trains alone, since `--strategy workers` is not given.",
                found.size,
            )
        return None
