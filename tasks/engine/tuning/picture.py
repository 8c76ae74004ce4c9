"""A picture of a search: what its trials reached, and how that hangs on each setting."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image

from data.sources import data_name
from tasks.engine.tuning.search import Search
from tasks.engine.tuning.space import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, GREY, RED = "#1f5fa8", "#9a9a9a", "#c0392b"
COLUMNS = 3
MARKS = {  # how a trial ended: mark, colour, name
    "complete": ("o", BLUE, "complete"),
    "slow": ("v", "#c77f0a", "too slow"),
    "pruned": ("x", GREY, "pruned, as far as it came"),
}
WIDE = 3.0  # times the spread of the complete trials that the pictures show of worse ones
APART = 30.0  # ratio of values from which on their scale is logarithmic


def search_picture(search: Search) -> Image.Image:
    """Return a picture of a search: the value of each trial over its number, and over each setting that is searched."""
    from matplotlib.figure import Figure

    names = list(search.plan.space)
    rows = math.ceil(len(names) / COLUMNS)
    figure = Figure(figsize=(10, 3.4 + 2.5 * rows), layout="constrained")
    grid = figure.add_gridspec(rows + 1, COLUMNS, height_ratios=[1.35, *[1] * rows])
    trials = drawn_trials(search)
    window = shown_window([value for _, value, kind in trials if kind != "pruned"], [value for _, value, _ in trials])
    figure.suptitle(f"Search for {search.plan.task} on {data_name(search.config.data)}", fontsize=11)
    draw_course(figure.add_subplot(grid[0, :]), search, trials, window)
    for place, name in enumerate(names):
        axes = figure.add_subplot(grid[1 + place // COLUMNS, place % COLUMNS])
        draw_setting(axes, search, trials, name, window)
    with io.BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=110)
        buffer.seek(0)
        return Image.open(buffer).convert("RGB")


def drawn_trials(search: Search) -> list[tuple[Any, float, str]]:
    """Return the trials that have a value, with it and how they ended."""
    found: list[tuple[Any, float, str]] = []
    for one in search.trials("COMPLETE", "PRUNED"):
        slow = any(value > 0 for value in one.constraints.values())
        kind = "slow" if slow else one.state.name.lower()
        if one.value is not None:
            found.append((one, float(one.value), kind))
    return found


class Window(NamedTuple):
    """The values that the pictures show.

    Attributes:
        low: The lowest; what is below is drawn at the edge.
        high: The highest, likewise.
        log: If true, the scale is logarithmic.
    """

    low: float
    high: float
    log: bool

    def clipped(self, value: float) -> float:
        """Return a value at the edge of the window if it is beyond."""
        return min(max(value, self.low), self.high)

    def set(self, axes: Axes) -> None:
        """Let a chart show the window."""
        if self.log:
            axes.set_yscale("log")
        axes.set_ylim(self.low, self.high)


def shown_window(complete: Sequence[float], every: Sequence[float]) -> Window:
    """Return the values that the pictures show: those of complete trials, and some way beyond.

    If they are far apart, all are shown, on a logarithmic scale.
    """
    if not every:
        return Window(0.0, 1.0, False)
    if min(every) > 0 and max(every) > APART * min(every):
        return Window(min(every) / 1.3, max(every) * 1.3, True)
    near = complete or every
    low, high = min(near), max(near)
    spread = (high - low) or abs(high) / 10 or 1.0
    low, high = max(min(every), low - WIDE * spread), min(max(every), high + WIDE * spread)
    room = 0.06 * ((high - low) or spread)
    return Window(low - room, high + room, False)


def draw_course(axes: Axes, search: Search, trials: Sequence[tuple[Any, float, str]], window: Window) -> None:
    """Draw the value of each trial over its number, the best one so far, and the value without a search."""
    from matplotlib.ticker import MaxNLocator

    plan = search.plan
    for kind, (mark, colour, name) in MARKS.items():
        some = [(one.number, window.clipped(value)) for one, value, own in trials if own == kind]
        if some:
            axes.scatter(*zip(*some, strict=True), marker=mark, color=colour, label=f"{name} ({len(some)})", zorder=3)
    failed = [one.number for one in search.trials("FAIL")]
    if failed:
        worst = window.high if plan.is_lower_better else window.low
        axes.scatter(failed, [worst] * len(failed), marker="X", color=RED, label=f"failed ({len(failed)})", zorder=3)
    course: list[tuple[int, float]] = []
    for one, value, kind in trials:
        if kind == "complete" and (not course or plan.is_better(value, course[-1][1])):
            course.append((one.number, value))
    if course:
        last = max(one.number for one in search.trials())
        numbers, values = zip(*[*course, (last, course[-1][1])], strict=True)
        axes.step(numbers, values, where="post", color=BLUE, linewidth=1.5, label="best so far")
    first = next((value for one, value, kind in trials if one.number == 0 and kind != "pruned"), None)
    if first is not None:
        axes.axhline(first, color="black", linestyle="--", linewidth=0.8, label="without a search")
    window.set(axes)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"validation {plan.metric}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if trials or failed:
        axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=6, frameon=False)


def draw_setting(
    axes: Axes, search: Search, trials: Sequence[tuple[Any, float, str]], name: str, window: Window
) -> None:
    """Draw the value of each trial over one setting; a ring marks the best."""
    best, found = search.best(), search.plan.space[name]
    names = [str(shown(choice)) for choice in found.choices]
    for kind, (mark, colour, _) in MARKS.items():
        some = [(one, window.clipped(value)) for one, value, own in trials if own == kind and name in one.params]
        places = [names.index(str(one.params[name])) if names else one.params[name] for one, _ in some]
        axes.scatter(places, [value for _, value in some], marker=mark, color=colour, s=22, zorder=3)
        for place, (one, value) in zip(places, some, strict=True):
            if best is not None and one.number == best.number:
                axes.scatter([place], [value], s=110, facecolors="none", edgecolors=RED, zorder=4)
    if names:
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(names) - 0.5)
    elif found.log:
        axes.set_xscale("log")
        ends = [found.low, math.sqrt(found.low * found.high), found.high]
        axes.set_xticks(ends, [f"{end:.2g}" for end in ends])
        axes.set_xticks([], minor=True)
        axes.set_xlim(found.low / 1.1, found.high * 1.1)
    else:
        room = 0.04 * (found.high - found.low)
        axes.set_xlim(found.low - room, found.high + room)
    window.set(axes)
    axes.set_xlabel(name)
    axes.tick_params(labelsize=8)
