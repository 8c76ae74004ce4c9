"""Numbers of a server, in the text format of Prometheus."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """Counts of numbers up to some bounds.

    Reference: https://prometheus.io/docs/instrumenting/exposition_formats
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.sum = bounds, [0] * (len(bounds) + 1), 0.0

    def add(self, value: float) -> None:
        """Count a number."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self, name: str, label: str) -> Iterator[str]:
        """Yield its lines."""
        total = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{{label},le="{bound}"}} {total}'
        yield f"{name}_sum{{{label}}} {self.sum:.6f}"
        yield f"{name}_count{{{label}}} {total}"


class Metrics:
    """Requests, their times, and the sizes of batches, by task; safe for threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.requests = Counter[tuple[str, int]]()
        self.seconds: dict[str, Histogram] = {}
        self.batches: dict[str, Histogram] = {}

    def request(self, task: str, status: int, seconds: float) -> None:
        """Count a request."""
        with self.lock:
            self.requests[task, status] += 1
            self.seconds.setdefault(task, Histogram(SECONDS)).add(seconds)

    def batch(self, task: str, size: int) -> None:
        """Count a batch of inputs."""
        with self.lock:
            self.batches.setdefault(task, Histogram(SIZES)).add(size)

    def text(self, waiting: Mapping[str, int]) -> str:
        """Return all numbers; `waiting` has the number of inputs that wait now, by task."""
        with self.lock:
            lines = ["# HELP fourlayers_requests_total Requests by task and status.",
                     "# TYPE fourlayers_requests_total counter"]  # fmt: skip
            lines += [
                f'fourlayers_requests_total{{task="{task}",status="{status}"}} {count}'
                for (task, status), count in sorted(self.requests.items())
            ]
            lines += ["# HELP fourlayers_queue_inputs Inputs that wait.", "# TYPE fourlayers_queue_inputs gauge"]
            lines += [f'fourlayers_queue_inputs{{task="{task}"}} {count}' for task, count in waiting.items()]
            for name, about, found in (
                ("fourlayers_request_seconds", "Time of a request.", self.seconds),
                ("fourlayers_batch_inputs", "Inputs that are answered together.", self.batches),
            ):
                lines += [f"# HELP {name} {about}", f"# TYPE {name} histogram"]
                for task, histogram in sorted(found.items()):
                    lines += histogram.lines(name, f'task="{task}"')
        return "\n".join(lines) + "\n"
