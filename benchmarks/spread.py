"""How much faster two workers train than one, each with a core of its own and the same examples a step.

    unshare --net --map-root-user sh -c "ip link set lo up; python -m benchmarks.spread --data multi30k"

TensorFlow listens without authentication, so the command belongs in a network of its own.
"""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from tasks.engine.options import typed_settings

PORTS = 38_211, 38_212
ROUNDS = 3


@click.command(help=__doc__)
@click.option("--task", default="translate", show_default=True)
@click.option("--data", default="builtin", show_default=True)
@click.option("--batch-size", default=128, show_default=True, help="Examples a step and worker.")
@click.option("--limit", default=8000, show_default=True, help="Training examples.")
@click.option("--steps", default=24, show_default=True, help="Steps of a measurement.")
@click.option("--set", "more", multiple=True, metavar="NAME=VALUE", help="Another setting, such as source=en.")
@click.option(
    "--alike", is_flag=True, help="Train on the example of median length alone, so that a step is compiled once."
)
@click.option("--child", hidden=True, is_flag=True)
def main(task: str, data: str, more: tuple[str, ...], child: bool, **amounts: Any) -> None:
    if child:
        print(json.dumps(measured(task, {"data": data} | typed_settings(more), **amounts)))
        return
    found: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for size, rows in found.items():
            rows.append(run(size))
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    one, two = (statistics.median(row["step"] for row in found[size]) for size in (1, 2))
    about = f"{task} on {data}, {backend}, {amounts['batch_size']} examples a step and worker"
    print(f"{about}, {found[1][0]['parameters']:,.0f} weights")
    for size, rows in found.items():
        times = ", ".join(f"{1000 * row['step']:.0f}" for row in rows)
        print(f"  workers {size}: {times} ms a step")
    print(f"  efficiency {one / two:.3f}, {2 * one / two:.2f} times as many examples a second")


def run(size: int) -> dict[str, float]:
    """Return the times of the first of so many workers, each on a core of its own."""
    addresses = [f"127.0.0.1:{port}" for port in PORTS[:size]]
    children = []
    for rank in range(size):
        place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
        told = {"TF_CONFIG": json.dumps(place)} if size > 1 else {}
        words = ["taskset", "-c", str(rank), sys.executable, "-m", "benchmarks.spread", "--child", *sys.argv[1:]]
        children.append(subprocess.Popen(words, env=os.environ | told, stdout=subprocess.PIPE, text=True))
    lines = [child.communicate()[0] for child in children]
    return dict(json.loads(lines[0].splitlines()[-1]))


def measured(
    name: str, settings: dict[str, Any], batch_size: int, limit: int, steps: int, alike: bool
) -> dict[str, Any]:
    """Return the seconds of a step, as one of the workers, and the number of weights."""
    import tasks
    from data.batches import Batches
    from tasks.engine import speed
    from tasks.engine.devices import Devices
    from tasks.engine.distribution import Distribution
    from tasks.engine.group import told_group
    from tasks.engine.ready import networks
    from tasks.engine.train import opened_devices

    group = told_group()
    with TemporaryDirectory() as folder:
        spread = Distribution(strategy="workers") if group else Distribution()
        devices = opened_devices(spread, folder) or Devices()
        task = tasks.get(name)
        config = tasks.configure(name, **settings, batch_size=batch_size * devices.size)
        splits = task.load(config)
        splits = splits._replace(train=splits.train[:limit])
        ready = networks(task, config, splits, Path(folder), devices)
    ready = ready._replace(config=replace(ready.config, epochs=1))
    devices.prepare(ready.model)
    train = splits.train
    if alike:
        train = [sorted(train, key=lambda example: len(str(example)))[len(train) // 2]] * len(train)
    batches = Batches(train, ready.codec, config.batch_size, seed=0, shares=devices.shares)
    speed.MOST = steps
    with devices.fitting():
        step = speed.step_seconds(ready.model, lambda: devices.dataset(batches.epoch_data()), len(batches), 1000.0)
    devices.leave()
    return {"step": step, "parameters": ready.kept.count_params()}


if __name__ == "__main__":
    main()
