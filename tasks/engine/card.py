"""The model card: what a run is, in words that a stranger can check."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from data.sources import joined_places
from tasks.engine import runs
from tasks.engine.config import Settings, TaskConfig
from tasks.engine.records import read_history
from tasks.engine.summaries import plain_metrics
from tasks.engine.task import Pipeline

C = TypeVar("C", bound=TaskConfig)
OWN = "The user's own files; their licence is the user's to know."


def write(pipeline: Pipeline[C], facts: Settings, summary: Settings) -> str:
    """Return the card of a run as Markdown: data, protocol, machine, numbers, limits, command.

    Args:
        facts: What `environment.json` holds.
        summary: What `metrics.json` is to hold.
    """
    task, config = pipeline.task, pipeline.config
    best = runs.kept_epoch(read_history(pipeline.run), config)
    mean = f" among the means of the last {config.average} epochs" if config.average else ""
    data, versions = facts["data"], facts["versions"]
    scored = "the test split is scored once, at the end" if summary["split"] != "valid" else "no test split was scored"
    scored = "the test split could not be scored" if summary["metrics"] is None else scored
    lines = [
        f"# {task.name}: a run of {config.epochs} epochs on `{data['name']}`",
        "",
        f"* **Data**: {data['source']} {data['train']:,} training, "
        f"{data['valid']:,} validation and {data['test']:,} test examples, SHA-256 `{data['sha256'][:16]}`.",
        f"* **Protocol**: the validation split is the data's own or cut from its training part by seed {config.seed}; "
        f"the weights are those of epoch {best['epoch']:.0f} of {config.epochs}, with the smallest validation loss "
        f"({best['val_loss']:.4f}){mean}; {scored}.",
        f"* **Network**: {facts['parameters']:,} parameters; settings in `config.json`.",
        f"* **Training**: {facts['seconds'] / 60:.1f} minutes on {facts['cores']} cores of "
        f"{facts['processor']}, Keras {versions['keras']} on {facts['backend']}, seed {config.seed}.",
        f"* **ONNX**: largest difference from Keras {facts['onnx_difference']:.1e}.",
        *(f"* **Notice**: {notice}" for notice in facts.get("notices", ())),
        f"* **Limits**: {task.limits}",
        "",
        f"| {summary['split'] if summary['split'] == 'valid' else 'test'} metric | value |",
        "| --- | --- |",
        *(
            f"| {name} | {value}{f' ({interval})' if interval else ''} |"
            for name, value, interval in plain_metrics(summary["metrics"] or {})
        ),
        "",
        "Made by:",
        "",
        f"    {facts['command']}",
    ]
    return "\n".join(lines) + "\n"


def origin(sources: Mapping[str, str], data: str) -> str:
    """Return what data is and its licence, where it has a known name or is made of folders that have: `name/`."""
    places = joined_places(data)
    names = list(dict.fromkeys(one if one in sources else f"{Path(one).stem.lower()}/" for one in places))
    return " ".join(sources[name] for name in names) if all(name in sources for name in names) else OWN
