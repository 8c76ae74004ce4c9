"""The model card: what a run is, in words that a stranger can check."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.engine.config import TaskConfig
from tasks.engine.task import Task
from tasks.engine.terminal import plain_metrics

OWN = "The user's own files; their licence is the user's to know."


def write(
    task: Task[Any],
    config: TaskConfig,
    environment: Mapping[str, Any],
    best: tuple[int, float],
    evaluation: Mapping[str, Any],
) -> str:
    """Return the card of a run as Markdown: data, protocol, machine, numbers, limits, command.

    Args:
        best: The epoch whose weights are kept, and its validation loss.
    """
    mean = f" among the means of the last {config.average} epochs" if config.average else ""
    counts = environment["data"]
    versions = environment["versions"]
    lines = [
        f"# {task.name}: a run of {config.epochs} epochs on `{config.data}`",
        "",
        f"* **Data**: {origin(task.sources, config.data)} {counts['train']:,} training, "
        f"{counts['valid']:,} validation and {counts['test']:,} test examples, SHA-256 `{counts['sha256'][:16]}`.",
        f"* **Protocol**: the validation split is the data's own or cut from its training part by seed {config.seed}; "
        f"the weights are those of epoch {best[0]} of {config.epochs}, where the validation loss is smallest "
        f"({best[1]:.4f}){mean}; the test split is scored once, at the end.",
        f"* **Network**: {environment['parameters']:,} parameters; settings in `config.json`.",
        f"* **Training**: {environment['seconds'] / 60:.1f} minutes on {environment['cores']} cores of "
        f"{environment['processor']}, Keras {versions['keras']} on {environment['backend']}, seed {config.seed}.",
        f"* **ONNX**: largest difference from Keras {environment['onnx_difference']:.1e}.",
        f"* **Limits**: {task.limits}",
        "",
        "| test metric | value |",
        "| --- | --- |",
        *(
            f"| {name} | {value}{f' ({interval})' if interval else ''} |"
            for name, value, interval in plain_metrics(evaluation["metrics"])
        ),
        "",
        "Made by:",
        "",
        f"    {environment['command']}",
    ]
    return "\n".join(lines) + "\n"


def origin(sources: Mapping[str, str], data: str) -> str:
    """Return what data is and its licence, where it has a known name or is made of folders that have: `name/`."""
    names = [data] if data in sources else [f"{Path(place).stem.lower()}/" for place in data.split(",")]
    return " ".join(sources[name] for name in names) if all(name in sources for name in names) else OWN
