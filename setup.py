"""Build the distribution: a wheel has the one package `fourlayers`, a checkout keeps `cli`, `data`, `layers`, `tasks`.

An installed package thus takes no name that a user's own modules may have. Setuptools builds the wheel of the plain
layout; `enclose` then moves its modules into `fourlayers/`. An editable install keeps the plain layout.
"""

import ast
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from setuptools import setup

PACKAGE = "fourlayers"
INIT = b'''"""Four layer families, five tasks: `from fourlayers import tasks, layers`."""

from fourlayers.tasks import __version__

__all__ = ["__version__"]
'''


def enclose(wheel: Path) -> None:
    """Move the modules of a wheel into the package, in place."""
    with ZipFile(wheel) as archive:
        date = archive.infolist()[0].date_time
        files = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(wheel, "w") as archive:
        for name, content in enclosed_files(files).items():
            entry = ZipInfo(name, date)
            entry.external_attr = 0o644 << 16  # Unix permissions
            archive.writestr(entry, content, ZIP_DEFLATED)


def enclosed_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a wheel by name, with all modules inside the package and the metadata adapted.

    Args:
        files: The files of a wheel of the plain layout, by name.

    Raises:
        ValueError: An import cannot be rewritten; see `rewritten_module`.
    """
    metadata = next(name for name in files if name.endswith(".dist-info/WHEEL")).removesuffix("WHEEL")
    own = files[f"{metadata}top_level.txt"].decode().split()
    moved = {f"{PACKAGE}/__init__.py": INIT}
    for name, content in files.items():
        if name.startswith(metadata):
            moved[name] = content
        else:
            moved[f"{PACKAGE}/{name}"] = rewritten_module(content, own) if name.endswith(".py") else content
    moved[f"{metadata}top_level.txt"] = f"{PACKAGE}\n".encode()
    moved[f"{metadata}entry_points.txt"] = re.sub(
        rb"= *", f"= {PACKAGE}.".encode(), moved[f"{metadata}entry_points.txt"]
    )
    del moved[f"{metadata}RECORD"]
    return moved | {f"{metadata}RECORD": record(moved, f"{metadata}RECORD")}


def record(files: Mapping[str, bytes], own_name: str) -> bytes:
    """Return the list of a wheel's files with their SHA-256 and size; the list itself has neither."""
    rows = [
        f"{name},sha256={urlsafe_b64encode(sha256(content).digest()).decode().rstrip('=')},{len(content)}"
        for name, content in files.items()
    ]
    return "\n".join([*rows, f"{own_name},,", ""]).encode()


def rewritten_module(source: bytes, own: Collection[str]) -> bytes:
    """Return a module with its absolute imports of our modules made imports from the package.

    All else stays, line numbers too.

    Args:
        source: Python source in UTF-8.
        own: Names of our modules in the plain layout.

    Raises:
        ValueError: `import a.b` binds `a`, for which an import from the package has no equivalent.

    Example:
        >>> rewritten_module(b"import tasks  # a comment", {"tasks"})
        b'import fourlayers.tasks as tasks  # a comment'
        >>> rewritten_module(b"from tasks.engine import runs", {"tasks"})
        b'from fourlayers.tasks.engine import runs'
    """
    lines = source.splitlines(keepends=True)
    for row, column, text in sorted(insertions(ast.parse(source), own), reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + text.encode() + line[column:]
    return b"".join(lines)


def insertions(tree: ast.Module, own: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the line, the column in bytes and the text of each insertion."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and is_own(node.module or "", own):
            yield node.lineno, node.col_offset + len("from "), f"{PACKAGE}."
        for alias in node.names if isinstance(node, ast.Import) else ():
            if is_own(alias.name, own):
                yield alias.lineno, alias.col_offset, f"{PACKAGE}."
                if not alias.asname:
                    yield alias.lineno, alias.col_offset + len(alias.name), f" as {bound_name(alias)}"


def is_own(module: str, own: Collection[str]) -> bool:
    """Return whether a module is one of ours, or inside one of ours."""
    return module.partition(".")[0] in own


def bound_name(alias: ast.alias) -> str:
    """Return the name that `import NAME` binds."""
    if "." in alias.name:
        parent, _, child = alias.name.rpartition(".")
        raise ValueError(f"Line {alias.lineno}: write `from {parent} import {child}`, not `import {alias.name}`.")
    return alias.name


if __name__ == "__main__":
    with TemporaryDirectory() as folder:  # a kept `build/` would add files that the sources no longer have
        distribution = setup(options={"build": {"build_base": folder}})
        for command, _, path in distribution.dist_files:
            if command == "bdist_wheel":
                enclose(Path(path))
