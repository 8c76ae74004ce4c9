"""The model card: what a run is, in words that a stranger can check."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.engine.config import TaskConfig
from tasks.engine.task import Task

OWN = "The user's own files; their licence is the user's to know."


def write(
    task: Task[Any],
    config: TaskConfig,
    environment: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    evaluation: Mapping[str, Any],
) -> str:
    """Return the card of a run as Markdown: data, protocol, machine, numbers, limits, command."""
    best = min(history, key=lambda row: row["val_loss"])
    counts = environment["data"]
    versions = environment["versions"]
    lines = [
        f"# {task.name}: a run of {config.epochs} epochs on `{config.data}`",
        "",
        f"* **Data**: {task.sources.get(config.data, OWN)} {counts['train']:,} training, "
        f"{counts['valid']:,} validation and {counts['test']:,} test examples, SHA-256 `{counts['sha256'][:16]}`.",
        f"* **Protocol**: the validation split is cut from the training data by seed {config.seed}; the epoch with "
        f"the smallest validation loss is kept ({best['epoch']} of {config.epochs}, {best['val_loss']:.4f}); the test "
        f"split is scored once, at the end.",
        f"* **Network**: {environment['parameters']:,} parameters; settings in `config.json`.",
        f"* **Training**: {environment['seconds'] / 60:.1f} minutes on {environment['cores']} cores of "
        f"{environment['processor']}, Keras {versions['keras']} on {environment['backend']}, seed {config.seed}.",
        f"* **ONNX**: largest difference from Keras {environment['onnx_difference']:.1e}.",
        f"* **Limits**: {task.limits}",
        "",
        "| test metric | value |",
        "| --- | --- |",
        *metric_rows(evaluation["metrics"]),
        "",
        "Made by:",
        "",
        f"    {environment['command']}",
    ]
    return "\n".join(lines) + "\n"


def metric_rows(metrics: Mapping[str, Any]) -> list[str]:
    """Return the plain metrics as rows of a table, each with its 95 % interval if it has one."""
    rows = []
    for name, value in metrics.items():
        if isinstance(value, int | float) and not name.endswith(("_low", "_high")):
            span = (
                f" ({metrics[f'{name}_low']:.4f} to {metrics[f'{name}_high']:.4f})" if f"{name}_low" in metrics else ""
            )
            rows.append(f"| {name} | {value if isinstance(value, int) else f'{value:.4f}'}{span} |")
    return rows
