"""What the terminal shows of scores, runs, comparisons and checks of data. Standard library only."""

import json
from collections.abc import Iterator
from typing import Any

from tasks.engine.config import JsonObject, Settings
from tasks.engine.terminal import visible, visible_json

SUSPECTS = 10  # doubtful labels that are shown
WORSE = 4  # exit code of a comparison in which B is worse than it may be


def show_summary(summary: JsonObject, as_json: bool) -> None:
    """Print what an evaluation found, as one JSON object or for a reader."""
    if as_json:
        print(visible_json(json.dumps(summary, ensure_ascii=False, allow_nan=False)))
        return
    metrics, card = summary["metrics"] or {}, summary.get("card", {"metrics": {}})
    print(
        f"{summary['task']}, {summary['examples']:,} {summary['split']} examples of {visible(summary['data'])}", end=""
    )
    print(f", embedded data; the run was trained on {visible(summary['trained_on'])}" if card["metrics"] else "")
    shown = list(plain_metrics(metrics))
    own = {name: value for name, value, _ in plain_metrics(card["metrics"])}
    width = max([12, *(len(name) + 2 for name, _, _ in shown)])
    for name, value, interval in shown:
        beside = f"   on its card: {own[name]} ({card['split']} of {card['data']})" if name in own else ""
        print(f"  {name:<{width}}{value}" + (f"   95 % interval {interval}" if interval else "") + beside)
    if "classes" in metrics:
        show_classes(metrics["classes"], metrics["confusion"])


def show_search(found: JsonObject, as_json: bool) -> None:
    """Print what a search has found, as one JSON object or for a reader."""
    if as_json:
        print(visible_json(json.dumps(found, ensure_ascii=False, allow_nan=False)))
        return
    counts, best = found["trials"], found["best"]
    print(visible(f"{found['task']}, {found['data']}: {', '.join(f'{n} {name}' for name, n in counts.items())} trials"))
    if not best:
        return
    before = "none" if found["default"] is None else f"{found['default']:.4f}"
    print(f"  validation {found['metric']} {best['value']:.4f} (trial {best['trial']}); without a search {before}")
    if "milliseconds" in best:
        print(f"  {best['milliseconds']:.3g} ms an answer")
    width = max(12, *(len(name) + 2 for name in best["settings"]))
    for name, value in best["settings"].items():
        print(f"  {name:<{width}}{f'{value:.4g}' if isinstance(value, float) else visible(str(value))}")
    print()
    show_summary(found, as_json=False)


