"""Check sums that a run keeps of the files that answer. Standard library only."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tasks.engine.members import LARGEST_WEIGHTS, RunError, file_content, files_in, is_plain_file

LARGEST = LARGEST_WEIGHTS


def answering_files(run: Path) -> list[Path]:
    """Return the files of a run that its answers depend on, beside its settings."""
    found = [run / "codec.json", run / "model.keras", *files_in(run / "onnx", ".onnx")]
    return [path for path in found if is_plain_file(path)]


def run_checksums(run: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that answers, by its name in the run."""
    return {
        path.relative_to(run).as_posix(): sha256(file_content(path, LARGEST)).hexdigest()
        for path in answering_files(run)
    }


def check_content(path: Path, content: bytes, checksums: Mapping[str, str]) -> None:
    """Raise `RunError` if a file of a run is not the one that it kept the check sum of.

    Args:
        path: `run/codec.json`, `run/model.keras` or `run/onnx/NAME.onnx`.
        checksums: Check sums of the run by name; a file without one is not checked.
    """
    name = f"onnx/{path.name}" if path.suffix == ".onnx" else path.name
    kept = checksums.get(name)
    if kept is not None and sha256(content).hexdigest() != kept:
        raise RunError(f"{str(path)!r} is damaged: its check sum is not the one in environment.json.")
