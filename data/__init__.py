"""Data sets and the steps from raw examples to batches of arrays; this package knows no task."""