def plain_metrics(metrics: JsonObject) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the value and the interval, if it has one, of each metric that is a single number."""
    for name, value in metrics.items():
        if isinstance(value, int | float) and not name.endswith(("_low", "_high")):
            low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
            known = all(isinstance(end, int | float) for end in (low, high))
            interval = f"{low:.4f} to {high:.4f}" if known else ""
            yield name, str(value) if isinstance(value, int) else f"{value:.4f}", interval


def show_classes(classes: dict[str, dict[str, float]], confusion: list[list[int]]) -> None:
    """Print the metrics of each class, and the confusion matrix beside them."""
    shown = [visible(name) for name in classes]
    width = max(5, *map(len, shown))
    cell = max(len(str(count)) for row in confusion for count in row) + 1
    print(f"\n  {'class':<{width}}  precision  recall      f1  examples   confusion: truth down, answers across")
    for name, row, counts in zip(shown, classes.values(), confusion, strict=True):
        across = "".join(f"{count or '.':>{cell}}" for count in counts)
        shares = f"{row['precision']:9.4f}  {row['recall']:6.4f}  {row['f1']:6.4f}"
        print(f"  {name:<{width}}  {shares}  {row['examples']:8}   {across}")


def run_line(row: JsonObject) -> str:
    """Return a line about a run: its task, preset, data, main score, end and directory.

    Example:
        >>> run_line({"task": "mnist", "run": "runs/a", "state": "not finished"})
        'mnist      -         not finished                                                  runs/a'
    """
    metric = row.get("metric")
    value = "" if row.get("value") is None else f" {row['value']:.4f}"
    said = row["state"] if metric is None else f"{row['data']}: {metric}{value}"
    said += ", verified" if row.get("verified") else ""
    line = (
        f"{row['task']:<10} {row.get('preset') or '-':<9} {said:<44} {(row.get('ended') or '')[:16]:<16} {row['run']}"
    )
    return visible(f"{line}: {row['reason']}" if "reason" in row else line)


def show_comparison(found: JsonObject) -> None:
    """Print how one run, or several seeds of it, differ from another."""
    print(visible(f"{found['task']}, {found['examples']:,} {found['split']} examples of {found['data']}"))
    for side in ("a", "b"):
        print(visible(f"  {side.upper()}: {', '.join(found[side])}"))
    width = max(len(row["metric"]) for row in found["measures"]) + 2
    print(f"\n  {'metric':<{width}}{'A':>10}{'B':>10}  {'B - A':>10}   95 % interval            p")
    for row in found["measures"]:
        print(
            f"  {visible(row['metric']):<{width}}{row['a']:>10.4f}{row['b']:>10.4f}  {row['difference']:>+10.4f}   "
            f"{row['low']:>+9.4f} to {row['high']:>+9.4f}  {row['p']:.4f}   {row['test']}"
        )
    print(f"\n{comparison_verdict(found)}")
    for name, said in (("better", "B answers better"), ("worse", "B answers worse")):
        if found[name]:
            print(f"\nExamples that {said}, most telling first ({found['differing']:,} examples differ):")
        for row in found[name]:
            print(f"  {shortened(row['input'])}  wanted: {shortened(row.get('reference', '-'))}")
            for side in ("a", "b"):
                print(f"    {side.upper()}: {shortened(answer_line(row['answer'][side]))}")


def comparison_verdict(found: JsonObject) -> str:
    """Return what a comparison decides, and what would decide it."""
    row, margin = found["measures"][0], found["margin"]
    below, end = (f"by more than {margin:g}", f"-{margin:g}") if margin else ("than A", "0")
    said = {
        "worse": f"B is worse {below}: the whole interval of {row['metric']} lies below {end}.",
        "better": f"B is better than A in {row['metric']}: the whole interval lies above 0.",
        "undecided": f"It is not shown that B is worse {below}, or better than A, in {row['metric']}.",
    }[found["verdict"]]
    count = row["deciding_examples"]
    if count is None:
        why = "more seeds are needed first" if row["difference"] else "there is no difference to decide"
        return f"{said} No number of examples decides it: {why}."
    return f"{said} About {count:,} examples decide a difference of this size (5 % level, 80 % power)."


def answer_line(answer: JsonObject) -> str:
    """Return the text and the numbers at the beginning of an answer.

    Example:
        >>> answer_line({"label": "pos", "probability": 0.75, "probabilities": {}})
        'pos, probability 0.75'
    """
    plain = [(name, value) for name, value in answer.items() if isinstance(value, str | float)][:2]
    return ", ".join(value if isinstance(value, str) else f"{name} {value}" for name, value in plain)


def show_check(found: JsonObject, as_json: bool) -> None:
    """Print what a check of data found, as one JSON object or for a reader."""
    if as_json:
        print(visible_json(json.dumps(found, ensure_ascii=False, allow_nan=False)))
        return
    sizes = ", ".join(f"{part} {facts['examples']:,}" for part, facts in found["parts"].items())
    print(visible(f"{found['task']}, {found['data']}: {sizes}"))
    for line in found["findings"] or ["Nothing was found."]:
        print(visible(f"  {line}"))
    labels = found["labels"] or {"suspects": []}
    for item in labels["suspects"][:SUSPECTS]:
        rather = f"labelled {item['label']}, rather {item['suggestion']} ({item['chance']:.0%})"
        print(visible(f"    {item['part']} example {item['example']}, {rather}: {shortened(item['input'], 60)}"))


def shortened(value: Any, length: int = 100) -> str:
    """Return a value on one line, cut after so many characters.

    Example:
        >>> shortened({"label": "pos"}), shortened("a\\nb", 3)
        ('{"label": "pos"}', 'a b')
    """
    text = " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).split())
    return visible(text if len(text) <= length else f"{text[: length - 3]}...")


def epoch_line(row: Settings, epochs: int, left: float) -> str:
    """Return what is said of an epoch that has ended.

    Args:
        row: Number, loss and metrics of the epoch.
        epochs: Epochs of the training.
        left: Seconds that the other epochs are likely to take.
    """
    forms = {"step_size": ".3g"}
    values = ", ".join(f"{name} {value:{forms.get(name, '.4f')}}" for name, value in row.items() if name != "epoch")
    return f"Epoch {row['epoch']:.0f} of {epochs}: {values}; about {left / 60:.1f} minutes left."


def show_dry_run(found: JsonObject, as_json: bool) -> None:
    """Print what a training would take, as one JSON object or for a reader."""
    if as_json:
        print(visible_json(json.dumps(found, ensure_ascii=False, allow_nan=False)))
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in found["examples"].items())
    rows = {
        "data": f"{found['settings']['data']}: {counts}",
        "parameters": f"{found['parameters']:,}",
        "an epoch": f"{found['steps']:,} steps of {found['settings']['batch_size']} examples",
        "a step": f"{found['seconds_a_step']:.3g} s",
        "in all": f"{found['minutes']:.1f} minutes for {found['epochs']} epochs, files and scores",
        "memory": f"{found['memory_mb']:,.0f} MB",
        "disk": f"{found['disk_mb']:,.1f} MB at most, with checkpoints",
    }
    print(f"{found['task']}, a dry run; nothing is kept")
    for name, value in rows.items():
        print(f"  {name:<12}{visible(value)}")
    print("  settings    " + visible(", ".join(f"{name} {value}" for name, value in found["settings"].items())))
