"""Answers over HTTP: `cli.py serve`."""
