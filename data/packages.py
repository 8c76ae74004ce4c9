"""Packages that only some uses need, and what is said where one is not installed. Standard library only."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from data.splits import UnavailableError

EXTRAS = {  # extra of pyproject.toml -> its modules, and their packages where those have other names
    "predict": {
        "PIL": "pillow",
        "charset_normalizer": "charset-normalizer",
        "click": "",
        "numpy": "",
        "onnxruntime": "",
        "sentencepiece": "",
        "tqdm": "",
        "typing_extensions": "typing-extensions",
    },
    "evaluate": {
        "pycocoevalcap": "",
        "sacrebleu": "",
        "scipy": "",
        "skimage": "scikit-image",
        "sklearn": "scikit-learn",
    },
    "figures": {"matplotlib": ""},
    "export": {"h5py": "", "onnx": ""},
    "train": {
        "importlib_resources": "importlib-resources",
        "keras": "",
        "tensorflow": "",
        "tensorflow_datasets": "tensorflow-datasets",
    },
    "parquet": {"pyarrow": ""},
    "xlsx": {"openpyxl": ""},
    "heic": {"pillow_heif": "pillow-heif"},
    "openvino": {"openvino": ""},
    "litert": {"ai_edge_litert": "ai-edge-litert"},
    "serve": {
        "fastapi": "",
        "httptools": "",
        "starlette": "",
        "multipart": "python-multipart",
        "python_multipart": "python-multipart",
        "uvicorn": "",
        "uvloop": "",
    },
    "tensorboard": {"tensorboard": ""},
    "mlflow": {"mlflow": "mlflow-skinny"},
    "ray": {"ray": "ray[data,train,tune]"},
    "tune": {"optuna": "", "sqlalchemy": ""},
}
BACKENDS = ("tensorflow", "jax", "torch", "openvino")  # of Keras: modules, and packages of the same names
PACKAGES = {module: package or module for modules in EXTRAS.values() for module, package in modules.items()}
PACKAGES |= {module: module for module in BACKENDS}
KERAS = ("h5py", "keras", "tensorflow")  # modules that a network takes which Keras answers with


class MissingPackageError(UnavailableError):
    """A package that a use needs is not installed."""


def check_packages(use: str, *extras: str) -> None:
    """Raise `MissingPackageError` unless the packages of some extras are installed; nothing is imported.

    Args:
        use: What needs them, as the sentence begins.

    Example:
        >>> check_packages("An answer", "predict")
    """
    check_modules(use, [module for extra in extras for module in EXTRAS[extra]])


def check_modules(use: str, modules: Iterable[str]) -> None:
    """Raise `MissingPackageError` unless some modules of `PACKAGES` are installed; nothing is imported.

    In place of TensorFlow, the backend is asked for that Keras is to use.
    """
    wanted = [keras_backend() if module == "tensorflow" else module for module in modules]
    missing = [PACKAGES[module] for module in wanted if module in PACKAGES and not is_installed(module)]
    if missing:
        raise MissingPackageError(f"{use} {advice(*dict.fromkeys(missing))}.")


def keras_backend() -> str:
    """Return the backend that Keras is to use, by the environment or else by its file `keras.json`."""
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
    file = Path(os.environ.get("KERAS_HOME", home / ".keras")).expanduser() / "keras.json"
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, LookupError, TypeError):  # Keras itself says what is wrong with the file
        return BACKENDS[0]


@contextmanager
def needed_for(use: str, way_out: str = "") -> Iterator[None]:
    """Raise `MissingPackageError` if an import fails for want of a package that an extra names, for a `with` statement.

    Args:
        use: What needs the package, as the sentence begins.
        way_out: What else the user may do, as the sentence ends.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = missing_packages(error)
        if not missing:
            raise
        raise MissingPackageError(f"{use} {advice(*missing)}{way_out}.") from error


def missing_packages(error: ModuleNotFoundError) -> list[str]:
    """Return the packages that a failed import is for want of, and those of its extra that are missing too.

    Example:
        >>> missing_packages(ModuleNotFoundError(name="openpyxl"))[:1]
        ['openpyxl']
        >>> missing_packages(ModuleNotFoundError(name="tasks.other"))
        []
    """
    root = (error.name or "").partition(".")[0]
    own = [root] if root in BACKENDS else []
    modules: Iterable[str] = next((found for found in EXTRAS.values() if root in found), own)
    return [PACKAGES[module] for module in modules if module == root or not is_installed(module)]


def advice(*packages: str) -> str:
    """Return what a sentence says of packages that are missing.

    Example:
        >>> advice("pillow-heif")
        'takes pillow-heif; install it with: pip install pillow-heif'
    """
    if len(packages) == 1:
        return f"takes {packages[0]}; install it with: pip install {packages[0]}"
    return (
        f"takes {len(packages)} packages that are missing; install them with: pip install {' '.join(sorted(packages))}"
    )


def is_installed(module: str) -> bool:
    """Return whether a module can be found, without importing it."""
    try:
        return find_spec(module) is not None
    except ValueError:  # something took its place
        return False
