"""Classify texts, for example as positive or negative."""
