"""The program `run.py` of an exported folder, put together from a module of the task and one of a runtime."""

import ast
import shutil
import sys
from pathlib import Path

from layers import onnx

HERE = Path(__file__).parent
LAYERS = onnx.__name__.rpartition(".")[0]  # the package of the layers of Keras
WITHOUT = shutil.ignore_patterns("__pycache__", "onnx", "*.md")  # what only exporting needs
MAIN = """
if __name__ == "__main__":
    HERE = Path(__file__).parent
    network = opened(HERE)
    for given in sys.argv[1:]:
        try:
            found = answer(network, HERE, given)
        except ValueError as error:
            sys.exit(str(error))
        print(json.dumps(found, ensure_ascii=False))
"""


def program(task: str, name: str) -> str:
    """Return the program that answers for a task from files of a format, with NumPy and one runtime alone.

    It is the module of `runtimes` for the format, then the module `exported` of the task, and the imports of both.
    """
    parts = [HERE / "runtimes" / f"{name}.py", HERE.parents[1] / task / "exported.py"]
    sources = [path.read_text(encoding="utf-8") for path in parts]
    lines = imports("\n".join(sources) + "\nimport json\nimport sys")
    own, others = ([line for line in lines if is_standard(line) == standard] for standard in (True, False))
    others += [f"import {LAYERS}  # registers the layers"] if name == "keras" else []
    head = [f'"""{ast.get_docstring(ast.parse(sources[1]))}\n"""', "", *own, "", *others]
    return "\n".join([*head, *map(body, sources)]).rstrip("\n") + f"\n\n{MAIN}"


def copy_layers(folder: Path) -> None:
    """Copy the layers that files of Keras need beside the program; they import Keras alone."""
    outer, *inner = LAYERS.split(".")
    if inner:  # in the package of the distribution
        (folder / outer).mkdir()
        (folder / outer / "__init__.py").touch()
    shutil.copytree(Path(onnx.__file__).parents[1], folder.joinpath(*LAYERS.split(".")), ignore=WITHOUT)


def imports(source: str) -> list[str]:
    """Return the imports at the top of a module, each module once, in the usual order.

    Example:
        >>> imports("from math import pi\\nimport json\\nA = 1\\nfrom math import e")
        ['import json', 'from math import e, pi']
    """
    plain, named = set[str](), dict[str, set[str]]()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            plain.add(ast.unparse(node))
        elif isinstance(node, ast.ImportFrom):
            named.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
    return [*sorted(plain), *(f"from {module} import {', '.join(sorted(named[module]))}" for module in sorted(named))]


def is_standard(line: str) -> bool:
    """Return whether an import is of the standard library.

    Example:
        >>> is_standard("from pathlib import Path"), is_standard("import numpy as np")
        (True, False)
    """
    return line.split()[1].partition(".")[0] in sys.stdlib_module_names


def body(source: str) -> str:
    """Return a module without its docstring and the imports at its top.

    Example:
        >>> body('"What it is."\\nimport json\\n\\nA = json\\n')
        '\\nA = json\\n'
    """
    tree = ast.parse(source).body
    last = max(node.end_lineno or 0 for node in tree if isinstance(node, ast.Import | ast.ImportFrom))
    return "\n".join(source.splitlines()[last:]) + "\n"
