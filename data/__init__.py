"""Data sets and the steps from raw examples to batches of arrays; no task is imported here."""
