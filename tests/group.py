"""Start the same command as several processes that train together: `python -m tests.group 2 COMMAND...`.

They find each other by TF_CONFIG, as on machines that a scheduler prepares, and each has its share of the cores. It
ends with the first exit code that is not 0; the others are ended then.
"""

import json
import os
import socket
import subprocess
import sys
import time

from tasks.engine.distributed import shares_of_cores
from tasks.engine.distribution import Distribution


def free_ports(count):
    """Return ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(count, command, **more):
    """Return `count` processes of a command, each with its place in the group and its share of the cores."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    processes = []
    for rank in range(count):
        place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
        processes.append(subprocess.Popen(command, env=os.environ | {"TF_CONFIG": json.dumps(place)}, **more))
    for one, cores in zip(processes, shares_of_cores(Distribution(workers=count)), strict=False):  # none: too few
        os.sched_setaffinity(one.pid, cores)
    return processes


def wait(processes):
    """Wait until all have ended, or end them once one has failed; return its exit code, or 0."""
    while any(one.poll() is None for one in processes) and not any(one.poll() for one in processes):
        time.sleep(0.1)
    failed = next((one.returncode for one in processes if one.poll()), 0)
    for one in processes:
        if one.poll() is None and failed:
            one.kill()
        one.wait()
    return failed


if __name__ == "__main__":
    sys.exit(wait(start(int(sys.argv[1]), sys.argv[2:])))
