"""Processes that train together, as whoever started them tells each by its environment. Standard library only."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from tasks.engine.config import SettingError

PORT = 29500  # of the first process, unless MASTER_PORT names another


@dataclass(frozen=True)
class Group:
    """The place of a process among those that train together.

    Attributes:
        rank: Its number, from 0.
        size: How many there are.
        addresses: `HOST:PORT` of each, by rank; or that of the first alone.
    """

    rank: int
    size: int
    addresses: tuple[str, ...]


def told_group() -> Group | None:
    """Return the group that the environment names, in `TF_CONFIG` or in `RANK`, `WORLD_SIZE` and `MASTER_ADDR`.

    Raises:
        SettingError: It names one in another form.
    """
    if text := os.environ.get("TF_CONFIG"):
        return group_of(text)
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR")
    found = [os.environ.get(name, "") for name in names]
    if not all(found):
        return None
    try:
        rank, size = int(found[0]), int(found[1])
    except ValueError as error:
        raise SettingError(
            f"RANK and WORLD_SIZE must be whole numbers; received {found[0]!r}, {found[1]!r}."
        ) from error
    if not 0 <= rank < size:
        raise SettingError(f"RANK must be in [0, WORLD_SIZE); received {rank} and {size}.")
    return Group(rank, size, (f"{found[2]}:{os.environ.get('MASTER_PORT', PORT)}",))


def group_of(text: str) -> Group:
    """Return the group in a `TF_CONFIG`, whose workers are the processes; the first of them keeps the run.

    Raises:
        SettingError: It has another form.

    Example:
        >>> group_of('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}')
        Group(rank=1, size=2, addresses=('a:1', 'b:1'))
    """
    try:
        config = json.loads(text)
        cluster, place = config["cluster"], config["task"]
        addresses, rank, kind = tuple(map(str, cluster["worker"])), int(place["index"]), place["type"]
        if kind != "worker" or cluster.keys() != {"worker"} or not 0 <= rank < len(addresses):
            raise ValueError(f"only workers are known here, with an index below their number; received {place}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(f"TF_CONFIG must name workers and the place of this one: {error}.") from error
    return Group(rank, len(addresses), addresses)
