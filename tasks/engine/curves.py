"""Curves as SVG, drawn in the colours of the page. Standard library only."""

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import NamedTuple

from tasks.engine.page import escaped

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 12, 40  # margins
Placed = Callable[[tuple[float, float]], tuple[float, float]]
COLOURS = ("one", "two", "three", "four", "five", "six")


class Curve(NamedTuple):
    """A line: its name, its points, the number of its colour, and whether it is dashed."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    dashed: bool = False


def chart(title: str, across: str, curves: Sequence[Curve]) -> str:
    """Return a chart with a line for each curve; points that are not finite are left out.

    Args:
        title: What is drawn, which a screen reader says with the last value of each curve.
        across: Name and unit of the horizontal axis.
    """
    kept = [curve._replace(points=[point for point in curve.points if all(map(isfinite, point))]) for curve in curves]
    points = [point for curve in kept for point in curve.points]
    if not points:
        return ""
    (left, right), (low, high) = (span([point[axis] for point in points]) for axis in (0, 1))

    def placed(point: tuple[float, float]) -> tuple[float, float]:
        x = LEFT + (point[0] - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        return x, HEIGHT - BOTTOM - (point[1] - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    last = ", ".join(f"{curve.name} {curve.points[-1][1]:.4g}" for curve in kept if curve.points)
    inside = [*axes(left, right, low, high, across), *(mark for curve in kept for mark in line(curve, placed))]
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" width="{WIDTH}" height="{HEIGHT}" '
        f'font-size="11" fill="currentColor"><title>{escaped(f"{title}; at the end: {last}")}</title>'
        f"{''.join(inside)}</svg><figcaption>{escaped(title)}</figcaption></figure>"
    )


def span(values: Sequence[float]) -> tuple[float, float]:
    """Return the smallest and the largest of some values, apart also where they are equal."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - abs(low) / 10 - 1e-9, high + abs(high) / 10 + 1e-9)


def axes(left: float, right: float, low: float, high: float, across: str) -> Iterator[str]:
    """Yield the frame of a chart, with three numbers at each axis."""
    base = HEIGHT - BOTTOM
    yield f'<path d="M{LEFT} {TOP}V{base}H{WIDTH - RIGHT}" fill="none" stroke="var(--soft)"/>'
    for share in (0, 0.5, 1):
        x, y = LEFT + share * (WIDTH - LEFT - RIGHT), base - share * (base - TOP)
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        yield f'<text x="{x:.1f}" y="{base + 14}" text-anchor="{anchor}">{left + share * (right - left):.3g}</text>'
        yield f'<text x="{LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{low + share * (high - low):.4g}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{escaped(across)}</text>'


def line(curve: Curve, placed: Placed) -> Iterator[str]:
    """Yield the marks of a curve: a line, and a dot at its end."""
    if not curve.points:
        return
    colour = f"var(--{COLOURS[curve.colour % len(COLOURS)]})"
    dashes = ' stroke-dasharray="5 3"' if curve.dashed else ""
    places = [placed(point) for point in curve.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>'
    yield f'<circle cx="{places[-1][0]:.1f}" cy="{places[-1][1]:.1f}" r="2.5" fill="{colour}"/>'


def legend(names: Sequence[str]) -> str:
    """Return the colours of runs, and what dashes mean."""
    colours = (f"var(--{COLOURS[number % len(COLOURS)]})" for number in range(len(names)))
    items = "".join(
        f'<li><span style="color:{colour}" aria-hidden="true">&#9632;</span> {escaped(name)}</li>'
        for name, colour in zip(names, colours, strict=True)
    )
    return f"<ul>{items}<li>solid: validation; dashed: training</li></ul>"
