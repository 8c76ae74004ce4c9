"""The packages that a server needs, asked for before any of them is imported."""

from data.packages import check_packages


def check_needed() -> None:
    """Raise `UnavailableError` unless all packages of a server are installed."""
    check_packages("`serve`", "predict", "serve")
