"""Translate sentences and texts."""
